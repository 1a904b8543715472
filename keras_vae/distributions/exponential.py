"""The exponential distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.inverse_cdf import InverseCDF
from keras_vae.distributions.parameter import POSITIVE


@family
class Exponential(InverseCDF):
    """Independent exponential variables, p(z) = exp(-z / scale) / scale for z >= 0; the mode is zero.

    Args:
        scale: float tensor > 0 of shape (batch, ...), the mean.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Exponential
    >>> round(float(Exponential(np.ones((1, 1), "float32")).log_prob(np.ones((1, 1), "float32"))[0]), 4)
    -1.0
    """

    parameters = {"scale": POSITIVE}
    support, open_ends = (0.0, math.inf), False

    def __init__(self, scale):
        super().__init__(scale=scale)

    def quantile(self, p):
        return -self.scale * ops.log1p(-p)

    def log_density(self, value):
        return -value / self.scale - ops.log(self.scale)

    def entropy_of_each(self):
        return 1.0 + ops.log(self.scale)

    @property
    def mean(self):
        return self.scale

    @property
    def variance(self):
        return ops.square(self.scale)

    @property
    def mode(self):
        return ops.zeros_like(self.scale)

    @property
    def concentration(self):
        """One: it is a Gamma of that concentration."""
        return ops.ones_like(self.scale)
