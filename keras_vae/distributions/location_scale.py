"""The abstract location-scale family."""

import math

from keras import ops

from keras_vae.distributions.inverse_cdf import InverseCDF
from keras_vae.distributions.parameter import POSITIVE, REAL


class LocationScale(InverseCDF):
    """Abstract: z = loc + scale * e, with e of a standard distribution, independent in each dimension.

    log p(z) = log p_e((z - loc) / scale) - log scale. A family says what is standard: `standard_quantile`,
    `standard_log_density`, and the numbers `standard_mean`, `standard_variance`, `standard_mode` and
    `standard_entropy`.

    Args:
        loc: float tensor of shape (batch, ...).
        scale: float, or float tensor > 0 that broadcasts to `loc`.
        **others: further parameters of the family, which broadcast to `loc`.
    """

    parameters = {"loc": REAL, "scale": POSITIVE}
    standard_support = (-math.inf, math.inf)
    standard_mean = standard_mode = 0.0

    def __init__(self, loc, scale, **others):
        super().__init__(loc=loc, scale=scale, **others)

    def standard_quantile(self, p):
        """The quantile function at loc = 0 and scale = 1."""
        raise self._missing("quantile")

    def standard_log_density(self, y):
        """The log-density at loc = 0 and scale = 1."""
        raise self._missing("log_prob")

    def quantile(self, p):
        return self.loc + self.scale * self.standard_quantile(p)

    def log_density(self, value):
        y = (value - self.loc) / self.scale
        low, high = self.standard_support
        if not math.isfinite(high - low):
            return self.standard_log_density(y) - ops.log(self.scale)
        # A draw near an edge may be rounded to a number outside, by half a digit of what was added up.
        rounding = 2.0**-22 * (ops.abs(value) + ops.abs(self.loc)) / self.scale
        inside = ops.logical_and(y >= low - rounding, y <= high + rounding)
        within = ops.clip(y, low + 2.0**-25, high - 2.0**-24)
        return ops.where(inside, self.standard_log_density(within) - ops.log(self.scale), -math.inf)

    def entropy_of_each(self):
        return self.standard_entropy + ops.log(self.scale)

    @property
    def mean(self):
        return self.loc + self.scale * self.standard_mean

    @property
    def variance(self):
        return ops.square(self.scale) * self.standard_variance

    @property
    def mode(self):
        return self.loc + self.scale * self.standard_mode
