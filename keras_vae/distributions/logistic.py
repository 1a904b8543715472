"""The logistic distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.location_scale import LocationScale


@family
class Logistic(LocationScale):
    """Independent logistic variables with the CDF sigmoid((z - loc) / scale): a normal's shape, with heavier tails.

    Args:
        loc: float tensor of shape (batch, ...), mean, median and mode.
        scale: float, or float tensor > 0 that broadcasts to `loc`; the standard deviation is pi / sqrt(3) scale.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Logistic
    >>> q = Logistic(np.zeros((1, 1), "float32"), 1.0)
    >>> round(float(q.log_prob(np.zeros((1, 1), "float32"))[0]), 4)  # log(1/4)
    -1.3863
    """

    standard_variance, standard_entropy = math.pi**2 / 3.0, 2.0

    def __init__(self, loc, scale):
        super().__init__(loc, scale)

    def standard_quantile(self, p):
        return ops.log(p) - ops.log1p(-p)

    def standard_log_density(self, y):
        return -ops.softplus(y) - ops.softplus(-y)
