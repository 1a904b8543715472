"""The abstract prior that draws one position after the other, in raster order."""

import keras
from keras import layers, ops, tree

from keras_vae import _backend
from keras_vae.core.checks import instance
from keras_vae.layers import MaskedConv2D
from keras_vae.likelihoods import Likelihood
from keras_vae.nets.raster_net import RasterNet, pushed
from keras_vae.ops.levels import mapped
from keras_vae.priors.drawing_controls import drawing_controls
from keras_vae.priors.learned_prior import LearnedPrior


class RasterPrior(LearnedPrior):
    """Abstract: p(x) = prod_ij p(x_ij | every position before (i, j)), by a net in raster order.

    The likelihood says what one position is: an integer code, a binary pixel, an 8-bit one. Codes (height, width) are
    embedded; pixels (height, width, channels) enter as numbers, with a channel of ones that tells them from the border.
    A subclass names its net; for a `RasterNet` of a user's own it need do no more.

    Args:
        likelihood: Likelihood of one position: `CategoricalLikelihood` for codes, `BernoulliLikelihood` for binary
            pixels, `DiscretizedLogisticMixtureLikelihood` for 8-bit ones.
        net: RasterNet.
        condition: Condition, whose features are a vector or a map, or None. Default: None.
        **kwargs: of keras.Model.
    """

    values = "codes"

    def __init__(self, likelihood, net, condition=None, **kwargs):
        super().__init__(condition=condition, **kwargs)
        self.likelihood = instance("likelihood", likelihood, Likelihood)
        self.net = instance("net", net, RasterNet)
        if likelihood.interval is None:
            raise ValueError(
                "`likelihood` must be of classes, or of pixels in an interval, such as `CategoricalLikelihood` or "
                f"`BernoulliLikelihood`. Received: {type(likelihood).__name__}."
            )
        self.data_interval, self.whole = likelihood.interval, likelihood.whole
        self.input_dtype = "int32" if likelihood.whole else "float32"
        self.table = self.head = None

    @property
    def codebook_size(self):
        """K of integer codes."""
        return self.likelihood.num_classes

    def build(self, input_shape, condition_shape=None):
        shapes = self.input_shapes(input_shape)
        shape = tuple((shapes["x"] if self.extra_inputs else shapes)[1:])
        self._check_shape(shape)
        self.data_shape, self.grid = shape, shape[:2]
        self.channels = shape[2] if len(shape) == 3 else 1
        if len(shape) == 2:
            self.table = layers.Embedding(self.codebook_size, self.net.filters, dtype=self.dtype_policy, name="table")
            self.table.build((None, *shape))
        self.embedded_channels = self.net.filters if self.table is not None else 2 * self.channels
        if condition_shape is None and self.condition is not None:
            raw = keras.KerasTensor(shapes["condition"], self.condition.input_dtype)
            condition_shape = tuple(self.condition.compute_output_spec(raw).shape)
        x_shape = (None, *self.grid, self.embedded_channels)
        if not self.net.built:  # as it is where it comes from a file
            self.net.build(x_shape, condition_shape)
        elif self.net.conditional != (condition_shape is not None):
            raise ValueError(
                f"`net` must be new, or have been built {'with' if condition_shape else 'without'} a condition. "
                f"Received: one that was built {'with' if self.net.conditional else 'without'}."
            )
        outputs = self.likelihood.params_shape((1, 1, self.channels))[-1]
        self.head = MaskedConv2D(outputs, 1, "B", self.net.channel_groups, dtype="float32", name="head")
        self.head.build((*x_shape[:-1], self.net.filters))
        super().build(input_shape, condition_shape)

    def log_prob_in_call(self, z, training, **given):
        return self.log_prob(z, training=training, **given)

    def log_prob(self, z, condition=None, training=False):
        z = self.pixels(ops.cast(z, self.input_dtype))
        return self.likelihood.log_prob(self.params(z, condition, training), z)

    def params(self, z, condition=None, training=False):
        """The likelihood's parameters at every position, from the positions before it: (batch, height, width, ...).

        Args:
            z: tensor (batch, height, width, channels), one channel of codes.
            condition: features of the condition, or None. Default: None.
            training: bool. Default: False.
        """
        return self.head(self.net(self._embedded(z), condition=condition, training=training))

    def sample(
        self,
        n=1,
        seed=None,
        condition=None,
        batch_size=128,
        temperature=1.0,
        top_k=None,
        top_p=None,
        known=None,
        mask=None,
    ):
        """Draws from p, each position from its exact conditional; or the rest of what is known in part.

        A known position is seen by those that come after it in raster order, not by those before: best is to know the
        upper part.

        Args:
            n: int >= 1. Default: 1.
            seed: int or None. The same seed gives the same draws on every backend. Default: None.
            condition: for a conditional prior, one for all or one for each. Default: None.
            batch_size: int, draws at a time. Default: 128.
            temperature: float > 0, which logits are divided by: below 1 the likely is likelier still. Default: 1.0.
            top_k: int >= 1, only the k most likely values of a position; 1 takes the most likely one. Default: None.
            top_p: float in [0, 1], only the most likely values of a position that reach this probability together
                (Holtzman et al. 2020, arXiv:1904.09751). Default: None.
            known: array (*data_shape) for all, or (n, *data_shape), what is given where `mask` says so. Default: None.
            mask: array (height, width), or (n, height, width), 1 where a position is known. Default: None.

        Returns:
            numpy array (n, *data_shape).

        Raises:
            ValueError: if an argument is out of range or does not fit, or the prior was never trained.
        """
        controls = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "known": known, "mask": mask}
        return super().sample(n, seed, condition, batch_size, **controls)

    def drawing_controls(self, n, **controls):
        return drawing_controls(self, n, **controls)

    def noise_spec(self, shape):
        params = ops.zeros((1, *self.likelihood.params_shape((1, 1, self.channels))))
        return self.likelihood.distribution(params).noise_spec((*self.grid, self.channels))

    def sample_from(self, noise, condition=None, temperature=None, top_k=None, top_p=None, known=None, mask=None):
        """Draws that belong to `noise`, position by position, each at the cost of one position of the net.

        Args:
            noise: as `noise_spec` says, tensors.
            condition: features of the condition, or None. Default: None.
            temperature: float tensor (batch,), or None. Default: None.
            top_k: int tensor (batch,), or None. Default: None.
            top_p: float tensor (batch,), or None. Default: None.
            known: tensor (batch, *data_shape), what is given where `mask` says so, or None. Default: None.
            mask: bool tensor (batch, height, width). Default: None.
        """
        net, (height, width), channels, groups = self.net, self.grid, self.channels, self.net.channel_groups
        batch = ops.shape(tree.flatten(noise)[0])[0]
        nothing = ops.zeros((batch, self.embedded_channels), dtype=self.net.compute_dtype)
        before = ops.zeros((batch, net.reach, self.embedded_channels), dtype=self.net.compute_dtype)
        if known is not None:
            known, mask = self.pixels(ops.cast(known, self.input_dtype)), mask[..., None]

        def drawn_at(params, i, j):
            p = self.likelihood.distribution(params[:, None, None])
            p = p if temperature is None else p.tempered(temperature)
            p = p if top_k is None and top_p is None else p.truncated(top_k, top_p)
            value = p.sample_from(mapped(lambda part: _position(part, i, j), noise))
            value = ops.cast(value, self.input_dtype)
            return value if known is None else ops.where(_position(mask, i, j), _position(known, i, j), value)

        def draw_row(i, carried):
            memory, drawn = carried
            memory, given, state = net.start_row(memory, i)

            def draw(j, carried):
                state, past, row = carried
                value, seen = None, nothing
                for group in range(groups):  # of channels that follow each other; the last pass has seen all others
                    window = ops.concatenate([past, seen[:, None]], axis=1)
                    features, after = net.at(given, state, window, j)
                    new = drawn_at(self.head.at(0.0, features[:, None]), i, j)
                    value = new if group == 0 else ops.concatenate([value[..., :group], new[..., group:]], axis=-1)
                    seen = self._embedded(value)[:, 0, 0]
                row = _backend.write_slice(row, (0, j, 0), value[:, 0])
                after = net.know(given, after, seen, j)
                return after, pushed(past, seen), row

            row = ops.zeros((batch, width, channels), dtype=self.input_dtype)
            state, _, row = ops.fori_loop(0, width, draw, (state, before, row))
            row = row[:, None]
            return net.end_row(memory, state, self._embedded(row)[:, 0]), _backend.write_slice(drawn, (0, i, 0, 0), row)

        memory = net.start(batch, self.grid, self.embedded_channels, condition)
        drawn = ops.zeros((batch, height, width, channels), dtype=self.input_dtype)
        drawn = ops.fori_loop(0, height, draw_row, (memory, drawn))[1]
        return drawn[..., 0] if len(self.data_shape) == 2 else drawn

    def pixels(self, z):
        """Codes with an axis of one channel; pixels as they are."""
        return z[..., None] if len(self.data_shape) == 2 else z

    def _embedded(self, z):
        """What the net sees of z (batch, height, width, channels): vectors of codes, or values beside ones."""
        if self.table is not None:
            return ops.cast(self.table(z[..., 0]), self.net.compute_dtype)
        low, high = self.data_interval
        values = ops.cast(z, self.net.compute_dtype) * (2.0 / (high - low)) - (2.0 * low / (high - low) + 1.0)
        ones = ops.ones_like(values[..., :1])  # a border is zero in both
        both = [part for c in range(values.shape[-1]) for part in (values[..., c : c + 1], ones)]
        return ops.concatenate(both, axis=-1)

    def _check_shape(self, shape):
        codes = hasattr(self.likelihood, "num_classes")
        if len(shape) not in ((2, 3) if codes else (3,)) or None in shape:
            raise ValueError(
                f"{type(self).__name__} scores pixels (batch, height, width, channels)"
                f"{', or codes (batch, height, width),' if codes else ''} of a known size. "
                f"Received: shape={(None, *shape)}."
            )
        if self.data_shape not in (None, shape):
            raise ValueError(
                f"{type(self).__name__} was built for data of shape {self.data_shape}. Received: shape={shape}."
            )
        groups, channels = self.net.channel_groups, shape[2] if len(shape) == 3 else 1
        fitting = (1,) if self.likelihood.joint_channels else (1, channels)
        if groups not in fitting:
            raise ValueError(
                f"`net` must have channel_groups={' or '.join(map(str, fitting))} for {channels} channels of "
                f"{type(self.likelihood).__name__}. Received: channel_groups={groups}."
            )


def _position(values, i, j):
    """values[:, i, j], both axes kept, where a compiled loop counts i and j."""
    return values[:, i, j][:, None, None]
