"""The prior of codes of several levels: each level given those above it."""

import math

import keras
from keras import layers, ops

from keras_vae.core.checks import instance, integer
from keras_vae.core.registration import registered
from keras_vae.layers import Chain
from keras_vae.layers.spatial import spatial_axes
from keras_vae.layers.vq_parts import body_parts
from keras_vae.nets.raster_net import spread
from keras_vae.priors.drawing_controls import controls_by_level
from keras_vae.priors.learned_prior import LearnedPrior
from keras_vae.training.signature import data_input


@registered
class HierarchicalPrior(LearnedPrior):
    """log p(codes) = log p(top) + log p(next | top) + ...: a prior for each level, given the codes above it.

    A PixelSNAIL on top, where far positions matter, and a PixelCNN below, as Razavi et al. (2019, section 3.2) have it.
    What a level is given is a map at the resolution of the level above: a learned vector for each of its codes, joined
    to what that level was given itself, behind a convolution and residual blocks, so that it knows of every level
    above, and of the condition. `sample` goes from the top down.

    One loss trains all levels at once. Of two levels no two share a weight, and the gradient of each is that of its own
    log-probability, as if they were trained one after the other on the same batches; of more levels, and of a learned
    condition, a map serves every level below it, and learns from all of them. `rate_top` and so on are logged.

    Args:
        priors: dict of learned priors of integer codes, name -> that of the level, the top level first; each without a
            condition of its own. Those of levels below another one see a map, as `PixelCNNPrior` and `PixelSNAILPrior`
            can.
        embedding_dim: int >= 1, features of each position of the maps. Default: 64.
        residual_hidden: int >= 1, channels inside a residual block. Default: 32.
        depth: int >= 0, the number of residual blocks of a map. Default: 2.
        condition: Condition that all levels are given, such as a `ClassCondition`, or None. Default: None.
        **kwargs: of keras.Model.

    Input shape:
        dict of codes (batch, *sizes) in [0, K) by level, of several codebooks (batch, *sizes, codebooks); or a dict of
        it, "x", with "condition".

    Output shape:
        dict with "log_prob": (batch,), nats; and "log_probs": dict of it by level.

    Raises:
        TypeError: if `priors` is no dict of learned priors of codes.
        ValueError: if an argument is out of range, a prior has a condition of its own, or the codes are not of these
            levels.

    Reference:
        Razavi, van den Oord & Vinyals 2019, arXiv:1906.00446.

    Example:

    >>> import numpy as np, keras_vae
    >>> top = keras_vae.PixelSNAILPrior(keras_vae.CategoricalLikelihood(3), keras_vae.PixelSNAIL(4, 1, 1))
    >>> bottom = keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(5), keras_vae.PixelCNN(4, depth=1))
    >>> prior = keras_vae.HierarchicalPrior({"top": top, "bottom": bottom}, embedding_dim=4, residual_hidden=2)
    >>> prior.compile("adam")
    >>> codes = {"top": np.arange(8).reshape(2, 2, 2) % 3, "bottom": np.arange(32).reshape(2, 4, 4) % 5}
    >>> sorted(prior.fit(codes, verbose=0).history)
    ['bits_per_dim', 'loss', 'rate', 'rate_bottom', 'rate_top']
    >>> drawn = prior.sample(3, seed=0, given={"top": codes["top"][0]})
    >>> drawn["bottom"].shape, (drawn["top"] == codes["top"][0]).all()
    ((3, 4, 4), np.True_)
    """

    values = "codes"
    input_dtype = "int32"

    def __init__(self, priors, embedding_dim=64, residual_hidden=32, depth=2, condition=None, **kwargs):
        super().__init__(condition=condition, **kwargs)
        self.priors = _of_codes(priors)
        self.embedding_dim = integer("embedding_dim", embedding_dim)
        self.residual_hidden = integer("residual_hidden", residual_hidden)
        self.depth = integer("depth", depth, low=0)
        self.tables, self.maps = {}, {}
        self.track(*(f"rate_{name}" for name in self.priors))

    @property
    def codebook_size(self):
        """K by level."""
        return {name: prior.codebook_size for name, prior in self.priors.items()}

    def build(self, input_shape, condition_shape=None):
        shapes = self.input_shapes(input_shape)
        shapes = shapes["x"] if self.extra_inputs else shapes
        if not isinstance(shapes, dict) or set(shapes) != set(self.priors):
            got = sorted(shapes) if isinstance(shapes, dict) else tuple(shapes)
            raise ValueError(f"The codes must be a dict by level, {sorted(self.priors)}. Received: {got}.")
        given = condition_shape
        if given is None and self.condition is not None:
            raw = keras.KerasTensor((None, *self.condition.input_shape_of_one), self.condition.input_dtype)
            given = tuple(self.condition.compute_output_spec(raw).shape)
        last = list(self.priors)[-1]
        for name, prior in self.priors.items():
            shape = tuple(shapes[name])
            if not prior.built:  # as it is where it comes from a file
                prior.build(shape, given)
            if name != last:
                table = layers.Embedding(prior.codebook_size, self.embedding_dim, dtype=self.dtype_policy)
                options = {"dtype": self.dtype_policy, "name": f"map_{name}"}
                net = _Map(self.embedding_dim, self.residual_hidden, self.depth, **options)
                table.build(shape)
                *sizes, channels = self._features_shape(name)
                net.build((None, *sizes, channels + (0 if given is None else given[-1])))
                self.tables[name], self.maps[name] = table, net
                given = (None, *sizes, self.embedding_dim)
        super().build(input_shape, condition_shape)

    def log_prob(self, z, condition=None):
        return sum(self._log_probs(z, condition, False).values())

    def call(self, x, training=False):
        z, extras = self.split(x)
        each = self._log_probs(z, self.embed(extras.get("condition")), training)
        return {"log_prob": sum(each.values()), "log_probs": each, **extras}

    def _log_probs(self, z, condition, training):
        """log p of the codes of each level given those above it, nats, (batch,); by level."""
        each, given = {}, condition
        for name, prior in self.priors.items():
            codes = ops.cast(z[name], "int32")
            each[name] = prior.log_prob_in_call(codes, training, **_given(given))
            given = self._map(name, codes, given)
        return each

    def _map(self, name, codes, given):
        """What the level below `name` is given; None below the last."""
        if name not in self.tables:
            return None
        *sizes, channels = self._features_shape(name)
        codes = ops.reshape(codes, (-1, *self.priors[name].data_shape))  # a compiled loop may have lost the sizes
        features = ops.reshape(self.tables[name](codes), (-1, *sizes, channels))
        if given is not None:
            given = ops.cast(spread(given, sizes), features.dtype)
            given = ops.broadcast_to(given, (*ops.shape(features)[:-1], given.shape[-1]))
            features = ops.concatenate([features, given], axis=-1)
        return self.maps[name](features)

    def _features_shape(self, name):
        """(*sizes, features) of the codes of a level: of several codebooks those of each, one beside the other."""
        prior = self.priors[name]
        sizes = prior.grid or prior.data_shape
        return (*sizes, self.embedding_dim * math.prod(prior.data_shape[len(sizes) :]))

    def terms(self, x, y, outputs, training):
        """As of `LearnedPrior`, with "rate_top" and so on, the shares of the levels in "rate"."""
        shares = {f"rate_{name}": -log_prob for name, log_prob in outputs["log_probs"].items()}
        return {**super().terms(x, y, outputs, training), **shares}

    def check_data(self, x, name="x"):
        if not isinstance(x, dict) or set(x) != set(self.priors):
            got = sorted(x) if isinstance(x, dict) else type(x).__name__
            raise ValueError(f"`{name}` must be a dict of codes by level, {sorted(self.priors)}. Received: {got}.")
        return {level: prior.check_data(x[level], f"{name}[{level!r}]") for level, prior in self.priors.items()}

    def check_nest(self, x, name="x"):
        return self.check_data(x, name)

    def sample(self, n=1, seed=None, condition=None, batch_size=128, given=None, **controls):
        """Draws from p, level by level from the top; or the lower levels alone, given the upper ones.

        Args:
            n: int >= 1. Default: 1.
            seed: int or None. The same seed gives the same draws on every backend. Default: None.
            condition: for a conditional prior, one for all or one for each. Default: None.
            batch_size: int, draws at a time. Default: 128.
            given: dict of codes, name of a level -> (*sizes) for all draws or (n, *sizes): the uppermost levels, kept
                as they are. Default: None, every level is drawn.
            **controls: what the priors of the levels take, `temperature`, `top_k`, `top_p`, `known` and `mask` of a
                `PixelCNNPrior`: a number for all levels, or a dict by level.

        Returns:
            dict of numpy arrays (n, *sizes) by level.

        Raises:
            ValueError: if an argument is out of range or does not fit, or the prior was never trained.
        """
        return super().sample(n, seed, condition, batch_size, given=given, **controls)

    def drawing_controls(self, n, **controls):
        return controls_by_level(self, n, **controls)

    def noise_spec(self, shape):
        return {name: prior.noise_spec(shape[name]) for name, prior in self.priors.items()}

    def sample_from(self, noise, condition=None, given=None, controls=None):
        """Codes that belong to `noise`, by level, from the top down; those of `given` as they are.

        Args:
            noise: dict by level, as `noise_spec` says, tensors.
            condition: features of the condition, or None. Default: None.
            given: dict of codes of the uppermost levels, or None. Default: None.
            controls: dict by level of what `sample_from` of its prior takes, or None. Default: None.
        """
        kept, controls, above, codes = given or {}, controls or {}, condition, {}
        for name, prior in self.priors.items():
            if name in kept:
                codes[name] = ops.cast(kept[name], "int32")
            else:
                codes[name] = prior.sample_from(noise[name], **_given(above), **controls.get(name, {}))
            above = self._map(name, codes[name], above)
        return codes

    def _served_data(self):
        each = {}
        for name, prior in self.priors.items():
            limits = {"interval": prior.data_interval, "reason": type(prior).__name__}
            each[name] = data_input(self.data_shape[name], self.input_dtype, **limits)
        return each


class _Map(Chain):
    """What is seen of a place of a level by the level below it: what surrounds it."""

    def __init__(self, filters, residual_hidden, depth, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.residual_hidden, self.depth = filters, residual_hidden, depth

    def make_parts(self, input_shape):
        axes = spatial_axes("codes", input_shape)
        return body_parts(axes, self.filters, self.residual_hidden, self.depth, self.dtype_policy)


def _of_codes(priors):
    """`priors`, if it is a dict of learned priors of codes without a condition."""
    if not isinstance(priors, dict) or not priors:
        raise TypeError(
            f"`priors` must be a dict of priors of codes, the top level first. Received: priors={priors!r}."
        )
    for name, prior in priors.items():
        if not hasattr(instance(f"priors[{name!r}]", prior, LearnedPrior), "codebook_size"):
            raise TypeError(f"`priors[{name!r}]` must be of integer codes. Received: a {type(prior).__name__}.")
        if prior.condition is not None:
            raise ValueError(
                f"`priors[{name!r}]` must leave `condition` to the HierarchicalPrior. "
                f"Received: a {type(prior.condition).__name__}."
            )
    return {str(name): prior for name, prior in priors.items()}


def _given(condition):
    return {} if condition is None else {"condition": condition}
