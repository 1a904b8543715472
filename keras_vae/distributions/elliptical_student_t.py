"""Student's t distribution with correlated dimensions."""

import math

from keras import ops

from keras_vae.distributions.elliptical import Elliptical
from keras_vae.distributions.families import family
from keras_vae.distributions.parameter import REAL, Parameter
from keras_vae.distributions.scales import scale_parameters
from keras_vae.distributions.student_t import DEGREES, student_entropy
from keras_vae.ops.gamma import gamma_draw, gamma_noise
from keras_vae.ops.special import HALF_LOG_2_PI, log_gamma_ratio

ONE_DEGREE = Parameter(lambda raw: DEGREES.link(raw)[..., 0], DEGREES.inside, size=lambda d: 1, shape=lambda d: ())


@family
class EllipticalStudentT(Elliptical):
    """Student-t vectors on the last axis, z = loc + S n sqrt(df / c) with normal n and c chi-squared of df degrees.

    All dimensions of a vector share c, and with it how far out they lie. A network predicts df > 2.

    Args:
        loc: float tensor of shape (batch, ..., d), mode, and mean where df > 1.
        df: float, or float tensor > 0 (batch, ...), degrees of freedom.
        scale_tril: float tensor (batch, ..., d, d), S, lower triangular with a positive diagonal, or None. Default:
            None.
        diagonal: float tensor > 0 (batch, ..., d), or None. Default: None.
        factor: float tensor (batch, ..., d, rank), or None: S S^T = diagonal^2 + factor factor^T. Default: None.

    Reference:
        Kotz & Nadarajah 2004, Multivariate t distributions and their applications, Cambridge University Press.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import EllipticalStudentT
    >>> q = EllipticalStudentT(np.zeros((1, 2), "float32"), 3.0, np.eye(2, dtype="float32")[None])
    >>> round(float(q.log_prob(np.zeros((1, 2), "float32"))[0]), 4)  # -log(2 pi)
    -1.8379
    """

    parameters = {"loc": REAL, "df": ONE_DEGREE, **scale_parameters(None)}

    def __init__(self, loc, df, scale_tril=None, diagonal=None, factor=None):
        super().__init__(loc, scale_tril, diagonal, factor, df=df)
        self.df = ops.broadcast_to(self.df, ops.shape(self.loc)[:-1])

    def noise_spec(self, shape):
        return {"direction": self.scale.noise_spec(shape), "radius": gamma_noise(shape[:-1])}

    def sample_from(self, noise):
        log_g = gamma_draw(0.5 * self.df, noise["radius"])[1]
        log_radius = 0.5 * (ops.log(0.5 * self.df) - log_g)
        radius = ops.exp(ops.minimum(log_radius, 40.0))
        return self.loc + ops.expand_dims(radius, -1) * self.scale.times(noise["direction"])

    def log_radial(self, square):
        d = self.loc.shape[-1]
        tail = 0.5 * (self.df + d) * ops.log1p(square / self.df)
        return log_gamma_ratio(0.5 * self.df, 0.5 * d) - d * HALF_LOG_2_PI - tail

    def radial_entropy(self):
        return student_entropy(self.df, self.loc.shape[-1])

    @property
    def mean(self):
        return ops.where(ops.expand_dims(self.df, -1) > 1.0, self.loc, math.nan)

    @property
    def spread(self):
        df = ops.expand_dims(self.df, -1)
        finite = df > 2.0
        spread = ops.where(finite, df, 3.0) / (ops.where(finite, df, 3.0) - 2.0)
        return ops.where(finite, spread, ops.where(df > 1.0, math.inf, math.nan))
