"""How a gradient gets through a draw: estimators that a bottleneck takes, and their baselines."""

from keras_vae.estimators.baseline import Baseline
from keras_vae.estimators.estimator import Estimator
from keras_vae.estimators.input_dependent_baseline import InputDependentBaseline
from keras_vae.estimators.moving_average_baseline import MovingAverageBaseline
from keras_vae.estimators.score_function import ScoreFunction

__all__ = ["Baseline", "Estimator", "InputDependentBaseline", "MovingAverageBaseline", "ScoreFunction"]
