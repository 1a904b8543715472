"""The closed forms of KL(q || p), by pair of families; q and p have events of one shape."""

import math

from keras import ops

from keras_vae.distributions.bernoulli import Bernoulli
from keras_vae.distributions.beta import Beta
from keras_vae.distributions.categorical import Categorical
from keras_vae.distributions.cauchy import Cauchy
from keras_vae.distributions.chi_squared import ChiSquared
from keras_vae.distributions.dirichlet import Dirichlet
from keras_vae.distributions.elliptical_normal import EllipticalNormal
from keras_vae.distributions.elliptical_student_t import EllipticalStudentT
from keras_vae.distributions.exponential import Exponential
from keras_vae.distributions.f import F
from keras_vae.distributions.gamma import Gamma
from keras_vae.distributions.gumbel import Gumbel
from keras_vae.distributions.kl import by_vector, closed_form
from keras_vae.distributions.kumaraswamy import Kumaraswamy
from keras_vae.distributions.laplace import Laplace
from keras_vae.distributions.log_normal import LogNormal
from keras_vae.distributions.logistic import Logistic
from keras_vae.distributions.normal import LOG_2_PI, Normal
from keras_vae.distributions.one_hot_categorical import OneHotCategorical
from keras_vae.distributions.restricted_boltzmann import RestrictedBoltzmann
from keras_vae.distributions.student_t import StudentT
from keras_vae.distributions.triangular import Triangular
from keras_vae.distributions.uniform import Uniform
from keras_vae.distributions.weibull import Weibull
from keras_vae.ops.numerics import flat
from keras_vae.ops.special import (
    EULER,
    HALF_LOG_2_PI,
    dirichlet_divergence,
    lgamma,
    lgamma_divergence,
    log_excess,
    stirling,
)

GAMMAS = (Gamma, ChiSquared, Exponential)
POSITIVES = (Weibull, LogNormal, F, Beta, Kumaraswamy)
REALS = (Laplace, Logistic, StudentT, Uniform, Triangular, Gumbel)
VECTORS = (Dirichlet, EllipticalNormal, EllipticalStudentT)


@closed_form((Normal, Normal))
def kl_normal_normal(q, p):
    """[v_q / v_p - 1 - log(v_q / v_p) + (m_q - m_p)^2 / v_p] / 2."""
    ratio = q.log_var - p.log_var
    # exp(r) - 1 - r is r^2 / 2 near r = 0: without `expm1` it would be a rounding error there, of either sign.
    spread = ops.maximum(ops.expm1(ratio) - ratio, 0.0)
    return 0.5 * (spread + ops.square(q.mean - p.mean) * ops.exp(-p.log_var))


@closed_form(*((family, Normal) for family in (*REALS, *GAMMAS, *POSITIVES, *VECTORS)))
def kl_to_normal(q, p):
    """-H(q) - E log p, for any q of known entropy, mean and variance: E (z - m)^2 = variance + (mean - m)^2."""
    second = (q.variance + ops.square(q.mean - p.mean)) * ops.exp(-p.log_var)
    cross = 0.5 * flat(LOG_2_PI + p.log_var + second)
    return (by_vector(cross, q.like.shape[-1]) if q.joint else cross) - q.elementwise_entropy()


@closed_form(*((family, Exponential) for family in POSITIVES))
def kl_to_exponential(q, p):
    """-H(q) - E log p, for any positive q of known entropy and mean."""
    return flat(q.mean / p.scale + ops.log(p.scale)) - q.elementwise_entropy()


@closed_form((Laplace, Laplace))
def kl_laplace_laplace(q, p):
    """|d| / s_p + exp(-|d| / s_q) s_q / s_p - 1 - log(s_q / s_p), d = m_q - m_p."""
    ratio, distance = q.scale / p.scale, ops.abs(q.loc - p.loc)
    return distance / p.scale + ratio * ops.expm1(-distance / q.scale) - log_excess(ratio)


@closed_form((Normal, Laplace))
def kl_normal_laplace(q, p):
    """-H(q) + log(2 s) + E|z - m| / s, by the mean of a folded normal."""
    deviation, distance = ops.exp(0.5 * q.log_var), q.mean - p.loc
    y = distance / deviation
    folded = deviation * math.sqrt(2.0 / math.pi) * ops.exp(-0.5 * ops.square(y))
    folded = folded + distance * ops.erf(y / math.sqrt(2.0))
    return folded / p.scale + ops.log(2.0 * p.scale) - 0.5 * (LOG_2_PI + 1.0 + q.log_var)


@closed_form((Cauchy, Cauchy))
def kl_cauchy_cauchy(q, p):
    """log[((s_q + s_p)^2 + (m_q - m_p)^2) / (4 s_q s_p)] (Chyzak & Nielsen 2019, arXiv:1905.10965)."""
    difference = ops.square(q.scale - p.scale) + ops.square(q.loc - p.loc)
    return ops.log1p(difference / (4.0 * q.scale * p.scale))


@closed_form((Uniform, Uniform))
def kl_uniform_uniform(q, p):
    """log(s_p / s_q), and infinite where q is anywhere that p is not."""
    rounding = 2.0**-22 * (ops.abs(p.loc) + p.scale)
    below, above = q.loc < p.loc - rounding, q.loc + q.scale > p.loc + p.scale + rounding
    return ops.where(ops.logical_or(below, above), math.inf, ops.log(p.scale / q.scale))


