"""The Kumaraswamy distribution."""

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.inverse_cdf import InverseCDF
from keras_vae.distributions.parameter import CONCENTRATION
from keras_vae.ops.gamma import LOG_LEAST
from keras_vae.ops.special import EULER, digamma, log_beta

LARGEST = 1.0 - 2.0**-24  # the number before one


@family
class Kumaraswamy(InverseCDF):
    """Independent variables in (0, 1) with the CDF 1 - (1 - z^a)^b: near to a Beta, with draws in one step.

    Args:
        a: float tensor > 0 of shape (batch, ...).
        b: float, or float tensor > 0 that broadcasts to `a`.

    Reference:
        Kumaraswamy 1980, A generalized probability density function for double-bounded random processes, Journal of
        Hydrology 46:79. Nalisnick & Smyth 2017, arXiv:1605.06197.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Kumaraswamy
    >>> one = np.ones((1, 1), "float32")
    >>> float(Kumaraswamy(one, 1.0).log_prob(0.3 * one)[0])  # uniform
    0.0
    """

    parameters = {"a": CONCENTRATION, "b": CONCENTRATION}
    support = (0.0, 1.0)

    def __init__(self, a, b):
        super().__init__(a=a, b=b)

    def quantile(self, p):
        log_z = ops.log(-ops.expm1(ops.log1p(-p) / self.b)) / self.a
        return ops.minimum(ops.exp(ops.maximum(log_z, LOG_LEAST)), LARGEST)

    def log_density(self, value):
        log_z = ops.log(value)
        rest = ops.log(-ops.expm1(self.a * log_z))
        return ops.log(self.a) + ops.log(self.b) + (self.a - 1.0) * log_z + (self.b - 1.0) * rest

    def entropy_of_each(self):
        harmonic = digamma(self.b + 1.0) + EULER
        return 1.0 - 1.0 / self.b + (1.0 - 1.0 / self.a) * harmonic - ops.log(self.a) - ops.log(self.b)

    @property
    def mean(self):
        return ops.exp(self._log_moment(1.0))

    @property
    def variance(self):
        first, second = self._log_moment(1.0), self._log_moment(2.0)
        return ops.exp(2.0 * first) * ops.expm1(second - 2.0 * first)

    @property
    def mode(self):
        """Where a, b <= 1 the end with the higher density; where both are 1, the middle."""
        a, b = self.a, self.b
        inside = ops.logical_and(ops.logical_and(a >= 1.0, b >= 1.0), a * b > 1.0)
        safe_a, safe_b = ops.where(inside, a, 2.0), ops.where(inside, b, 2.0)
        peak = ops.exp((ops.log(safe_a - 1.0) - ops.log(safe_a * safe_b - 1.0)) / safe_a)
        edge = ops.where(a < b, 0.0, ops.where(a > b, 1.0, 0.5))
        return ops.where(inside, peak, edge)

    def _log_moment(self, n):
        """log E z^n = log(b B(1 + n / a, b))."""
        return ops.log(self.b) + log_beta(1.0 + n / self.a, self.b)
