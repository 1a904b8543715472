"""What every recipe shares: its arguments, its folder, its preset; measuring backends side by side."""

from keras_vae.runs.recipe import Recipe
from keras_vae.runs.recipe_arguments import recipe_arguments
from keras_vae.runs.run_folder import RunFolder

__all__ = ["Recipe", "RunFolder", "recipe_arguments"]
