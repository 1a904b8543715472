"""Pictures and tables from arrays. No models here."""

from keras_vae.core.files import write_json, written_whole
from keras_vae.core.moved import moved
from keras_vae.reports.curves import curves
from keras_vae.reports.filters import filters_grid
from keras_vae.reports.grids import comparison_grid, image_grid, traversal_grid
from keras_vae.reports.lines import lines
from keras_vae.reports.tables import table

__all__ = [
    "comparison_grid",
    "curves",
    "filters_grid",
    "image_grid",
    "lines",
    "table",
    "traversal_grid",
    "write_json",
    "written_whole",
]

__getattr__ = moved(__name__, {"RunFolder": "keras_vae.runs", "recipe_arguments": "keras_vae.runs"})
