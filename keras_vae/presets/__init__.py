"""Trained models as folders: saved with their provenance, verified by SHA-256 before anything is opened."""

from keras_vae.presets.loading import list_pretrained, load_pretrained, pretrained_metadata
from keras_vae.presets.preset_error import PresetError
from keras_vae.presets.saving import save_pretrained

__all__ = ["PresetError", "list_pretrained", "load_pretrained", "pretrained_metadata", "save_pretrained"]
