"""The bottleneck of the k-sparse autoencoder."""

from keras import ops

from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.core.checks import integer, positive
from keras_vae.core.registration import registered
from keras_vae.distributions import Deterministic
from keras_vae.ops.selection import top_k_mask


@registered
class KSparse(Bottleneck):
    """Keeps the k largest of a linear code and sets the others to zero; the gradient goes through the kept ones only.

    z_j = h_j if h_j is among the k largest of h, else 0: a ReLU whose threshold adjusts itself to each example
    (Makhzani & Frey 2013, section 2.1). Ties go to the lowest index on every backend. When features are used, the
    paper keeps alpha k of them: `encode`, `reconstruct` and classifiers do so; training and evaluation keep k.

    `k` is a weight that a compiled step reads: `CoefficientSchedule("bottleneck.k", linear_schedule(units, k, steps))`
    lowers it from dense to sparse, without which units die early (section 2.3).

    Args:
        k: int >= 1, activations kept; at most as many as there are.
        alpha: float > 0, round(alpha k) are kept when encoding. Default: 1.0.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ..., units), linear activations.

    Output shape:
        dict with "z": the same shape.

    Raises:
        ValueError: if `k` is not >= 1 or more than there are units, or `alpha` is not > 0.
        TypeError: if `k` is not an integer.

    Reference:
        Makhzani & Frey 2013, k-Sparse Autoencoders, arXiv:1312.5663.

    Example:

    >>> import numpy as np, keras_vae
    >>> layer = keras_vae.KSparse(k=2)
    >>> np.asarray(layer(np.array([[3.0, -1.0, 2.0, 2.0]], "float32"))["z"]).tolist()
    [[3.0, 0.0, 2.0, 0.0]]
    """

    def __init__(self, k, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.first_k = integer("k", k)  # before any schedule
        self.k = self.scalar("k", k, integer, dtype="int32")
        self.alpha = positive("alpha", alpha)

    def build(self, input_shape):
        if self.first_k > input_shape[-1]:
            raise ValueError(f"`k` must be at most the number of units, {input_shape[-1]}. Received: k={self.first_k}.")

    def call(self, h, training=False):
        return {"z": self.keep(h, self.k)}

    def keep(self, h, k):
        """`h` where it is among the `k` largest, else zero."""
        return ops.where(top_k_mask(h, k), h, ops.zeros_like(h))

    def parameters(self, h):
        k = ops.cast(ops.round(self.alpha * ops.cast(self.k, "float32")), "int32")
        return {"z": self.keep(h, k)}

    def posterior(self, outputs):
        return Deterministic(outputs["z"])
