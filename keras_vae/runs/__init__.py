"""What every recipe shares: its arguments, its folder, its preset; measuring backends side by side."""

from keras_vae.runs.draws import distances_of_draws
from keras_vae.runs.recipe import Recipe
from keras_vae.runs.recipe_arguments import recipe_arguments
from keras_vae.runs.run_folder import RunFolder

__all__ = ["Recipe", "RunFolder", "distances_of_draws", "recipe_arguments"]
