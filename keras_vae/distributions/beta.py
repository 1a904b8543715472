"""The Beta distribution."""

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.independent import Independent
from keras_vae.distributions.parameter import CONCENTRATION
from keras_vae.ops.gamma import LEAST, gamma_draw, gamma_noise
from keras_vae.ops.special import HALF_LOG_2_PI, dirichlet_entropy, log_excess, stirling

LARGEST = 1.0 - 2.0**-24  # the number before one


@family
class Beta(Independent):
    """Independent Beta variables, p(z) ~ z^(a - 1) (1 - z)^(b - 1) for z in (0, 1).

    Drawn as g / (g + h) of two Gamma variables, whose gradient is implicit (Figurnov et al. 2018, arXiv:1805.08498).

    Args:
        a: float tensor > 0 of shape (batch, ...).
        b: float, or float tensor > 0 that broadcasts to `a`.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Beta
    >>> one = np.ones((1, 1), "float32")
    >>> round(float(Beta(2 * one, 1.0).log_prob(0.25 * one)[0]), 4)  # p(z) = 2 z: log 0.5
    -0.6931
    """

    parameters = {"a": CONCENTRATION, "b": CONCENTRATION}
    support = (0.0, 1.0)

    def __init__(self, a, b):
        super().__init__(a=a, b=b)

    def noise_spec(self, shape):
        return {"a": gamma_noise(shape), "b": gamma_noise(shape)}

    def sample_from(self, noise):
        log_ratio = gamma_draw(self.b, noise["b"])[1] - gamma_draw(self.a, noise["a"])[1]
        return ops.clip(ops.exp(-ops.softplus(log_ratio)), LEAST, LARGEST)

    def log_density(self, value):
        mean, rest = self.mean, self.b / (self.a + self.b)
        ratios = value / mean, (1.0 - value) / rest
        excess = (value - mean) / mean, (1.0 - value - rest) / rest
        return log_beta_ratio(self.a, self.b, ratios, excess) - ops.log(value) - ops.log1p(-value)

    def entropy_of_each(self):
        return dirichlet_entropy(ops.stack([self.a, self.b], axis=-1))

    @property
    def mean(self):
        return self.a / (self.a + self.b)

    @property
    def variance(self):
        total = self.a + self.b
        return self.a * self.b / (ops.square(total) * (total + 1.0))

    @property
    def mode(self):
        """Where a, b <= 1 the end with the higher density; where they are equal, the middle."""
        above = ops.maximum(self.a - 1.0, 0.0), ops.maximum(self.b - 1.0, 0.0)
        total = above[0] + above[1]
        edge = 0.5 * (1.0 + ops.sign(self.a - self.b))
        return ops.where(total > 0.0, above[0] / ops.where(total > 0.0, total, 1.0), edge)


def log_beta_ratio(a, b, ratios, excess):
    """log of z (1 - z) p(z), from z and 1 - z by their means, and what these exceed one by: nothing large cancels."""
    total = a + b
    start = 0.5 * (ops.log(a) + ops.log(b) - ops.log(total)) - HALF_LOG_2_PI
    start = start + stirling(total) - stirling(a) - stirling(b)
    return start + a * log_excess(ratios[0], excess[0]) + b * log_excess(ratios[1], excess[1])
