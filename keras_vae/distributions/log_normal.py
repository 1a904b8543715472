"""The log-normal distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.independent import Independent
from keras_vae.distributions.parameter import REAL, between
from keras_vae.ops.gamma import LOG_LEAST
from keras_vae.ops.special import HALF_LOG_2_PI


@family
class LogNormal(Independent):
    """Independent positive variables whose logarithm is normal: z = exp(loc + scale * n).

    Draws are held in 1e-30 to 1e30; a network predicts scales up to 10, for the mean of a larger one is soon beyond
    float32.

    Args:
        loc: float tensor of shape (batch, ...), the mean of log z.
        scale: float, or float tensor > 0 that broadcasts to `loc`, the standard deviation of log z.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import LogNormal
    >>> q = LogNormal(np.zeros((1, 1), "float32"), 1.0)
    >>> round(float(q.log_prob(np.ones((1, 1), "float32"))[0]), 4)  # -log(2 pi) / 2
    -0.9189
    """

    parameters = {"loc": REAL, "scale": between(math.exp(-10.0), 10.0)}
    support = (0.0, math.inf)
    noise = "normal"

    def __init__(self, loc, scale):
        super().__init__(loc=loc, scale=scale)

    def sample_from(self, noise):
        return ops.exp(ops.clip(self.loc + self.scale * ops.cast(noise, "float32"), LOG_LEAST, -LOG_LEAST))

    def log_density(self, value):
        log_z = ops.log(value)
        return -0.5 * ops.square((log_z - self.loc) / self.scale) - log_z - ops.log(self.scale) - HALF_LOG_2_PI

    def entropy_of_each(self):
        return self.loc + ops.log(self.scale) + 0.5 + HALF_LOG_2_PI

    @property
    def mean(self):
        return ops.exp(self.loc + 0.5 * ops.square(self.scale))

    @property
    def variance(self):
        return ops.square(self.mean) * ops.expm1(ops.square(self.scale))

    @property
    def mode(self):
        return ops.exp(self.loc - ops.square(self.scale))
