"""The abstract quantizer: features -> integer codes."""

import math

import numpy as np

from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.core.checks import codebook_sizes
from keras_vae.distributions import Deterministic
from keras_vae.ops.levels import by_level


class Quantizer(Bottleneck):
    """Abstract: features -> {"z", "indices", "commitment"}; codes of each example and what the decoder makes of them.

    `call` returns "z", what the decoder takes, with a straight-through gradient; "indices", int32 codes, a tensor or a
    dict of them by level; "commitment" (batch,), which `VQVAE` weighs; and "codebook" (batch,) where
    `learned_by_gradient`. `lookup(indices)` gives the values of z again.

    Args:
        codebook_size: int >= 2, K, the number of codes; or a dict of them by level.
        **kwargs: of keras.layers.Layer.
    """

    has_codes = True
    noise = None
    learned_by_gradient = False  # whether the loss of the codebook is a term of the model's

    def __init__(self, codebook_size, **kwargs):
        super().__init__(**kwargs)
        self.codebook_size = codebook_sizes("codebook_size", codebook_size)

    @property
    def bits_per_code(self):
        """log2 K, a float; or a dict of them by level."""
        return by_level(math.log2, self.codebook_size)

    def posterior(self, outputs):
        return Deterministic(outputs["indices"])

    def check_latents(self, latents, name="z"):
        if isinstance(self.codebook_size, dict):
            levels = self.codebook_size
            if not isinstance(latents, dict) or set(latents) != set(levels):
                got = sorted(latents) if isinstance(latents, dict) else type(latents).__name__
                raise ValueError(f"`{name}` must be a dict of codes by level, {sorted(levels)}. Received: {got}.")
            return {level: _codes(f"{name}[{level!r}]", latents[level], size) for level, size in levels.items()}
        return _codes(name, latents, self.codebook_size)


def _codes(name, values, codebook_size):
    codes = np.asarray(values)
    if codes.dtype.kind not in "iu":
        raise TypeError(f"`{name}` must be an array of integer codes. Received: dtype={codes.dtype}.")
    if codes.size and (codes.min() < 0 or codes.max() >= codebook_size):
        raise ValueError(
            f"`{name}` must be codes in [0, {codebook_size}). Received: codes from {codes.min()} to {codes.max()}."
        )
    return codes.astype("int32")
