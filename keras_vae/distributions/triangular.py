"""The triangular distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.location_scale import LocationScale
from keras_vae.distributions.parameter import FRACTION, POSITIVE, REAL


@family
class Triangular(LocationScale):
    """Independent triangular variables on [loc, loc + scale], whose density rises to loc + peak * scale and falls.

    Args:
        loc: float tensor of shape (batch, ...), the lower end.
        scale: float, or float tensor > 0 that broadcasts to `loc`, the width.
        peak: float, or float tensor in (0, 1) that broadcasts to `loc`: where the mode lies on the way.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Triangular
    >>> q = Triangular(np.zeros((1, 1), "float32"), 2.0, 0.5)
    >>> round(float(q.log_prob(np.ones((1, 1), "float32"))[0]), 4)  # as high as it is half wide
    0.0
    """

    parameters = {"loc": REAL, "scale": POSITIVE, "peak": FRACTION}
    standard_support = (0.0, 1.0)
    standard_entropy = 0.5 - math.log(2.0)

    def __init__(self, loc, scale, peak):
        super().__init__(loc, scale, peak=peak)

    def standard_quantile(self, p):
        rising = p < self.peak
        mass = ops.where(rising, p * self.peak, (1.0 - p) * (1.0 - self.peak))
        return ops.where(rising, ops.sqrt(mass), 1.0 - ops.sqrt(mass))

    def standard_log_density(self, y):
        rising = y < self.peak
        return ops.log(2.0 * ops.where(rising, y / self.peak, (1.0 - y) / (1.0 - self.peak)))

    @property
    def standard_mean(self):
        return (1.0 + self.peak) / 3.0

    @property
    def standard_variance(self):
        return (1.0 - self.peak * (1.0 - self.peak)) / 18.0

    @property
    def standard_mode(self):
        return self.peak
