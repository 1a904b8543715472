"""Laws that every model keeps, as checks for variants of your own. `import keras_vae` leaves this room alone."""

from keras_vae.testing.config import check_config
from keras_vae.testing.evaluation import check_evaluation
from keras_vae.testing.latents import check_encoding, check_reconstruction
from keras_vae.testing.model import check_model
from keras_vae.testing.precision import check_mixed_precision
from keras_vae.testing.sampling import check_density, check_sampling
from keras_vae.testing.saving import check_saving
from keras_vae.testing.serving import check_serving
from keras_vae.testing.training import check_training

__all__ = [
    "check_config",
    "check_density",
    "check_encoding",
    "check_evaluation",
    "check_mixed_precision",
    "check_model",
    "check_reconstruction",
    "check_sampling",
    "check_saving",
    "check_serving",
    "check_training",
]
