"""Does what was written do what the live model does? Answers of the live model, and the reloaded SavedModel's."""

import numpy as np
from keras import ops

from keras_vae.core.optional import require
from keras_vae.export.export_error import ExportError
from keras_vae.export.signatures import gaussian_outputs, latent_name

ROWS = 3  # not 1: a batch axis that was baked in would go unseen
CODES = 1e-3  # share of codes that rounding may move to the neighbouring code


def live_answers(model, rows):
    """What the live model answers on `rows` random images: arrays by name, to compare with the SavedModel's.

    Args:
        model: a built model of keras_vae.
        rows: int, number of images.
    """
    low, high = model.likelihood.interval or (0.0, 1.0)
    images = np.random.default_rng(0).uniform(low, high, (rows, *model.image_shape)).astype("float32")
    images = np.round(images) if model.likelihood.whole else images
    latent = latent_name(model)
    latents = np.asarray(model.encode(images)).astype("int32" if model.is_discrete else "float32")
    answers = {
        "images": images,
        f"encode/{latent}": latents,
        "serving_default/reconstruction": np.asarray(model.reconstruct(images), "float32"),
        "decode/images": np.asarray(model.decode(latents), "float32"),
    }
    for name, value in gaussian_outputs(model.posterior(ops.convert_to_tensor(images))).items():
        answers[f"encode/{name}"] = ops.convert_to_numpy(value)
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

    def call(name, **inputs):
        outputs = served[name](**{key: tensorflow.constant(value) for key, value in inputs.items()})
        return {f"{name}/{key}": value.numpy() for key, value in outputs.items()}

    images = answers["images"]
    latent = "indices" if "encode/indices" in answers else "z"
    latents = answers[f"encode/{latent}"]
    found = {
        **call("serving_default", images=images),
        **call("encode", images=images),
        **call("decode", **{latent: latents}),
    }
    agree = np.ones(len(images), bool)
    if latent == "indices":
        agree = _agreeing_codes(latents, found["encode/indices"])
    for name, expected in answers.items():
        if name in ("images", "encode/indices"):
            continue
        rows = agree if name.startswith("serving_default") else slice(None)
        _require_close(name, expected[rows], found[name][rows], tolerance)
    if "sample" in served:
        _check_samples(call, len(images), latent, tolerance)


def _agreeing_codes(expected, found):
    differing = expected != found
    if differing.sum() > max(1, CODES * differing.size):
        raise ExportError(
            f"The exported `encode` must give the live model's codes. Received: {differing.sum()} of {differing.size} "
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


def _check_samples(call, rows, latent, tolerance):
    seeds = np.arange(rows, dtype="int32")
    samples = call("sample", seed=seeds)
    again = call("decode", **{latent: samples[f"sample/{latent}"]})
    _require_close("sample/images", again["decode/images"], samples["sample/images"], tolerance)
