"""The bottleneck of TopK dictionaries."""

from keras import ops

from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.core.checks import integer
from keras_vae.core.registration import registered
from keras_vae.distributions import Deterministic
from keras_vae.ops.selection import top_k_mask


@registered
class TopK(Bottleneck):
    """z = TopK(relu(h)): the k largest positive activations of each example, all others zero (Gao et al. 2024, eq. 1).

    Args:
        k: int >= 1, activations kept; fewer where fewer are positive.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, units), linear pre-activations.

    Output shape:
        dict with "z": (batch, units) >= 0; "h": the pre-activations.

    Raises:
        ValueError: if `k` is not >= 1, or more than there are units.
        TypeError: if `k` is not an integer.

    Reference:
        Gao et al. 2024, Scaling and evaluating sparse autoencoders, arXiv:2406.04093.

    Example:

    >>> import numpy as np, keras_vae
    >>> np.asarray(keras_vae.TopK(2)(np.array([[3.0, -1.0, 2.0, 2.0]], "float32"))["z"]).tolist()
    [[3.0, 0.0, 2.0, 0.0]]
    """

    def __init__(self, k, **kwargs):
        super().__init__(**kwargs)
        self.k = integer("k", k)

    def build(self, input_shape):
        if self.k > input_shape[-1]:
            raise ValueError(f"`k` must be at most the number of units, {input_shape[-1]}. Received: k={self.k}.")

    def call(self, h, training=False):
        return {"z": ops.where(top_k_mask(h, self.k), ops.relu(h), ops.zeros_like(h)), "h": h}

    def posterior(self, outputs):
        return Deterministic(outputs["z"])
