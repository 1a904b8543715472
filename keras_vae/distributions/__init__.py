"""Families of distributions: one per file, plain objects that hold tensors."""

from keras_vae.distributions.bernoulli import Bernoulli
from keras_vae.distributions.categorical import Categorical
from keras_vae.distributions.deterministic import Deterministic
from keras_vae.distributions.discretized_logistic_mixture import DiscretizedLogisticMixture
from keras_vae.distributions.distribution import Distribution
from keras_vae.distributions.flow import Flow
from keras_vae.distributions.kl import elementwise_kl_divergence, has_closed_form, kl_divergence
from keras_vae.distributions.normal import Normal

__all__ = [
    "Bernoulli",
    "Categorical",
    "Deterministic",
    "DiscretizedLogisticMixture",
    "Distribution",
    "Flow",
    "Normal",
    "elementwise_kl_divergence",
    "has_closed_form",
    "kl_divergence",
]
