"""Weighted populations made into plain ones."""

from keras import ops


def resampled(log_weights, uniform):
    """Which members a weighted population consists of once its weights are gone: systematic resampling.

    A member with the share v of the weight of all n comes floor(n v) or ceil(n v) times, n v times on average; where
    weights are equal each comes once, and nothing is lost.

    Args:
        log_weights: float tensor (members,), up to a constant.
        uniform: scalar tensor in [0, 1).

    Returns:
        int32 tensor (members,), ascending.

    Reference:
        Kitagawa 1996, Monte Carlo filter and smoother for non-Gaussian nonlinear state space models.

    Example:

    >>> import numpy as np
    >>> from keras_vae.ops import resampled
    >>> np.asarray(resampled(np.log(np.array([0.5, 0.01, 0.25, 0.24], "float32")), 0.5)).tolist()
    [0, 0, 2, 3]
    """
    log_weights = ops.convert_to_tensor(log_weights)
    members = log_weights.shape[0]
    places = (ops.arange(members, dtype="float32") + uniform) / members
    ends = ops.cumsum(ops.softmax(log_weights, axis=-1))
    found = ops.cast(ops.searchsorted(ends, places, side="right"), "int32")
    return ops.minimum(found, members - 1)  # rounding may leave the last end under one
