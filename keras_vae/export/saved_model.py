"""A model as a SavedModel for TF-Serving, from any backend: written, reloaded, compared, then renamed into place."""

import contextlib
import importlib.util
import logging
import os
import pathlib

import keras

from keras_vae.core.checks import integer, positive
from keras_vae.core.folders import replaced_folder
from keras_vae.core.optional import require
from keras_vae.export.checked_endpoint import checked_endpoint
from keras_vae.export.comparison import ROWS, compare, default_tolerance, live_answers
from keras_vae.export.export_error import ExportError
from keras_vae.export.other_python import write_in_other_python

MARK = "saved_model.pb"
PLATFORMS = ("cpu", "cuda")


def export_saved_model(model, path, *, version=1, batch_size=None, overwrite=False, python=None, tolerance=None):
    """Writes a model as a TensorFlow SavedModel with the signatures serving_default, encode, decode and sample.

    The result needs TensorFlow to run, and neither Keras nor keras_vae; TF-Serving serves it as it is. Whoever calls
    `sample` gives one seed per image, so that a request can be repeated and two servers do not repeat each other. A
    request that the live model would refuse (its shape, values that are not finite, images out of the likelihood's
    interval, codes out of the codebook, no row at all) gets an `InvalidArgumentError` that names the input. On
    TensorFlow and JAX the model is exported in this process, on torch by a second Python that runs TensorFlow. What was
    written is loaded again and compared with the live model before it gets its name; a failure leaves nothing behind.

    Args:
        model: a built model of keras_vae.
        path: str or path-like, where to write. TF-Serving expects <name>/<integer version>: if the last part of `path`
            is not an integer, `version` is appended ("serving/faces" becomes "serving/faces/1").
        version: int >= 1, used where `path` names none. Default: 1.
        batch_size: int >= 1 to fix the number of rows per call, or None for any number. Default: None.
        overwrite: bool, whether a SavedModel that is already there may be replaced. Default: False.
        python: str, the interpreter that exports for torch; it needs keras_vae and TensorFlow. Default: None, this one.
        tolerance: float > 0, the largest accepted difference to the live model, relative to its largest value or to 1.
            Default: None, 1e-4, or 0.05 where a layer computes in half precision.

    Returns:
        `pathlib.Path` of the folder that holds `saved_model.pb`.

    Raises:
        ImportError: if TensorFlow is not installed.
        ValueError: if the model is not built, an argument is out of range, or the folder exists and is not empty.
        TypeError: if an argument has the wrong type.
        ExportError: if the model cannot be traced, or the SavedModel differs from the live model.

    Example:

    >>> import keras_vae
    >>> from keras_vae.export import export_saved_model
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((8, 2)), keras_vae.MLPDecoder((4, 4, 1), (8,)))
    >>> try:
    ...     export_saved_model(model, "serving/tiny")
    ... except ValueError as error:
    ...     print(error)
    `model` must be built before it is exported: call `model.build((None, *data_shape))` or fit it first.
    """
    if not hasattr(model, "signatures"):
        raise TypeError(f"`model` must be a model of keras_vae, with `signatures()`. Received: {type(model).__name__}.")
    if not getattr(model, "built", False):
        raise ValueError(
            "`model` must be built before it is exported: call `model.build((None, *data_shape))` or fit it first."
        )
    if batch_size is not None:
        batch_size = integer("batch_size", batch_size)
    tolerance = default_tolerance(model) if tolerance is None else positive("tolerance", tolerance)
    folder = version_folder(path, integer("version", version))
    _check_place(folder, overwrite)
    torch = keras.backend.backend() == "torch"
    if not torch or python is None:  # before the work, and without importing it into a torch process
        _require_tensorflow()
    with quiet(), replaced_folder(folder) as fresh:
        answers = live_answers(model, batch_size or ROWS)
        if torch:
            write_in_other_python(model, fresh, answers, batch_size, tolerance, python)
        else:
            write_and_compare(model, fresh, answers, batch_size, tolerance)
    return folder


@contextlib.contextmanager
def quiet():
    """Keeps TensorFlow's advice on retracing and vectorization, which is not for the user, out of the terminal."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def version_folder(path, version):
    """The folder of one version, as TF-Serving wants it: `path` if it ends in an integer, else `path`/`version`."""
    folder = pathlib.Path(os.path.realpath(path))
    return folder if folder.name.isdecimal() else folder / str(version)


def write_and_compare(model, folder, answers, batch_size, tolerance):
    """Writes the signatures of `model` into `folder` by `keras.export.ExportArchive`, then compares; not on torch."""
    traced, archive = keras.export.ExportArchive(), keras.export.ExportArchive()
    traced.track(model)  # before the endpoints: on JAX they see no other variables
    options = {}
    if keras.backend.backend() == "jax":  # exported on one kind of machine, served on another, and never trained on
        options["jax2tf_kwargs"] = {"native_serialization_platforms": PLATFORMS, "with_gradient": False}
    for name, signature in model.signatures().items():
        specs = [one.spec(key, batch_size) for key, one in signature.inputs.items()]
        try:
            function = traced.add_endpoint(name, _positional(signature), specs, **_polymorphic(specs, options))
            endpoint = checked_endpoint(function, specs, [one.limits for one in signature.inputs.values()])
            endpoint.get_concrete_function()
        except Exception as error:  # whatever the model's own layers raise while they are traced
            rows = "any number of rows" if batch_size is None else f"batch_size={batch_size}"
            hint = " A fixed `batch_size` may help." if batch_size is None else ""
            raise ExportError(f"`{name}` cannot be traced for {rows}: {error}{hint}") from error
        archive.add_endpoint(name, endpoint)
    archive.write_out(str(folder), verbose=False)
    compare(folder, answers, tolerance)


def _positional(signature):
    """The function of a signature, as Keras calls it: without keywords."""

    def function(*values):
        return signature.function(**dict(zip(signature.inputs, values, strict=True)))

    return function


def _polymorphic(specs, options):
    """The options of jax2tf, where sizes beside the batch are open: the time of data and mask is one and the same."""
    if "jax2tf_kwargs" not in options or all(None not in spec.shape[1:] for spec in specs):
        return options
    names = ("batch", "time")
    shapes = [
        "(" + ",".join(names[i] if size is None else str(size) for i, size in enumerate(spec.shape)) + ")"
        for spec in specs
    ]
    return {"jax2tf_kwargs": {**options["jax2tf_kwargs"], "polymorphic_shapes": shapes}}


def _check_place(folder, overwrite):
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MARK).is_file():
        raise ValueError(f"`path` must be new, empty or a SavedModel. Received: {folder}, which holds something else.")
    if not overwrite:
        raise ValueError(f"`path` must be new unless overwrite=True. Received: {folder}, which holds a SavedModel.")


def _require_tensorflow():
    if keras.backend.backend() != "torch":
        require("tensorflow", "tensorflow", "Exporting a SavedModel")
    elif importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "Exporting a SavedModel from torch needs TensorFlow for a second Python process: "
            'pip install "keras_vae[tensorflow]", or name another interpreter that has it and keras_vae with `python`.'
        )
