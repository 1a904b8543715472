"""The training contract, compiled samplers, gradient routing, checks on data, checkpoints."""

from keras_vae.training.checked_methods import CheckedMethods
from keras_vae.training.checkpoint import TrainingCheckpoint
from keras_vae.training.data import check_values
from keras_vae.training.early_stop import EarlyStop
from keras_vae.training.exported import Exported
from keras_vae.training.finetune import finetune
from keras_vae.training.frozen import frozen, held, pure
from keras_vae.training.gradient_moments import GradientMoments
from keras_vae.training.gradient_variance import gradient_variance
from keras_vae.training.guard import NonFiniteGuard, NonFiniteLossError
from keras_vae.training.inputs import ModelInputs
from keras_vae.training.optimizers import optimizers
from keras_vae.training.resume import fit_resumable, fits, resume
from keras_vae.training.sampler import Sampler, SamplerCache
from keras_vae.training.shared_progress import SharedProgress
from keras_vae.training.signature import Served, Signature
from keras_vae.training.terms_model import TermsModel

__all__ = [
    "CheckedMethods",
    "EarlyStop",
    "Exported",
    "GradientMoments",
    "ModelInputs",
    "NonFiniteGuard",
    "NonFiniteLossError",
    "Sampler",
    "Served",
    "Signature",
    "SamplerCache",
    "SharedProgress",
    "TermsModel",
    "TrainingCheckpoint",
    "check_values",
    "finetune",
    "fit_resumable",
    "fits",
    "frozen",
    "gradient_variance",
    "held",
    "optimizers",
    "pure",
    "resume",
]
