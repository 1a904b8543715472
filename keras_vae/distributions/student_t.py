"""Student's t distribution."""

import math

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.location_scale import LocationScale
from keras_vae.distributions.parameter import POSITIVE, REAL, between
from keras_vae.ops.noise import Noise, open_uniform
from keras_vae.ops.special import HALF_LOG_2_PI, log_gamma_ratio, stirling_slope

DEGREES = between(1e-3, 1e4, least=2.0)  # as a network predicts them: the variance is finite


@family
class StudentT(LocationScale):
    """Independent Student-t variables, p(z) ~ (1 + y^2 / df)^(-(df + 1) / 2) / scale with y = (z - loc) / scale.

    Draws are Bailey's polar ones: sqrt(df (u^(-2 / df) - 1)) cos(2 pi v) of two uniforms u and v, which is the method
    of Box & Muller for df -> infinity, and a differentiable function of df. A network predicts df > 2.

    Args:
        loc: float tensor of shape (batch, ...), median and mode; the mean where df > 1, else there is none (NaN).
        scale: float, or float tensor > 0 that broadcasts to `loc`.
        df: float, or float tensor > 0 that broadcasts to `loc`, degrees of freedom; 1 is a Cauchy.

    Reference:
        Bailey 1994, Polar generation of random variates with the t-distribution, Mathematics of Computation 62:779.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import StudentT
    >>> q = StudentT(np.zeros((1, 1), "float32"), 1.0, df=1.0)
    >>> round(float(q.log_prob(np.zeros((1, 1), "float32"))[0]), 4)  # -log(pi)
    -1.1447
    """

    parameters = {"loc": REAL, "scale": POSITIVE, "df": DEGREES}

    def __init__(self, loc, scale, df):
        super().__init__(loc, scale, df=df)

    def noise_spec(self, shape):
        return {"radius": Noise("uniform", shape), "angle": Noise("uniform", shape)}

    def sample_from(self, noise):
        exponent = -2.0 * ops.log(open_uniform(noise["radius"])) / self.df
        radius = ops.sqrt(self.df * ops.expm1(ops.minimum(exponent, 80.0)))  # at most 5e17, below df = 0.4 only
        angle = 2.0 * math.pi * ops.cast(noise["angle"], "float32")
        return self.loc + self.scale * radius * ops.cos(angle)

    def standard_log_density(self, y):
        tail = 0.5 * (self.df + 1.0) * ops.log1p(ops.square(y) / self.df)
        return log_gamma_ratio(0.5 * self.df, 0.5) - HALF_LOG_2_PI - tail

    @property
    def standard_entropy(self):
        return student_entropy(self.df, 1)

    @property
    def mean(self):
        return ops.where(self.df > 1.0, self.loc, math.nan)

    @property
    def standard_variance(self):
        finite = self.df > 2.0
        variance = self.df / (ops.where(finite, self.df, 3.0) - 2.0)
        return ops.where(finite, variance, ops.where(self.df > 1.0, math.inf, math.nan))


def student_entropy(df, d):
    """The entropy of a t distribution of `df` degrees in d dimensions, its scale being one."""
    h, k = 0.5 * df, 0.5 * d
    # digamma(h + k) - digamma(h), in which what is large has cancelled
    change = ops.log1p(k / h) - 0.5 / (h + k) + 0.5 / h + stirling_slope(h + k) - stirling_slope(h)
    return d * HALF_LOG_2_PI - log_gamma_ratio(h, k) + (h + k) * change
