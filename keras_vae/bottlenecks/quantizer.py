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
    `learned_by_gradient`. `lookup(indices)` gives the values of z again. A quantizer of several codebooks of K codes
    has one index for each of them on the last axis. Codes are float32 under any dtype policy: in bfloat16 one in a
    hundred would be another.

    Args:
        codebook_size: int >= 2, K, the number of codes; or a dict of them by level.
        **kwargs: of keras.layers.Layer; the dtype is float32 always.
    """

    has_codes = True
    noise = None
    learned_by_gradient = False  # whether the loss of the codebook is a term of the model's
    adapts = False  # whether its codes can start at data
    float32_always = True  # whatever the dtype policy

    def __init__(self, codebook_size, **kwargs):
        super().__init__(**({**kwargs, "dtype": "float32"} if self.float32_always else kwargs))
        self.codebook_size = codebook_sizes("codebook_size", codebook_size)

    @property
    def codebooks(self):
        """How many codebooks there are, or a dict by level; of several, the last axis of the indices is theirs."""
        return by_level(lambda size: 1, self.codebook_size)

    @property
    def bits_per_code(self):
        """log2 K, a float; or a dict of them by level."""
        return by_level(math.log2, self.codebook_size)

    @property
    def term_weights(self):
        """What terms the loss of a model has beside the commitment, and their weights, by name."""
        return {"codebook": 1.0} if self.learned_by_gradient else {}

    def terms(self, outputs):
        """The terms of the loss, (batch,) each by name, of what `call` returned; "commitment" is one of them.

        Args:
            outputs: dict, and "sample_weight" (batch,) in it where examples do not all count alike.
        """
        return {name: outputs[name] for name in ("commitment", *self.term_weights)}

    def adapt(self, features, method="k-means", seed=0):
        """Starts the codes at features of data, as `Codebook.adapt` does; a quantizer of fixed codes refuses.

        Args:
            features: array (n, ..., D), what the encoder makes of data.
            method: str, "k-means" or "sample". Default: "k-means".
            seed: int >= 0. Default: 0.

        Raises:
            ValueError: where there is nothing to be adapted.
        """
        raise ValueError(
            f"`adapt` needs a quantizer whose codes can start at data, as those of a Codebook. "
            f"Received: a {type(self).__name__}."
        )

    def require_features(self, input_shape, name, value):
        """Raises unless the features are as many as `value`, which the user knows by `name`."""
        if input_shape[-1] != value:
            raise ValueError(
                f"`{name}` must be the number of features of the encoder, here {input_shape[-1]}. "
                f"Received: {name}={value}."
            )

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
