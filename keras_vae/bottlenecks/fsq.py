"""Finite scalar quantization: a grid of codes, and no codebook."""

import math

import numpy as np
from keras import ops

from keras_vae.bottlenecks.quantizer import Quantizer
from keras_vae.core.checks import integers
from keras_vae.core.registration import registered
from keras_vae.ops.numerics import straight_through

MARGIN = 1e-3  # the ends of the range lie this much within the last half: what is rounded there has its own level
MOST = 2**31 - 1  # codes, for their names are int32


@registered
class FSQ(Quantizer):
    """Each feature is held in a range and rounded to one of L_i levels: the codes are the points of a grid.

    With l = (L - 1) / 2, and o = 1/2 where L is even, else 0: z = round(l tanh(h + atanh(o / l)) - o) / floor(L / 2),
    in [-1, 1], where zero is one of the levels; the gradient of the rounding is that of the identity (Mentzer et al.
    2023, section 3.1; their listing has tan for atanh). Nothing is learned, so no code dies: above about 2^10 codes it
    is as good as a codebook, or better. There is no codebook to pull features to, hence "commitment" is zero, whatever
    its weight. Of the paper: [8, 6, 5] for 2^8 codes, [8, 5, 5, 5] for 2^10, [7, 5, 5, 5, 5] for 2^12, [8, 8, 8, 6, 5]
    for 2^14 and [8, 8, 8, 5, 5, 5] for 2^16. Two levels each are what `LFQ` is for.

    Args:
        levels: sequence of int >= 3, L_i of each feature: the encoder has as many. K is their product; a `VQVAE` counts
            the use of each code in 16 bytes.
        **kwargs: of keras.layers.Layer; the dtype is float32 always.

    Input shape:
        (batch, ..., D), features, D = len(levels).

    Output shape:
        dict with "z": (batch, ..., D) float32, in [-1, 1]; "indices": (batch, ...) int32 in [0, K), sum_i (level of
        feature i) (L_0 ... L_(i-1)); "commitment": (batch,), zeros.

    Raises:
        ValueError: if `levels` are not >= 3, have too large a product for int32, or are not as many as the features.
        TypeError: if `levels` is no sequence of integers.

    Reference:
        Mentzer, Minnen, Agustsson & Tschannen 2023, Finite scalar quantization: VQ-VAE made simple, arXiv:2309.15505.

    Example:

    >>> import keras, numpy as np, keras_vae
    >>> layer = keras_vae.FSQ([3, 4])
    >>> outputs = layer(np.array([[0.0, 0.0], [-9.0, 9.0]], "float32"))
    >>> [keras.ops.convert_to_numpy(outputs[name]).tolist() for name in ("z", "indices")]
    [[[0.0, 0.0], [-1.0, 0.5]], [7, 9]]
    """

    fixed = ("codebook_size",)

    def __init__(self, levels, **kwargs):
        levels = integers("levels", levels, low=3, shortest=1)
        if math.prod(levels) > MOST:
            raise ValueError(f"`levels` must have a product of at most {MOST}. Received: levels={levels}.")
        super().__init__(math.prod(levels), **kwargs)
        self.levels = levels
        counts = np.array(levels, "int32")
        self.below = counts // 2  # levels below zero
        self.strides = np.cumprod([1, *levels[:-1]]).astype("int32")
        self.offset = np.where(counts % 2 == 0, 0.5, 0.0).astype("float32")
        self.reach = ((counts - 1) / 2 - MARGIN).astype("float32")
        self.shift = np.arctanh(self.offset / self.reach).astype("float32")

    @property
    def embedding_dim(self):
        """D, the number of features."""
        return len(self.levels)

    def build(self, input_shape):
        self.require_features(input_shape, "len(levels)", len(self.levels))

    def call(self, h, training=False):
        reach, shift, offset = map(ops.convert_to_tensor, (self.reach, self.shift, self.offset))
        held = ops.tanh(ops.cast(h, "float32") + shift) * reach - offset
        whole = ops.stop_gradient(ops.round(held))
        z = self._scaled(straight_through(held, whole))
        return {"z": z, "indices": self._names(whole), "commitment": ops.zeros(ops.shape(z)[:1])}

    def lookup(self, latents):
        strides, levels = ops.convert_to_tensor(self.strides), ops.convert_to_tensor(np.array(self.levels, "int32"))
        found = ops.cast(latents, "int32")[..., None] // strides % levels
        return self._scaled(ops.cast(found - ops.convert_to_tensor(self.below), "float32"))

    def indices_of(self, z):
        """The codes of values of z, (..., D) -> int32 (...): what `lookup` is the inverse of.

        Args:
            z: tensor (..., D), as `lookup` gives it.
        """
        z = ops.convert_to_tensor(z)
        return self._names(ops.round(z * ops.cast(ops.convert_to_tensor(self.below), z.dtype)))

    def _scaled(self, whole):
        return whole / ops.cast(ops.convert_to_tensor(self.below), "float32")

    def _names(self, whole):
        """Whole numbers about zero, (..., D) -> int32 (...)."""
        levels = ops.cast(whole, "int32") + ops.convert_to_tensor(self.below)
        return ops.sum(levels * ops.convert_to_tensor(self.strides), axis=-1)
