"""Families of distributions: one per file, plain objects that hold tensors."""

from keras_vae.distributions import closed_forms as closed_forms  # which registers them
from keras_vae.distributions.bernoulli import Bernoulli
from keras_vae.distributions.beta import Beta
from keras_vae.distributions.categorical import Categorical
from keras_vae.distributions.cauchy import Cauchy
from keras_vae.distributions.chi_squared import ChiSquared
from keras_vae.distributions.deterministic import Deterministic
from keras_vae.distributions.dirichlet import Dirichlet
from keras_vae.distributions.discretized_logistic_mixture import DiscretizedLogisticMixture
from keras_vae.distributions.distribution import Distribution
from keras_vae.distributions.elliptical import Elliptical
from keras_vae.distributions.elliptical_normal import EllipticalNormal
from keras_vae.distributions.elliptical_student_t import EllipticalStudentT
from keras_vae.distributions.exponential import Exponential
from keras_vae.distributions.f import F
from keras_vae.distributions.families import FAMILIES, Parameterised, family
from keras_vae.distributions.flow import Flow
from keras_vae.distributions.gamma import Gamma
from keras_vae.distributions.gumbel import Gumbel
from keras_vae.distributions.independent import Independent
from keras_vae.distributions.inverse_cdf import InverseCDF
from keras_vae.distributions.kl import (
    by_vector,
    closed_form,
    elementwise_kl_divergence,
    has_closed_form,
    kl_divergence,
    monte_carlo_kl,
)
from keras_vae.distributions.kumaraswamy import Kumaraswamy
from keras_vae.distributions.laplace import Laplace
from keras_vae.distributions.location_scale import LocationScale
from keras_vae.distributions.log_normal import LogNormal
from keras_vae.distributions.logistic import Logistic
from keras_vae.distributions.normal import Normal
from keras_vae.distributions.one_hot_categorical import OneHotCategorical
from keras_vae.distributions.parameter import CONCENTRATION, FRACTION, POSITIVE, REAL, Parameter, between
from keras_vae.distributions.parametric import Parametric
from keras_vae.distributions.relaxed_bernoulli import RelaxedBernoulli
from keras_vae.distributions.relaxed_one_hot_categorical import RelaxedOneHotCategorical
from keras_vae.distributions.restricted_boltzmann import RestrictedBoltzmann
from keras_vae.distributions.student_t import StudentT
from keras_vae.distributions.triangular import Triangular
from keras_vae.distributions.uniform import Uniform
from keras_vae.distributions.weibull import Weibull

__all__ = [
    "Bernoulli",
    "Beta",
    "CONCENTRATION",
    "Categorical",
    "Cauchy",
    "ChiSquared",
    "Deterministic",
    "Dirichlet",
    "DiscretizedLogisticMixture",
    "Distribution",
    "Elliptical",
    "EllipticalNormal",
    "EllipticalStudentT",
    "Exponential",
    "F",
    "FAMILIES",
    "FRACTION",
    "Flow",
    "Gamma",
    "Gumbel",
    "Independent",
    "InverseCDF",
    "Kumaraswamy",
    "Laplace",
    "LocationScale",
    "LogNormal",
    "Logistic",
    "Normal",
    "OneHotCategorical",
    "POSITIVE",
    "Parameter",
    "Parameterised",
    "Parametric",
    "REAL",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "RestrictedBoltzmann",
    "StudentT",
    "Triangular",
    "Uniform",
    "Weibull",
    "between",
    "by_vector",
    "closed_form",
    "elementwise_kl_divergence",
    "family",
    "has_closed_form",
    "kl_divergence",
    "monte_carlo_kl",
]
