"""The bottleneck of BatchTopK dictionaries."""

from keras import ops

from keras_vae import _backend
from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.core.checks import in_half_open_interval, integer
from keras_vae.core.registration import registered
from keras_vae.distributions import Deterministic
from keras_vae.ops.numerics import float32
from keras_vae.ops.selection import batch_top_k_mask


@registered
class BatchTopK(Bottleneck):
    """Keeps the batch * k largest positive activations of a batch: easy examples take fewer than k, hard ones more.

    Outside training an example may not depend on its batch: there z = h where h is above a threshold, the running mean
    of the smallest activation that training kept (Bussmann et al. 2024, section 3).

    Args:
        k: int >= 1, activations kept per example on average.
        decay: float in [0, 1), of the running threshold. Default: 0.99.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, units), linear pre-activations.

    Output shape:
        dict with "z": (batch, units) >= 0; "h": the pre-activations.

    Raises:
        ValueError: if `k` is not >= 1 or more than there are units, or `decay` is not in [0, 1).
        TypeError: if `k` is not an integer.

    Reference:
        Bussmann, Leask & Nanda 2024, BatchTopK Sparse Autoencoders, arXiv:2412.06410.

    Example:

    >>> import numpy as np, keras_vae
    >>> h = np.array([[3.0, 1.0], [4.0, 5.0]], "float32")
    >>> np.asarray(keras_vae.BatchTopK(1)(h, training=True)["z"]).tolist()
    [[0.0, 0.0], [4.0, 5.0]]
    """

    def __init__(self, k, decay=0.99, **kwargs):
        super().__init__(**kwargs)
        self.k = integer("k", k)
        self.decay = in_half_open_interval("decay", decay, 0.0, 1.0)
        self.threshold, self.seen = (
            self.add_weight(shape=(), initializer="zeros", trainable=False, autocast=False, dtype="float32", name=name)
            for name in ("threshold", "seen")
        )

    def build(self, input_shape):
        if self.k > input_shape[-1]:
            raise ValueError(f"`k` must be at most the number of units, {input_shape[-1]}. Received: k={self.k}.")

    def call(self, h, training=False):
        if training:
            kept = batch_top_k_mask(h, self.k)
        else:
            kept = float32(h) >= ops.convert_to_tensor(self.threshold)
        return {"z": ops.where(kept, ops.relu(h), ops.zeros_like(h)), "h": h}

    def update(self, outputs):
        """Moves the threshold by one training batch, whose examples of weight zero are left out; the first sets it."""
        z = float32(outputs["z"])
        if "sample_weight" in outputs:
            z = ops.where(outputs["sample_weight"][:, None] > 0, z, 0.0)
        smallest = ops.min(ops.where(z > 0, z, float("inf")))
        smallest = ops.where(smallest < float("inf"), smallest, 0.0)
        _, replicas = _backend.replica()
        smallest = _backend.cross_replica_sum(smallest) / replicas
        threshold, seen = (ops.convert_to_tensor(weight) for weight in (self.threshold, self.seen))
        share = ops.where(seen > 0, 1.0 - self.decay, 1.0)
        self.threshold.assign(threshold + share * (smallest - threshold))
        self.seen.assign(ops.ones_like(seen))

    def posterior(self, outputs):
        return Deterministic(outputs["z"])
