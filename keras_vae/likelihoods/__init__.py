"""Likelihoods: raw decoder output -> distribution over x."""

from keras_vae.likelihoods.bernoulli_likelihood import BernoulliLikelihood
from keras_vae.likelihoods.categorical_likelihood import CategoricalLikelihood
from keras_vae.likelihoods.discretized_logistic_mixture_likelihood import DiscretizedLogisticMixtureLikelihood
from keras_vae.likelihoods.family_likelihood import FamilyLikelihood
from keras_vae.likelihoods.gaussian_likelihood import GaussianLikelihood
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.per_pixel_gaussian_likelihood import PerPixelGaussianLikelihood
from keras_vae.likelihoods.sampled_squared_error import SampledSquaredError
from keras_vae.likelihoods.shared_variance_gaussian_likelihood import SharedVarianceGaussianLikelihood
from keras_vae.likelihoods.squared_error import SquaredError

__all__ = [
    "BernoulliLikelihood",
    "CategoricalLikelihood",
    "DiscretizedLogisticMixtureLikelihood",
    "FamilyLikelihood",
    "GaussianLikelihood",
    "Likelihood",
    "PerPixelGaussianLikelihood",
    "SampledSquaredError",
    "SharedVarianceGaussianLikelihood",
    "SquaredError",
]
