"""How far the parameters of a normal distribution are from those of the standard normal."""

from keras import ops

from keras_vae.ops.numerics import sum_event


def parameter_distance(mean, stddev):
    """sum_d mean_d^2 + (stddev_d - 1)^2: the squared distance of (mean, stddev) from (0, 1); no divergence.

    Near the standard normal the rate is sum_d mean_d^2 / 2 + (stddev_d - 1)^2, much the same; but the distance of a
    standard deviation of zero is one, and its rate infinite.

    Args:
        mean: float tensor (batch, ...).
        stddev: float tensor of the same shape, the standard deviation: texts call it var too.

    Returns:
        A tensor (batch,).

    Example:

    >>> import numpy as np
    >>> from keras_vae.losses import parameter_distance
    >>> float(parameter_distance(np.array([[3.0, 0.0]], "float32"), np.array([[1.0, 3.0]], "float32"))[0])
    13.0
    """
    return sum_event(ops.square(mean) + ops.square(stddev - 1.0))
