"""The Gamma distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.independent import Independent
from keras_vae.distributions.parameter import CONCENTRATION, POSITIVE
from keras_vae.ops.gamma import gamma_draw, gamma_noise
from keras_vae.ops.special import HALF_LOG_2_PI, gamma_entropy_share, log_excess, stirling


@family
class Gamma(Independent):
    """Independent Gamma variables, p(z) ~ z^(concentration - 1) exp(-z / scale) for z > 0.

    Draws are those of Marsaglia & Tsang with the implicit gradient (Figurnov et al. 2018, arXiv:1805.08498), no less
    than 1e-30 times the scale. The mode is zero for concentrations up to one.

    Args:
        concentration: float tensor > 0 of shape (batch, ...), the shape parameter; 1 is an exponential.
        scale: float, or float tensor > 0 that broadcasts to `concentration`.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Gamma
    >>> one = np.ones((1, 1), "float32")
    >>> round(float(Gamma(one, 1.0).log_prob(one)[0]), 4)
    -1.0
    """

    parameters = {"concentration": CONCENTRATION, "scale": POSITIVE}
    support = (0.0, math.inf)

    def __init__(self, concentration, scale):
        super().__init__(concentration=concentration, scale=scale)

    def noise_spec(self, shape):
        return gamma_noise(shape)

    def sample_from(self, noise):
        return self.scale * gamma_draw(self.concentration, noise)[0]

    def log_density(self, value):
        # a [log r - (r - 1)] with r = z / mean, and Stirling's formula: of large a nothing cancels
        a = self.concentration
        start = 0.5 * ops.log(a) - HALF_LOG_2_PI - stirling(a) - ops.log(value)
        # Times the inverse: the gradient of a quotient squares the divisor, and overflows where a draw is tiny.
        return start + a * log_excess(value * (1.0 / (self.scale * a)))

    def entropy_of_each(self):
        return HALF_LOG_2_PI + gamma_entropy_share(self.concentration) + ops.log(self.scale)

    @property
    def mean(self):
        return self.concentration * self.scale

    @property
    def variance(self):
        return self.concentration * ops.square(self.scale)

    @property
    def mode(self):
        return ops.maximum(self.concentration - 1.0, 0.0) * self.scale
