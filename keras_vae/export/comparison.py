"""Does what was written do what the live model does? Answers of the live model, and the reloaded SavedModel's."""

import numpy as np
from keras import ops

from keras_vae.core.optional import require
from keras_vae.export.export_error import ExportError

ROWS = 3  # not 1: a batch axis that was baked in would go unseen
CODES = 1e-3  # share of codes that rounding may move to the neighbouring code


def live_answers(model, rows):
    """What the live model answers to examples of its inputs: arrays by name, to compare with the SavedModel's.

    Args:
        model: a built model of keras_vae, which has `signatures()`.
        rows: int, number of examples.

    Returns:
        dict "signature/in/name" and "signature/out/name" -> array. Of a signature that draws there are no answers:
        backends draw differently.
    """
    answers = {}
    for name, signature in model.signatures().items():
        # From one seed for each input, so that signatures of the same inputs get the same examples.
        given = {key: one.example(rows, np.random.default_rng(0)) for key, one in signature.inputs.items()}
        answers.update({f"{name}/in/{key}": value for key, value in given.items()})
        if not signature.draws:
            outputs = signature.function(**{key: ops.convert_to_tensor(value) for key, value in given.items()})
            answers.update({f"{name}/out/{key}": ops.convert_to_numpy(value) for key, value in outputs.items()})
    return answers


def default_tolerance(model):
    """The largest difference to accept: rounding of float32, or of half precision where a layer computes in it."""
    halves = any(layer.compute_dtype in ("float16", "bfloat16") for layer in (model, *model.layers))
    return 5e-2 if halves else 1e-4


def compare(folder, answers, tolerance):
    """Loads the SavedModel in `folder` and raises `ExportError` where it differs from the live model.

    Args:
        folder: path of the SavedModel.
        answers: dict from `live_answers`.
        tolerance: float, largest accepted difference, relative to the largest live value or to 1.
    """
    tensorflow = require("tensorflow", "tensorflow", "Checking a SavedModel")
    served = tensorflow.saved_model.load(str(folder)).signatures
    given, expected, found = {}, {}, {}
    for key, value in answers.items():
        name, side, part = key.split("/")
        (given if side == "in" else expected).setdefault(name, {})[part] = value
    for name, inputs in given.items():
        outputs = served[name](**{key: tensorflow.constant(value) for key, value in inputs.items()})
        found[name] = {key: value.numpy() for key, value in outputs.items()}
    agree = _agreeing_rows(given, expected, found)
    for name, outputs in expected.items():
        rows = agree.get(_same(given[name]), slice(None))
        for key, value in outputs.items():
            if value.dtype.kind == "f":
                _require_close(f"{name}/{key}", value[rows], found[name][key][rows], tolerance)
    _check_draws(served, given, expected, found, tolerance)


def _agreeing_rows(given, expected, found):
    """For the inputs of each signature whose answers hold codes, the rows whose codes are the live model's."""
    agree = {}
    for name, outputs in expected.items():
        for key, value in outputs.items():
            if value.dtype.kind in "iu":
                rows = _agreeing_codes(name, value, found[name][key])
                agree[_same(given[name])] = agree.get(_same(given[name]), True) & rows
    return agree


def _same(inputs):
    return tuple(sorted(inputs))


def _agreeing_codes(name, expected, found):
    differing = expected != found
    if differing.sum() > max(1, CODES * differing.size):
        raise ExportError(
            f"The exported `{name}` must give the live model's codes. Received: {differing.sum()} of {differing.size} "
            "codes differ."
        )
    return ~differing.reshape(len(differing), -1).any(axis=1)


def _require_close(name, expected, found, tolerance):
    if expected.shape != found.shape:
        raise ExportError(f"The exported `{name}` must have shape {expected.shape}. Received: {found.shape}.")
    if expected.size == 0:
        return
    difference = np.abs(expected.astype("float64") - found).max() / max(1.0, np.abs(expected).max())
    if not difference <= tolerance:  # also when it is NaN
        raise ExportError(
            f"The exported `{name}` must equal the live model's to {tolerance:g}. Received: difference {difference:g}."
        )


def _check_draws(served, given, expected, found, tolerance):
    """What was drawn must be what `decode` makes of the latents that came with it; a draw without them is finite."""
    for name in set(found) - set(expected):
        drawn = found[name]
        wanted = [key for key in given.get("decode", {}) if key in drawn or key in given[name]]
        if "decode" in expected and len(wanted) == len(given["decode"]):
            again = served["decode"](**{key: drawn.get(key, given[name].get(key)) for key in wanted})
            for key, value in again.items():
                _require_close(f"{name}/{key}", value.numpy(), drawn[key], tolerance)
        elif not all(np.isfinite(value).all() for value in drawn.values()):
            raise ExportError(f"The exported `{name}` must be finite. Received: NaN or infinity.")
