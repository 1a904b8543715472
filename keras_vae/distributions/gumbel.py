"""The Gumbel distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.location_scale import LocationScale
from keras_vae.ops.special import EULER


@family
class Gumbel(LocationScale):
    """Independent Gumbel variables, of maxima, with the CDF exp(-exp(-(z - loc) / scale)).

    Args:
        loc: float tensor of shape (batch, ...), the mode.
        scale: float, or float tensor > 0 that broadcasts to `loc`; the standard deviation is pi / sqrt(6) scale.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Gumbel
    >>> q = Gumbel(np.zeros((1, 1), "float32"), 1.0)
    >>> round(float(q.log_prob(np.zeros((1, 1), "float32"))[0]), 4)
    -1.0
    """

    standard_mean, standard_variance, standard_entropy = EULER, math.pi**2 / 6.0, 1.0 + EULER

    def __init__(self, loc, scale):
        super().__init__(loc, scale)

    def standard_quantile(self, p):
        return -ops.log(-ops.log(p))

    def standard_log_density(self, y):
        return -y - ops.exp(ops.minimum(-y, 80.0))  # beyond, the density is zero in any precision
