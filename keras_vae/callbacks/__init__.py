"""What to do while a model trains: schedules, pictures, metrics of the latent, TensorBoard."""

from keras_vae.callbacks.coefficient_schedule import CoefficientSchedule
from keras_vae.callbacks.gradient_variance import GradientVariance
from keras_vae.callbacks.image_grid import ImageGrid
from keras_vae.callbacks.latent_metrics import LatentMetrics
from keras_vae.callbacks.tensorboard_scalars import TensorBoardScalars
from keras_vae.core.moved import moved

__all__ = [
    "CoefficientSchedule",
    "GradientVariance",
    "ImageGrid",
    "LatentMetrics",
    "TensorBoardScalars",
]

__getattr__ = moved(
    __name__, {"latent_traversal": "keras_vae.generation", "most_active_dimensions": "keras_vae.generation"}
)
