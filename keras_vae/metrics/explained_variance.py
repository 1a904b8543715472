"""The share of variance that reconstructions explain."""

import keras
from keras import ops

from keras_vae import _backend
from keras_vae.metrics.arrays import same_shape
from keras_vae.ops.numerics import flat, float32
from keras_vae.ops.registration import export


@export
class ExplainedVariance(keras.metrics.Metric):
    """1 - sum ||x - x^||^2 / sum ||x - mean(x)||^2 over all examples of an epoch: 1 is perfect, 0 is the mean of x.
    Where x does not vary at all it is 0.

    Sums of the whole epoch are kept, not means of batches. With `sample_weight` every sum is weighted.

    Args:
        name: str. Default: "explained_variance".
        dtype: as of keras.metrics.Metric. Default: None.

    Example:

    >>> import numpy as np, keras_vae
    >>> metric = keras_vae.metrics.ExplainedVariance()
    >>> x = np.array([[0.0], [2.0]], "float32")
    >>> metric.update_state(x, np.array([[0.5], [1.5]], "float32"))
    >>> float(metric.result())  # 1 - 0.5 / 2
    0.75
    """

    def __init__(self, name="explained_variance", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.error = self.add_variable((), "zeros", name="error")
        self.count = self.add_variable((), "zeros", name="count")
        self.squares = self.add_variable((), "zeros", name="squares")
        self.shift = self.sums = None  # of each dimension: made when the first batch tells how many there are

    def update_state(self, y_true, y_pred, sample_weight=None):
        x, guess = (float32(flat(part)) for part in same_shape(y_true, y_pred))
        if self.sums is None:
            self.sums = self.add_variable((x.shape[-1],), "zeros", name="sums")
            self.shift = self.add_variable((x.shape[-1],), "zeros", name="shift")
        # About the mean of the first batch, the same on all replicas: squares of large offsets would lose their digits.
        _, replicas = _backend.replica()
        mean = _backend.cross_replica_sum(ops.mean(x, axis=0)) / replicas
        shift = ops.where(ops.convert_to_tensor(self.count) > 0, ops.convert_to_tensor(self.shift), mean)
        self.shift.assign(shift)
        x, guess = x - shift, guess - shift
        weight = ops.ones_like(x[:, 0])
        if sample_weight is not None:
            weight = ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        self.error.assign_add(ops.sum(weight * ops.sum(ops.square(x - guess), axis=-1)))
        self.count.assign_add(ops.sum(weight))
        self.squares.assign_add(ops.sum(weight * ops.sum(ops.square(x), axis=-1)))
        self.sums.assign_add(ops.sum(weight[:, None] * x, axis=0))

    def result(self):
        if self.sums is None:
            return ops.zeros(())
        variance = self.squares - ops.sum(ops.square(self.sums)) / ops.maximum(self.count, 1e-12)
        return ops.where(variance > 1e-12, 1.0 - self.error / ops.maximum(variance, 1e-12), 0.0)
