"""The Laplace distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.location_scale import LocationScale


@family
class Laplace(LocationScale):
    """Independent Laplace variables, p(z) = exp(-|z - loc| / scale) / (2 scale): sparser than a normal.

    Args:
        loc: float tensor of shape (batch, ...), mean, median and mode.
        scale: float, or float tensor > 0 that broadcasts to `loc`; the standard deviation is sqrt(2) scale.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Laplace
    >>> q = Laplace(np.zeros((1, 2), "float32"), 1.0)
    >>> round(float(q.log_prob(np.zeros((1, 2), "float32"))[0]), 4)  # -2 log(2)
    -1.3863
    """

    standard_variance, standard_entropy = 2.0, 1.0 + math.log(2.0)

    def __init__(self, loc, scale):
        super().__init__(loc, scale)

    def standard_quantile(self, p):
        return -ops.sign(p - 0.5) * ops.log(2.0 * ops.minimum(p, 1.0 - p))

    def standard_log_density(self, y):
        return -ops.abs(y) - math.log(2.0)
