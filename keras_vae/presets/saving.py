"""A model as a preset's folder: config, weights without optimizer, provenance with hashes, card and preview."""

import json
import numbers
import os
import pathlib

import keras
import numpy as np

from keras_vae.core.checks import instance
from keras_vae.core.folders import replaced_folder, write_synced
from keras_vae.core.plain import plain
from keras_vae.presets.allow_list import check_config, without_compile_config
from keras_vae.presets.fitness import shape_fault, weights_fault
from keras_vae.presets.layout import (
    CARD,
    CONFIG,
    METADATA,
    NAME,
    PREVIEW,
    SCHEMA,
    VERIFIED,
    WEIGHTS,
    file_entry,
)
from keras_vae.presets.loading import load_pretrained
from keras_vae.presets.model_card import model_card
from keras_vae.presets.preset_error import PresetError
from keras_vae.reports.canvas import as_pixels, write_png
from keras_vae.training.weights import weights_as_bytes

OURS = {CONFIG, WEIGHTS, METADATA, CARD, PREVIEW}


def save_pretrained(model, folder, *, recipe, dataset, licence, seed, metrics, description="", limits="", preview=None):
    """Writes a trained model as a preset, the folder that `load_pretrained` reads on any backend.

    The folder holds `config.json`, `model.weights.h5` (no optimizer state), `metadata.json` (provenance, versions, the
    SHA-256 of the two), `README.md` (a model card made from the metadata) and, where one is given, `preview.png`. It is
    written beside its place, loaded again, compared weight by weight with `model`, and only then renamed: a failure
    leaves nothing behind, and an older preset in that place stays until the new one is complete.

    Args:
        model: a built model of keras_vae.
        folder: str or path-like, the folder to create; its last part is the preset's name. A preset that is there
            already is replaced; a folder with other files in it is refused.
        recipe: str, what trained the model and can train it again ("recipes/vae_mnist.py").
        dataset: str, name and version of the data ("mnist 3.0.1, dynamically binarised").
        licence: str, the terms of the weights, which are those of the data ("CC-BY-SA-3.0", "non-commercial use").
        seed: int or None, the seed of the training run.
        metrics: dict of str to number, str, list or dict of them: what was measured, on which split. Finite.
        description: str, one paragraph for the card. Default: "", a sentence made from the other arguments.
        limits: str, what the model should not be used for, and what it does badly. Default: "".
        preview: array of shape (height, width), (height, width, 1) or (height, width, 3), uint8 or float in [0, 1],
            which needs the extra `viz`; or the path of a PNG file; or None for no picture. Show samples, traversals or
            reconstructions, never an image of the data set. Default: None.

    Returns:
        `pathlib.Path` of the written folder.

    Raises:
        TypeError: if an argument has the wrong type.
        ValueError: if the model is not built or has weights that are not finite, or an argument is out of range.
        PresetError: if `folder` holds files that are not a preset's, or the model holds classes that a preset may not.

    Example:

    >>> import tempfile
    >>> import keras_vae
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((8, 2)), keras_vae.MLPDecoder((4, 4, 1), (8,)))
    >>> model.build((None, 4, 4, 1))
    >>> with tempfile.TemporaryDirectory() as home:
    ...     folder = keras_vae.save_pretrained(
    ...         model, f"{home}/tiny", recipe="none", dataset="none", licence="Apache-2.0", seed=0, metrics={"psnr": 5})
    ...     sorted(path.name for path in folder.iterdir())
    ['README.md', 'config.json', 'metadata.json', 'model.weights.h5']
    """
    texts = {"recipe": recipe, "dataset": dataset, "licence": licence, "description": description, "limits": limits}
    for name, value in texts.items():
        _check_text(name, value, required=name in ("recipe", "dataset", "licence"))
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, numbers.Integral)):
        raise TypeError(f"`seed` must be an int or None. Received: seed={seed!r}.")
    _check_model(model)
    facts = {
        **texts,
        "seed": None if seed is None else int(seed),
        "metrics": plain(instance("metrics", metrics, dict), "metrics"),
    }
    folder = pathlib.Path(os.path.realpath(folder))
    _check_place(folder)
    picture = None if preview is None else _picture(preview)
    config = _config(model)
    check_config(config, CONFIG)

    with replaced_folder(folder) as fresh:
        (fresh / CONFIG).write_text(json.dumps(config, indent=1, allow_nan=False), encoding="utf-8")
        _save_weights(model, config, fresh / WEIGHTS)
        metadata = _metadata(model, folder.name, facts, {name: file_entry(fresh / name) for name in VERIFIED})
        (fresh / METADATA).write_text(json.dumps(metadata, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        if picture is not None:
            if isinstance(picture, bytes):
                (fresh / PREVIEW).write_bytes(picture)
            else:
                write_png(fresh / PREVIEW, picture)
        card = model_card(metadata, has_preview=picture is not None, samples="sample" in model.signatures())
        (fresh / CARD).write_text(card, encoding="utf-8")
        _compare(model, load_pretrained(fresh))
    return folder


def _check_text(name, value, required):
    if not isinstance(value, str):
        raise TypeError(f"`{name}` must be a str. Received: {name}={value!r}.")
    if required and not value.strip():
        raise ValueError(f"`{name}` must not be empty: the weights are useless without it. Received: {name}={value!r}.")


def _check_model(model):
    if not isinstance(model, keras.Model) or not hasattr(model, "preset_facts"):
        raise TypeError(f"`model` must be a model of keras_vae. Received: model={model!r}.")
    if not model.built:
        raise ValueError("`model` must be built: call `model.build((None, *data_shape))` or fit it first.")
    if fault := shape_fault(model) or weights_fault(model):
        raise ValueError(f"`model` must {fault}")


def _check_place(folder):
    if not NAME.fullmatch(folder.name):
        raise ValueError(f"`folder` must end in a name of letters, digits, _, - and dots. Received: {folder.name!r}.")
    if folder.exists() and not folder.is_dir():
        raise PresetError(f"`folder` must be a folder. Received: the file {folder}.")
    foreign = sorted({path.name for path in folder.iterdir()} - OURS) if folder.is_dir() else []
    if foreign:
        raise PresetError(f"`folder` must be new, empty or a preset. Received: {folder}, which holds {foreign[:5]}.")


def _config(model):
    config = without_compile_config(keras.saving.serialize_keras_object(model))
    if not config.get("build_config"):
        raise ValueError("`model` must know its input shape: call `model.build((None, *data_shape))` first.")
    return config


def _save_weights(model, config, path):
    # `save_weights` of a compiled model also writes its optimizer; a fresh model of the same config has none.
    bare = keras.saving.deserialize_keras_object(config, safe_mode=True)
    bare.set_weights(model.get_weights())
    write_synced(path, weights_as_bytes(bare))


def _metadata(model, name, facts, files):
    from keras_vae import __version__  # not at the top: the package imports this room before it is complete

    return {
        "schema": SCHEMA,
        "name": name,
        "model": type(model).__name__,
        "keras_vae_version": __version__,
        "keras_version": keras.__version__,
        "trained_on_backend": keras.backend.backend(),
        **facts,
        "latent_shape": None,
        **model.preset_facts(),
        "parameter_count": model.count_params(),
        "files": files,
    }


def _picture(preview):
    """The bytes of a PNG file, or pixels to make one of."""
    if not isinstance(preview, (str, os.PathLike)):
        return as_pixels("preview", preview, rank=3)
    content = pathlib.Path(preview).read_bytes()
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        raise ValueError(f"`preview` must be a PNG file or an array. Received: preview={os.fspath(preview)!r}.")
    return content


def _compare(model, copy):
    for ours, theirs in zip(model.weights, copy.weights, strict=True):
        if not np.array_equal(keras.ops.convert_to_numpy(ours.value), keras.ops.convert_to_numpy(theirs.value)):
            raise PresetError(f"{ours.path} did not survive saving: its layer saves other values than it has.")
