"""The share of variance that reconstructions explain."""

import keras
from keras import ops

from keras_vae import _backend
from keras_vae.core.registration import registered
from keras_vae.metrics.arrays import same_shape
from keras_vae.ops.numerics import compensated_sum, flat, float32


@registered
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
        self.sums = {name: self._sum(name, ()) for name in ("error", "count", "squares")}
        self.shift = None  # of each dimension, like the sums of x: made when the first batch tells how many there are

    def _sum(self, name, shape):
        return [self.add_variable(shape, "zeros", name=part) for part in (name, f"{name}_lost")]

    def update_state(self, y_true, y_pred, sample_weight=None):
        x, guess = (float32(flat(part)) for part in same_shape(y_true, y_pred))
        if self.shift is None:
            self.shift = self.add_variable((x.shape[-1],), "zeros", name="shift")
            self.sums["x"] = self._sum("x", (x.shape[-1],))
        # About the mean of the first batch, the same on all replicas: squares of large offsets would lose their digits.
        _, replicas = _backend.replica()
        mean = _backend.cross_replica_sum(ops.mean(x, axis=0)) / replicas
        shift = ops.where(ops.convert_to_tensor(self.sums["count"][0]) > 0, ops.convert_to_tensor(self.shift), mean)
        self.shift.assign(shift)
        x, guess = x - shift, guess - shift
        weight = ops.ones_like(x[:, 0])
        if sample_weight is not None:
            weight = ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
        summands = {
            "error": ops.sum(weight * ops.sum(ops.square(x - guess), axis=-1)),
            "count": ops.sum(weight),
            "squares": ops.sum(weight * ops.sum(ops.square(x), axis=-1)),
            "x": ops.sum(weight[:, None] * x, axis=0),
        }
        for name, more in summands.items():
            pair = self.sums[name]
            values = compensated_sum(*(ops.convert_to_tensor(variable) for variable in pair), more)
            for variable, value in zip(pair, values, strict=True):
                variable.assign(value)

    def result(self):
        if self.shift is None:
            return ops.zeros(())
        error, count, squares, sums = (
            ops.convert_to_tensor(self.sums[n][0]) for n in ("error", "count", "squares", "x")
        )
        variance = squares - ops.sum(ops.square(sums / ops.sqrt(ops.maximum(count, 1e-12))))
        varies = variance > 1e-6 * squares  # the rounding of the difference
        return ops.where(varies, 1.0 - error / ops.where(varies, variance, 1.0), 0.0)
