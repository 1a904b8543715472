"""How a gradient gets through a draw: estimators that a bottleneck takes, and their baselines."""

from keras_vae.estimators.baseline import Baseline
from keras_vae.estimators.darn import DARN
from keras_vae.estimators.estimator import Draw, Estimator
from keras_vae.estimators.gumbel_softmax import GumbelSoftmax
from keras_vae.estimators.input_dependent_baseline import InputDependentBaseline
from keras_vae.estimators.moving_average_baseline import MovingAverageBaseline
from keras_vae.estimators.mu_prop import MuProp
from keras_vae.estimators.overlapping_exponential import OverlappingExponential
from keras_vae.estimators.overlapping_gaussian import OverlappingGaussian
from keras_vae.estimators.overlapping_mixture import OverlappingMixture
from keras_vae.estimators.overlapping_power import OverlappingPower
from keras_vae.estimators.reinmax import ReinMax
from keras_vae.estimators.score_function import ScoreFunction
from keras_vae.estimators.smoothing import Smoothing
from keras_vae.estimators.spike_and_exponential import SpikeAndExponential
from keras_vae.estimators.spike_and_power import SpikeAndPower
from keras_vae.estimators.straight_through import StraightThrough
from keras_vae.estimators.symmetric_power import SymmetricPower
from keras_vae.estimators.vimco import VIMCO

__all__ = [
    "Baseline",
    "DARN",
    "Draw",
    "Estimator",
    "GumbelSoftmax",
    "InputDependentBaseline",
    "MovingAverageBaseline",
    "MuProp",
    "OverlappingExponential",
    "OverlappingGaussian",
    "OverlappingMixture",
    "OverlappingPower",
    "ReinMax",
    "ScoreFunction",
    "Smoothing",
    "SpikeAndExponential",
    "SpikeAndPower",
    "StraightThrough",
    "SymmetricPower",
    "VIMCO",
]
