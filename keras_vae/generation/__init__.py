"""What a trained latent is good for, on any model; arrays out."""

from keras_vae.generation.inpainting import inpaint, known_codes
from keras_vae.generation.traversal import latent_traversal, most_active_dimensions

__all__ = ["inpaint", "known_codes", "latent_traversal", "most_active_dimensions"]
