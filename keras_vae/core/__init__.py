"""What every room needs and is no mathematics: registration, argument checks, whole files, optional packages."""

from keras_vae.core.optional import require
from keras_vae.core.registration import REGISTRY, Configured, registered

__all__ = ["REGISTRY", "Configured", "registered", "require"]
