"""The Cauchy distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.location_scale import LocationScale


@family
class Cauchy(LocationScale):
    """Independent Cauchy variables, p(z) = 1 / (pi scale (1 + y^2)) with y = (z - loc) / scale.

    Neither a mean nor a variance exists: `mean` and `variance` raise TypeError, and a model's `encode` has the mode.

    Args:
        loc: float tensor of shape (batch, ...), median and mode.
        scale: float, or float tensor > 0 that broadcasts to `loc`; half of the mass is within it.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Cauchy
    >>> q = Cauchy(np.zeros((1, 1), "float32"), 1.0)
    >>> round(float(q.log_prob(np.zeros((1, 1), "float32"))[0]), 4)  # -log(pi)
    -1.1447
    """

    has_mean = False
    standard_entropy = math.log(4.0 * math.pi)

    def __init__(self, loc, scale):
        super().__init__(loc, scale)

    def standard_quantile(self, p):
        angle = math.pi * ops.minimum(p, 1.0 - p)  # from the nearer end, where the quantile keeps its digits
        return ops.sign(p - 0.5) * ops.cos(angle) / ops.sin(angle)

    def standard_log_density(self, y):
        return -math.log(math.pi) - ops.log1p(ops.square(y))

    @property
    def mean(self):
        raise self._missing("mean")

    @property
    def variance(self):
        raise self._missing("variance")
