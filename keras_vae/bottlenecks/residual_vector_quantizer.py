"""Residual vector quantization: each codebook has what those before it left over."""

import numpy as np
from keras import ops

from keras_vae.bottlenecks.codebook import GRADIENTS
from keras_vae.bottlenecks.level_dropout import LevelDropout, number_of_levels, of_examples
from keras_vae.bottlenecks.several_codebooks import SeveralCodebooks, learned_from
from keras_vae.core.checks import one_of
from keras_vae.core.registration import registered


@registered
class ResidualVectorQuantizer(LevelDropout, SeveralCodebooks):
    """z = e_1 + ... + e_L: level l is the nearest code to r_l = h - e_1 - ... - e_(l-1), K^L vectors from L K rows.

    The gradient through z is that of the sum. What a level leaves over is h less codes, and nothing of their
    straight-through output, so that "commitment", sum_l ||r_l - sg[e_l]||^2, pulls the encoder at every level. Levels
    that learn by moving averages see the residuals of their own level.

    With `dropout` an example of training keeps, with that probability, the first n levels alone, n drawn evenly from 1
    to L, in z, in the losses and in the moving averages: the first levels then make sense alone, and `lookup(indices,
    levels=n)` is a coarser z of fewer bits (Zeghidour et al. 2021, section III-C). It may be scheduled, as
    `callbacks.CoefficientSchedule("bottleneck.dropout", schedule)`.

    Args:
        levels: sequence of Codebook, such as VectorQuantizerEMA, the coarsest first; each a layer of its own, of one
            codebook_size and one embedding_dim, with their default `metric` and `gradient`.
        dropout: float in [0, 1], the share of examples that are trained on the first levels alone; more than zero where
            it is to be scheduled. Default: 0.
        gradient: str, what passes through z: "straight-through", or "rotation" (Fifty et al. 2024), of the sum.
            Default: "straight-through".
        seed: int or None, of the dropout. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer; the dtype is float32 always.

    Input shape:
        (batch, ..., D), features.

    Output shape:
        dict with "z": (batch, ..., D) float32; "indices": (batch, ..., L) int32 in [0, K), of all levels;
        "commitment": (batch,), and where a level learns by gradient "codebook": (batch,), each summed over levels; and
        while training "parts", what the codebooks learn from, and with dropout "kept", (batch, L), zeros and ones.

    Raises:
        ValueError: if an argument is out of range, the levels are not alike, or the features are not D wide.
        TypeError: if `levels` is no sequence of Codebook.

    Reference:
        Zeghidour et al. 2021, SoundStream: an end-to-end neural audio codec, arXiv:2107.03312.

    Example:

    >>> import numpy as np, keras_vae
    >>> levels = [keras_vae.VectorQuantizerEMA(codebook_size=8, embedding_dim=4) for _ in range(3)]
    >>> layer = keras_vae.ResidualVectorQuantizer(levels)
    >>> tuple(layer(np.zeros((2, 5, 5, 4), "float32"))["indices"].shape)
    (2, 5, 5, 3)
    """

    fixed = ("parts",)
    argument = "levels"

    def __init__(self, levels, dropout=0.0, gradient="straight-through", seed=None, **kwargs):
        super().__init__(levels, **kwargs)
        widths = [level.embedding_dim for level in self.parts]
        if len(set(widths)) > 1:
            raise ValueError(f"`levels` must have one embedding_dim. Received: levels of embedding_dim={widths}.")
        for i, level in enumerate(self.parts):
            if (level.metric, level.gradient) != ("euclidean", "straight-through"):
                raise ValueError(
                    "`levels` must have metric='euclidean', for directions have no residual, and leave `gradient` to "
                    f"the sum. Received: levels[{i}] with metric={level.metric!r}, gradient={level.gradient!r}."
                )
        self.embedding_dim = widths[0]
        self.gradient = one_of("gradient", gradient, tuple(GRADIENTS))
        self.start_dropout(dropout, seed)

    @property
    def levels(self):
        """The codebooks, the coarsest first."""
        return self.parts

    def build(self, input_shape):
        for level in self.parts:
            if not level.built:
                level.build(input_shape)

    def call(self, h, training=False):
        z_e = ops.cast(h, "float32")
        drawn = self.draw_kept(z_e, training)
        kept = drawn.get("kept")
        z, left, found = ops.zeros_like(z_e), z_e, []
        for i, level in enumerate(self.parts):
            found.append(level(left, training=training))
            e = ops.stop_gradient(found[i]["z"])
            left = left - e
            z = z + (e if kept is None else e * of_examples(kept[:, i], e))
        outputs = {
            "z": GRADIENTS[self.gradient](z_e, z),
            "indices": ops.stack([each["indices"] for each in found], axis=-1),
        }
        for name in ("commitment", *self.term_weights):
            each = [part.get(name) for part in found]
            each = [part if kept is None else part * kept[:, i] for i, part in enumerate(each) if part is not None]
            outputs[name] = sum(each)
        if training:
            outputs["parts"] = [learned_from(each) for each in found]
        return outputs | drawn

    def lookup(self, latents, levels=None):
        """z of codes (batch, ..., L); or the sum of the first `levels` of them, coarser.

        Args:
            latents: int tensor (batch, ..., L).
            levels: int in [1, L], or None for all. Default: None.

        Raises:
            ValueError: if `levels` is out of range.
        """
        count = number_of_levels(levels, len(self.parts))
        return sum(level.lookup(latents[..., i]) for i, level in enumerate(self.parts[:count]))

    def adapt(self, features, method="k-means", seed=0):
        left = np.asarray(features)
        for i, level in enumerate(self.parts):
            level.adapt(left, method, seed + i)
            left = left.astype("float32") - ops.convert_to_numpy(level(ops.convert_to_tensor(left))["z"])
