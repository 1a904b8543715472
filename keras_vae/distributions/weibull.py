"""The Weibull distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.inverse_cdf import InverseCDF
from keras_vae.distributions.parameter import POSITIVE, between
from keras_vae.ops.gamma import LOG_LEAST
from keras_vae.ops.special import EULER, lgamma


@family
class Weibull(InverseCDF):
    """Independent Weibull variables with the CDF 1 - exp(-(z / scale)^concentration) for z > 0.

    Near to a Gamma, with draws in one step, and with a closed divergence from one (Zhang et al. 2018,
    arXiv:1803.01328). Draws are held in 1e-30 to 1e30 times the scale; a network predicts concentrations from 0.1, for
    the mean of a smaller one is soon beyond float32.

    Args:
        concentration: float tensor > 0 of shape (batch, ...); 1 is an exponential.
        scale: float, or float tensor > 0 that broadcasts to `concentration`.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Weibull
    >>> one = np.ones((1, 1), "float32")
    >>> round(float(Weibull(one, 1.0).log_prob(one)[0]), 4)
    -1.0
    """

    parameters = {"concentration": between(0.1, 1e4), "scale": POSITIVE}
    support = (0.0, math.inf)

    def __init__(self, concentration, scale):
        super().__init__(concentration=concentration, scale=scale)

    def quantile(self, p):
        log_y = ops.log(-ops.log1p(-p)) / self.concentration
        return self.scale * ops.exp(ops.clip(log_y, LOG_LEAST, -LOG_LEAST))

    def log_density(self, value):
        k, inverse = self.concentration, 1.0 / self.scale  # no quotient, whose gradient overflows where a draw is tiny
        excess = (value - self.scale) * inverse
        near = ops.abs(excess) < 0.5  # where, times a large k, the digits of the logarithm matter
        log_y = ops.where(near, ops.log1p(ops.where(near, excess, 0.0)), ops.log(value * inverse))
        return ops.log(k / self.scale) + (k - 1.0) * log_y - ops.exp(ops.minimum(k * log_y, 80.0))

    def entropy_of_each(self):
        k = self.concentration
        return EULER * (1.0 - 1.0 / k) + ops.log(self.scale / k) + 1.0

    @property
    def mean(self):
        return self.scale * ops.exp(lgamma(1.0 + 1.0 / self.concentration))

    @property
    def variance(self):
        first, second = (lgamma(1.0 + i / self.concentration) for i in (1.0, 2.0))
        # The variance of the logarithm is small for large concentrations: its exponential less one keeps the digits.
        return ops.square(self.scale) * ops.exp(2.0 * first) * ops.expm1(second - 2.0 * first)

    @property
    def mode(self):
        k = self.concentration
        inside = k > 1.0
        safe = ops.where(inside, k, 2.0)
        return self.scale * ops.where(inside, ops.exp(ops.log1p(-1.0 / safe) / safe), 0.0)
