"""Priors: p(z) over latents or codes."""

from keras_vae.priors.autoregressive_flow_prior import AutoregressiveFlowPrior
from keras_vae.priors.bernoulli_prior import BernoulliPrior
from keras_vae.priors.boltzmann_machine import BoltzmannMachine
from keras_vae.priors.categorical_prior import CategoricalPrior
from keras_vae.priors.conditional_normal import ConditionalNormal
from keras_vae.priors.discrete_prior import DiscretePrior
from keras_vae.priors.family_prior import FamilyPrior
from keras_vae.priors.fitted_density import FittedDensity
from keras_vae.priors.fitted_gaussian import FittedGaussian
from keras_vae.priors.fitted_mixture import FittedMixture
from keras_vae.priors.hierarchical_prior import HierarchicalPrior
from keras_vae.priors.learned_prior import LearnedPrior
from keras_vae.priors.mixture_of_gaussians import MixtureOfGaussians
from keras_vae.priors.mixture_prior import MixturePrior
from keras_vae.priors.pixel_cnn_prior import PixelCNNPrior
from keras_vae.priors.pixel_snail_prior import PixelSNAILPrior
from keras_vae.priors.prior import Prior
from keras_vae.priors.raster_prior import RasterPrior
from keras_vae.priors.standard_normal import StandardNormal
from keras_vae.priors.uniform_codes import UniformCodes
from keras_vae.priors.vamp_prior import VampPrior

__all__ = [
    "AutoregressiveFlowPrior",
    "BernoulliPrior",
    "BoltzmannMachine",
    "CategoricalPrior",
    "ConditionalNormal",
    "DiscretePrior",
    "FamilyPrior",
    "FittedDensity",
    "FittedGaussian",
    "FittedMixture",
    "HierarchicalPrior",
    "LearnedPrior",
    "MixtureOfGaussians",
    "MixturePrior",
    "PixelCNNPrior",
    "PixelSNAILPrior",
    "Prior",
    "RasterPrior",
    "StandardNormal",
    "UniformCodes",
    "VampPrior",
]
