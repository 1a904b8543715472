"""`python -m keras_vae.export model.keras serving/name/1`: a saved model to a SavedModel, on TensorFlow or JAX."""

import argparse
import importlib
import pathlib
import sys

import keras
import numpy as np

from keras_vae.export.comparison import default_tolerance
from keras_vae.export.saved_model import export_saved_model, write_and_compare


def main(arguments=None):
    """Exports the model of a `.keras` file; 0 when it is written and checked.

    Args:
        arguments: list of str, or None for the command line's. Default: None.
    """
    parser = argparse.ArgumentParser(prog="python -m keras_vae.export", description=__doc__)
    parser.add_argument("source", help="a .keras file with a model of keras_vae")
    parser.add_argument("target", help="the SavedModel's folder, by custom <name>/<version>")
    parser.add_argument("--batch-size", type=int, help="fixed number of rows per call (default: any number)")
    parser.add_argument("--overwrite", action="store_true", help="replace a SavedModel that is already there")
    parser.add_argument("--tolerance", type=float, help="largest accepted difference to the model of the file")
    parser.add_argument("--expected", help=argparse.SUPPRESS)  # answers of another process, which renames the folder
    parser.add_argument("--import", action="append", default=[], metavar="MODULE", help="of the model's own classes")
    given = parser.parse_args(arguments)
    for module in getattr(given, "import"):
        importlib.import_module(module)
    model = keras.saving.load_model(given.source, compile=False)
    if given.expected is None:
        folder = export_saved_model(
            model,
            given.target,
            batch_size=given.batch_size,
            overwrite=given.overwrite,
            tolerance=given.tolerance,
        )
        print(f"{folder}: written, loaded again and compared")
        return 0
    with np.load(given.expected) as file:
        answers = dict(file)
    tolerance = default_tolerance(model) if given.tolerance is None else given.tolerance
    write_and_compare(model, pathlib.Path(given.target), answers, given.batch_size, tolerance)
    return 0


if __name__ == "__main__":
    sys.exit(main())
