"""The F distribution."""

import math

from keras import ops

from keras_vae.distributions.beta import log_beta_ratio
from keras_vae.distributions.families import family
from keras_vae.distributions.independent import Independent
from keras_vae.distributions.parameter import CONCENTRATION, between
from keras_vae.ops.gamma import LOG_LEAST, gamma_draw, gamma_noise
from keras_vae.ops.special import dirichlet_entropy, stirling_slope


@family
class F(Independent):
    """Independent ratios (X / d1) / (Y / d2) of chi-squared variables X and Y of d1 and d2 degrees of freedom.

    Draws are held in 1e-30 to 1e30. A network predicts d2 > 4, so that mean and variance exist.

    Args:
        d1: float tensor > 0 of shape (batch, ...).
        d2: float, or float tensor > 0 that broadcasts to `d1`. The mean, d2 / (d2 - 2), is infinite up to two, the
            variance up to four.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import F
    >>> one = np.ones((1, 1), "float32")
    >>> round(float(F(2 * one, 2.0).log_prob(one)[0]), 4)  # p(z) = 1 / (1 + z)^2
    -1.3863
    """

    parameters = {"d1": CONCENTRATION, "d2": between(1e-3, 1e4, least=4.0)}
    support = (0.0, math.inf)

    def __init__(self, d1, d2):
        super().__init__(d1=d1, d2=d2)

    def noise_spec(self, shape):
        return {"above": gamma_noise(shape), "below": gamma_noise(shape)}

    def sample_from(self, noise):
        above, below = gamma_draw(0.5 * self.d1, noise["above"])[1], gamma_draw(0.5 * self.d2, noise["below"])[1]
        log_z = above - below + ops.log(self.d2) - ops.log(self.d1)
        return ops.exp(ops.clip(log_z, LOG_LEAST, -LOG_LEAST))

    def log_density(self, value):
        # x = d1 z / (d1 z + d2) is a Beta of d1 / 2 and d2 / 2, and z p(z) = x (1 - x) p(x)
        total, both = self.d1 * value + self.d2, self.d1 + self.d2
        ratios = value * both / total, both / total
        excess = self.d2 * (value - 1.0) / total, self.d1 * (1.0 - value) / total
        return log_beta_ratio(0.5 * self.d1, 0.5 * self.d2, ratios, excess) - ops.log(value)

    def entropy_of_each(self):
        a, b = 0.5 * self.d1, 0.5 * self.d2
        total = a + b
        # of the Beta, and E log dz/dx = log(d2 / d1) - 2 E log(1 - x)
        change = ops.log(b / total) - 0.5 / b + 0.5 / total + stirling_slope(b) - stirling_slope(total)
        return dirichlet_entropy(ops.stack([a, b], axis=-1)) + ops.log(self.d2 / self.d1) - 2.0 * change

    @property
    def mean(self):
        exists = self.d2 > 2.0
        return ops.where(exists, self.d2 / (ops.where(exists, self.d2, 3.0) - 2.0), math.inf)

    @property
    def variance(self):
        exists = self.d2 > 4.0
        d1, d2 = self.d1, ops.where(exists, self.d2, 5.0)
        variance = 2.0 * ops.square(d2 / (d2 - 2.0)) * (d1 + d2 - 2.0) / (d1 * (d2 - 4.0))
        return ops.where(exists, variance, math.inf)

    @property
    def mode(self):
        return ops.maximum(self.d1 - 2.0, 0.0) / self.d1 * self.d2 / (self.d2 + 2.0)