@closed_form((Gumbel, Gumbel))
def kl_gumbel_gumbel(q, p):
    """log(s_p / s_q) + EULER (s_q / s_p - 1) + d + exp(-d) Gamma(s_q / s_p + 1) - 1, d = (m_q - m_p) / s_p."""
    ratio, distance = q.scale / p.scale, (q.loc - p.loc) / p.scale
    return distance + EULER * (ratio - 1.0) - ops.log(ratio) + ops.expm1(lgamma(ratio + 1.0) - distance)


@closed_form((Weibull, Weibull))
def kl_weibull_weibull(q, p):
    """That of the Gumbel variables -log z, of location -log scale and scale 1 / concentration."""
    return kl_gumbel_gumbel(_as_gumbel(q), _as_gumbel(p))


@closed_form((LogNormal, LogNormal))
def kl_log_normal_log_normal(q, p):
    """That of the normal logarithms."""
    return kl_normal_normal(*(Normal(each.loc, 2.0 * ops.log(each.scale)) for each in (q, p)))


@closed_form(*((a, b) for a in GAMMAS for b in GAMMAS))
def kl_gamma_gamma(q, p):
    """(a_q - a_p) digamma(a_q) + lgamma(a_p) - lgamma(a_q) + a_q (r - 1) - a_p log r, r = s_q / s_p."""
    a_q, a_p, ratio = q.concentration, p.concentration, q.scale / p.scale
    return lgamma_divergence(a_p, a_q) - a_q * log_excess(ratio) + (a_q - a_p) * ops.log(ratio)


@closed_form(*((Weibull, p) for p in GAMMAS if p is not Exponential))
def kl_weibull_gamma(q, p):
    """-H(q) - E log p, with E log z = log s_q - EULER / k (Zhang et al. 2018, arXiv:1803.01328)."""
    return _kl_to_gamma(q, p, ops.log(q.scale) - EULER / q.concentration)


@closed_form(*((LogNormal, p) for p in GAMMAS if p is not Exponential))
def kl_log_normal_gamma(q, p):
    """-H(q) - E log p, with E log z = loc."""
    return _kl_to_gamma(q, p, q.loc)


@closed_form((Beta, Beta))
def kl_beta_beta(q, p):
    """That of Dirichlets of two components."""
    return dirichlet_divergence(*(ops.stack([each.a, each.b], axis=-1) for each in (p, q)))


@closed_form((Dirichlet, Dirichlet))
def kl_dirichlet_dirichlet(q, p):
    """sum_k D(p_k, q_k) - D(sum p, sum q) with D the divergence of lgamma, of vectors."""
    return ops.expand_dims(dirichlet_divergence(p.concentration, q.concentration), -1)


@closed_form((EllipticalNormal, EllipticalNormal))
def kl_elliptical_normal(q, p):
    """[tr(V_p^-1 V_q) + d^T V_p^-1 d - D] / 2 + log det S_p - log det S_q, of vectors."""
    distance = ops.expand_dims(q.loc - p.loc, -1)
    squares = ops.sum(p.scale.squares(q.scale.root), axis=-1) + p.scale.squares(distance)[..., 0]
    kl = 0.5 * (squares - q.loc.shape[-1]) + p.scale.log_det() - q.scale.log_det()
    return ops.expand_dims(kl, -1)


@closed_form((Categorical, Categorical))
def kl_categorical_categorical(q, p):
    """sum_k q_k (log q_k - log p_k); a class that never comes under q counts as nothing."""
    log_q, log_p = ops.log_softmax(q.logits, axis=-1), ops.log_softmax(p.logits, axis=-1)
    possible = q.logits > -math.inf
    return ops.sum(ops.where(possible, ops.exp(log_q) * (ops.where(possible, log_q, 0.0) - log_p), 0.0), axis=-1)


@closed_form((OneHotCategorical, OneHotCategorical))
def kl_one_hot_one_hot(q, p):
    """That of the classes."""
    return kl_categorical_categorical(q.classes, p.classes)


@closed_form((Bernoulli, Bernoulli))
def kl_bernoulli_bernoulli(q, p):
    """q (l_q - l_p) - softplus(l_q) + softplus(l_p), with l the logits."""
    return q.mean * (q.logits - p.logits) - ops.softplus(q.logits) + ops.softplus(p.logits)


@closed_form((Bernoulli, RestrictedBoltzmann))
def kl_bernoulli_restricted_boltzmann(q, p):
    """-H(q) + E(means of q) + log Z: the energy is linear in each variable."""
    return ops.expand_dims(p.energy(flat(q.mean)) - q.entropy() + p.log_partition(), -1)


def _as_gumbel(weibull):
    return Gumbel(-ops.log(weibull.scale), 1.0 / weibull.concentration)


def _kl_to_gamma(q, p, mean_log):
    """log Gamma(a) by Stirling's formula, so that of large concentrations nothing cancels but what must."""
    a = p.concentration
    log_ratio = mean_log - ops.log(p.scale * a)
    cross = q.mean / p.scale - a - a * log_ratio + mean_log - 0.5 * ops.log(a) + HALF_LOG_2_PI + stirling(a)
    return flat(cross) - q.elementwise_entropy()
