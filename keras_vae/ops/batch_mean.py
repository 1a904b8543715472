"""The mean over a batch, for penalties that are numbers of the batch and not of each example."""

from keras import ops

from keras_vae import _backend
from keras_vae.ops.numerics import float32, straight_through

TINY = 1e-30  # weights that are all zero: nothing is divided by zero


def batch_mean(values, weights=None):
    """The mean over the batch, over all replicas; its gradient is that of this replica's share.

    Args:
        values: float tensor (batch, ...).
        weights: float tensor (batch,), how much each example counts, or None for all alike. Default: None.

    Returns:
        Float32 tensor (...).

    Example:

    >>> import numpy as np
    >>> from keras_vae.ops import batch_mean
    >>> values, weights = np.array([[1.0, 2.0], [3.0, 8.0]], "float32"), np.array([3.0, 1.0], "float32")
    >>> np.asarray(batch_mean(values)).tolist(), np.asarray(batch_mean(values, weights)).tolist()
    ([2.0, 5.0], [1.5, 3.5])
    """
    values = float32(ops.convert_to_tensor(values))
    if weights is None:
        count, mean = ops.ones(()), ops.mean(values, axis=0)
    else:
        count = ops.sum(weights)
        each = ops.reshape(weights, (-1, *(1,) * (len(values.shape) - 1)))
        mean = ops.sum(each * values, axis=0) / ops.maximum(count, TINY)
    return mean_of_replicas(mean, count)


def mean_of_replicas(mean, count):
    """The mean over all replicas of what each has the mean of; its gradient is that of this replica's share.

    Args:
        mean: float32 tensor, of this replica.
        count: float32 scalar, of how many examples it is, or the sum of their weights.

    Returns:
        Float32 tensor of the shape of `mean`.

    Example:

    >>> import keras
    >>> from keras_vae.ops.batch_mean import mean_of_replicas
    >>> float(mean_of_replicas(keras.ops.ones(()) * 2.0, keras.ops.ones(())))
    2.0
    """
    if _backend.replica()[1] == 1:
        return mean
    whole = _backend.cross_replica_sum(mean * count) / ops.maximum(_backend.cross_replica_sum(count), TINY)
    return straight_through(mean, whole)
