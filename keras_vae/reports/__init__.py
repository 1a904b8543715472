"""Pictures and tables from arrays, and a run as a folder. No models here."""

from keras_vae.reports.curves import curves
from keras_vae.reports.files import write_json, written_whole
from keras_vae.reports.filters import filters_grid
from keras_vae.reports.grids import comparison_grid, image_grid, traversal_grid
from keras_vae.reports.recipe_arguments import recipe_arguments
from keras_vae.reports.run_folder import RunFolder
from keras_vae.reports.tables import table

__all__ = [
    "RunFolder",
    "comparison_grid",
    "curves",
    "filters_grid",
    "image_grid",
    "recipe_arguments",
    "table",
    "traversal_grid",
    "write_json",
    "written_whole",
]
