"""The quantizer of VQ-VAE-2: codes by level, each level conditioned on those above it."""

import keras
import numpy as np
from keras import ops

from keras_vae.bottlenecks.level_dropout import LevelDropout, number_of_levels, of_examples
from keras_vae.bottlenecks.quantizer import Quantizer
from keras_vae.core.checks import instance, integer
from keras_vae.core.registration import registered
from keras_vae.layers.spatial import CONVOLUTIONS, check_doublings, spatial_axes
from keras_vae.layers.vq_parts import Upwards
from keras_vae.training import check_values

BATCH = 128  # examples at a time, where codes start at data


@registered
class HierarchicalQuantizer(LevelDropout, Quantizer):
    """Codes by level, from coarse to fine: a level codes its features given the codes of the levels above it.

    From the top: z_1 = Q_1(h_1), and u_1 = up(z_1) at the size of the next level; z_2 = Q_2(merge[h_2, u_1]), and what
    is known by then, (z_2, u_1), goes up to the level after it; and so on. The decoder takes what is known at the
    bottom, the codes of the last level joined to what the levels above say at each place, so that any decoder of one
    tensor serves, a conditional one too. `up` is a convolution, residual blocks and transposed convolutions; `merge` a
    1x1 convolution (Razavi et al. 2019, algorithm 1, where the decoder sees the codes of all levels likewise).

    Losses are those of the levels, as they weigh them, summed. With one level it is that level's quantizer.

    The finest level has the most bits and learns first, and a coarse one may never be used: its codes are then all
    alike to the decoder. With `dropout` an example of training keeps, with that probability, the first n levels alone,
    n drawn evenly from 1 to their number: the codes of the others are zeros to the decoder, and count neither in the
    losses nor in moving averages. Then the first levels have to make sense by themselves. It may be scheduled, down to
    zero from 1.0: `callbacks.CoefficientSchedule("bottleneck.dropout", schedule)`.

    Args:
        levels: dict of Quantizers, name -> that of the level, the top level first.
        hidden: int >= 1, channels of the nets between levels. Default: 128.
        residual_hidden: int >= 1, channels inside a residual block. Default: 32.
        depth: int >= 0, the number of residual blocks between two levels. Default: 2.
        dropout: float in [0, 1], the share of examples that are trained on the first levels alone; more than zero where
            it is to be scheduled. Default: 0.
        seed: int or None, of the dropout. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        dict, name of a level -> features (batch, *sizes, D), as of `HierarchicalEncoder`; one, two or three sizes, from
        each level to the next a power of two larger, the same along every axis.

    Output shape:
        dict with "z": (batch, *sizes, features), at the size of the last level, float32; "indices": dict of (batch,
        *sizes) int32 by level; "commitment", and "codebook" where a level learns by gradient: (batch,); and "levels",
        what each level's quantizer returned; while training with dropout "kept", (batch, levels), zeros and ones.

    Raises:
        TypeError: if `levels` is no dict of Quantizers.
        ValueError: if an argument is out of range, or the features are not of these levels or sizes.

    Reference:
        Razavi, van den Oord & Vinyals 2019, arXiv:1906.00446.

    Example:

    >>> import numpy as np, keras_vae
    >>> levels = {name: keras_vae.VectorQuantizerEMA(8, 4) for name in ("top", "bottom")}
    >>> quantizer = keras_vae.HierarchicalQuantizer(levels, hidden=8, residual_hidden=4)
    >>> h = {"top": np.ones((1, 2, 2, 4), "float32"), "bottom": np.ones((1, 4, 4, 4), "float32")}
    >>> outputs = quantizer(h)
    >>> {name: tuple(codes.shape) for name, codes in sorted(outputs["indices"].items())}, tuple(outputs["z"].shape)
    ({'bottom': (1, 4, 4), 'top': (1, 2, 2)}, (1, 4, 4, 8))
    """

    fixed = ("codebook_size",)
    float32_always = False  # the quantizers are, the nets between them need not be

    def __init__(self, levels, hidden=128, residual_hidden=32, depth=2, dropout=0.0, seed=None, **kwargs):
        if not isinstance(levels, dict) or not levels:
            raise TypeError(f"`levels` must be a dict of Quantizers, the top level first. Received: levels={levels!r}.")
        for name, quantizer in levels.items():
            instance(f"levels[{name!r}]", quantizer, Quantizer)
        different = len({id(quantizer) for quantizer in levels.values()})
        if different < len(levels):
            raise ValueError(
                "`levels` must have a quantizer each, a layer of its own. "
                f"Received: {len(levels)} levels, {different} different quantizers."
            )
        super().__init__({name: quantizer.codebook_size for name, quantizer in levels.items()}, **kwargs)
        self.levels = {str(name): quantizer for name, quantizer in levels.items()}
        self.hidden = integer("hidden", hidden)
        self.residual_hidden = integer("residual_hidden", residual_hidden)
        self.depth = integer("depth", depth, low=0)
        self.start_dropout(dropout, seed)

    @property
    def learned_by_gradient(self):
        """Whether the codebook of any level is a term of the model's loss."""
        return any(quantizer.learned_by_gradient for quantizer in self.levels.values())

    @property
    def adapts(self):
        """Whether the codes of any level can start at data."""
        return any(quantizer.adapts for quantizer in self.levels.values())

    @property
    def codebooks(self):
        """How many codebooks each level has: the last axis of its indices where there are several."""
        return {name: quantizer.codebooks for name, quantizer in self.levels.items()}

    @property
    def term_weights(self):
        return {term: 1.0 for quantizer in self.levels.values() for term in quantizer.term_weights}

    def terms(self, outputs):
        totals = {}
        for i, quantizer in enumerate(self.levels.values()):
            for term, value in quantizer.terms(self._of_level(i, outputs)).items():
                value = value * quantizer.term_weights.get(term, 1.0)
                totals[term] = totals.get(term, 0.0) + (value * outputs["kept"][:, i] if "kept" in outputs else value)
        return totals

    @property
    def embedding_dim(self):
        """The length of a code, by level; None for a level without vectors."""
        return {name: getattr(quantizer, "embedding_dim", None) for name, quantizer in self.levels.items()}

    def build(self, input_shape):
        self._require_levels(input_shape)
        self.up, self.merge, known = {}, {}, None
        for name, quantizer in self.levels.items():
            shape = tuple(input_shape[name])
            if known is not None:
                known = self._build_between(name, known, shape)
            if not quantizer.built:  # as it is where it comes from a file
                quantizer.build(shape)
            z = quantizer.compute_output_spec(keras.KerasTensor(shape))["z"]
            known = (*z.shape[:-1], z.shape[-1] + (0 if known is None else known[-1]))

    def _require_levels(self, features):
        if not isinstance(features, dict) or set(features) != set(self.levels):
            got = sorted(features) if isinstance(features, dict) else type(features).__name__
            raise ValueError(
                f"The features must be a dict by level, {sorted(self.levels)}, as of a `HierarchicalEncoder`. "
                f"Received: {got}."
            )

    def _build_between(self, name, known, shape):
        """Builds what leads to a level with features of `shape`; returns the shape of what the levels above say."""
        axes = spatial_axes("h", shape)
        doublings = check_doublings(name, known[1:-1], shape[1:-1])
        options = {"dtype": self.dtype_policy}
        sizes = (shape[-1], self.hidden, self.residual_hidden, doublings, self.depth)
        self.up[name] = Upwards(*sizes, name=f"up_{name}", **options)
        self.up[name].build(known)
        self.merge[name] = CONVOLUTIONS[axes](shape[-1], 1, name=f"merge_{name}", **options)
        self.merge[name].build((*shape[:-1], 2 * shape[-1]))
        return shape

    def call(self, h, training=False):
        outputs, levels, known = self.draw_kept(next(iter(h.values())), training), {}, None
        for i, (name, quantizer) in enumerate(self.levels.items()):
            features, above = self._given_above(name, h[name], known)
            levels[name] = quantizer(features, training=training)
            z = levels[name]["z"]
            known = _joined(z * of_examples(outputs["kept"][:, i], z) if "kept" in outputs else z, above)
        outputs |= {"z": known, "indices": {name: found["indices"] for name, found in levels.items()}, "levels": levels}
        for term in ("commitment", *(["codebook"] if self.learned_by_gradient else [])):
            found = [(i, level[term]) for i, level in enumerate(levels.values()) if term in level]
            outputs[term] = sum(outputs["kept"][:, i] * value if "kept" in outputs else value for i, value in found)
        return outputs

    def _given_above(self, name, features, known):
        """(the features of a level merged with what the levels above say, and that alone; or the features, None)."""
        if known is None:
            return features, None
        above = self.up[name](known)
        return self.merge[name](ops.concatenate([ops.cast(features, above.dtype), above], axis=-1)), above

    def _of_level(self, i, outputs):
        """What the quantizer of level i returned, and how much each example counts there, where not all do alike."""
        return {**outputs["levels"][list(self.levels)[i]], **self.weights_of(i, outputs)}

    def adapt(self, features, method="k-means", seed=0):
        """Starts the codes at features of data from the top down, those of a level given what is above it.

        Levels of fixed codes, such as FSQ, stay as they are.

        Args:
            features: dict of arrays (n, *sizes, D) by level, what the encoder makes of data.
            method: str, "k-means" or "sample". Default: "k-means".
            seed: int >= 0. Default: 0.

        Raises:
            ValueError: for bad features, fewer different ones than codes, an unknown method, or where no level can.
        """
        self._require_levels(features)
        if not self.adapts:
            super().adapt(features, method, seed)
        features = {name: check_values(f"features[{name!r}]", part) for name, part in features.items()}
        if not self.built:
            self.build({name: (None, *part.shape[1:]) for name, part in features.items()})
        # By batches and on the host: of all examples at once the nets between levels would ask for much memory.
        starts = range(0, len(next(iter(features.values()))), BATCH)
        known = [None for _ in starts]
        for i, (name, quantizer) in enumerate(self.levels.items()):
            parts = [ops.convert_to_tensor(features[name][start : start + BATCH]) for start in starts]
            given = [_on_host(*self._given_above(name, *both)) for both in zip(parts, known, strict=True)]
            if quantizer.adapts:
                quantizer.adapt(np.concatenate([merged for merged, _ in given]), method, seed + i)
            known = [_on_host(_joined(quantizer(merged)["z"], above))[0] for merged, above in given]

    def update(self, outputs):
        for i, quantizer in enumerate(self.levels.values()):
            if quantizer.trainable:
                quantizer.update(self._of_level(i, outputs))

    def lookup(self, latents, levels=None):
        """z of codes by level; or of those of the first `levels`, with zeros for the others.

        Args:
            latents: dict of int tensors by level, all of them.
            levels: int in [1, the number of levels], or None for all. Default: None.

        Raises:
            ValueError: if `levels` is out of range.
        """
        count, known = number_of_levels(levels, len(self.levels)), None
        for i, (name, quantizer) in enumerate(self.levels.items()):
            z = quantizer.lookup(latents[name])
            above = None if known is None else self.up[name](known)
            known = _joined(z if i < count else ops.zeros_like(z), above)
        return known


def _on_host(*values):
    return [None if value is None else ops.convert_to_numpy(value) for value in values]


def _joined(z, above):
    """The codes of a level beside what the levels above say at each place."""
    z = ops.cast(z, "float32")
    return z if above is None else ops.concatenate([z, ops.cast(above, "float32")], axis=-1)
