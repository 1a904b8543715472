"""Models for serving: SavedModel folders with named signatures, checked against the live model before they are done."""

from keras_vae.export.export_error import ExportError
from keras_vae.export.saved_model import export_saved_model

__all__ = ["ExportError", "export_saved_model"]
