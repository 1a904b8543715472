"""From a checked config to a model with its weights, within what the files of the preset account for."""

import math

import keras

from keras_vae._backend import SymbolicOnly
from keras_vae._backend.unallocated import saved_weights, start_at_zero, unallocated
from keras_vae.presets.fitness import shape_fault, weights_fault
from keras_vae.presets.layout import CONFIG, METADATA, WEIGHTS
from keras_vae.presets.preset_error import PresetError
from keras_vae.presets.weights_file import weights_layout

OBJECTS = 12_000  # layers and symbolic tensors: a Sequential of 150 layers, a functional model of thousands
# Weights that a model may have beside those of its file, of metrics and seeds: two metrics of codes hold four numbers
# for each of them, and a quantizer without a codebook has 2^18 codes and nothing in its file. 4M numbers are 16 MB.
SPARE, SPARE_NUMBERS = 500, 2**22
SHOWN = 4  # differences that an error message lists


def build_model(config, folder, files, metadata):
    """The model of a config, with the weights of its file.

    What the config asks for is compared with the file, name by name and shape by shape, before any weight has memory
    and before any number of the file is read.

    Args:
        config: dict that `check_config` has let pass.
        folder: `pathlib.Path`, the preset's, to be named in errors.
        files: `pathlib.Path`, the folder with verified copies of the files.
        metadata: dict, as `read_metadata` returns it.

    Raises:
        PresetError: if there is no such model, or it does not fit the file or the metadata, or is not fit for use.
    """
    found = weights_layout(files / WEIGHTS, folder / WEIGHTS)
    numbers = sum(math.prod(shape) for shape, _ in found.values())
    try:
        with unallocated(2 * numbers + SPARE_NUMBERS, 2 * len(found) + SPARE, OBJECTS), SymbolicOnly():
            model = _built(config, folder)
            _check_model(model, folder, metadata)
            expected = saved_weights(model)
            _check_layout(expected, found, folder, metadata)
            start_at_zero(expected.values())
        model.load_weights(files / WEIGHTS)
    except PresetError:
        raise
    except Exception as error:  # Keras raises whatever the constructors of its layers raise
        raise PresetError(f"{folder / CONFIG} cannot be made into a model{_versions(metadata)}: {error}") from error
    if fault := weights_fault(model):
        raise PresetError(f"{folder / WEIGHTS}: the model must {fault}")
    return model


def _built(config, folder):
    """The model, built here and not by Keras, which makes a warning of any error that building raises."""
    build_config = config.get("build_config")
    shape = build_config.get("input_shape") if isinstance(build_config, dict) else None
    model = keras.saving.deserialize_keras_object({**config, "build_config": None}, safe_mode=True)
    shapes = list(shape.values()) if isinstance(shape, dict) and shape else [shape]  # of data alone, or of every input
    if not isinstance(model, keras.Model) or not all(isinstance(one, list) for one in shapes):
        raise PresetError(f"{folder / CONFIG} must describe a model with its `build_config`. Received: {model!r}.")
    model.build({name: tuple(one) for name, one in shape.items()} if isinstance(shape, dict) else tuple(shape))
    return model


def _check_model(model, folder, metadata):
    if fault := shape_fault(model):
        raise PresetError(f"{folder / CONFIG}: the model must {fault}")
    if metadata["parameter_count"] != model.count_params():
        raise PresetError(
            f"{folder / WEIGHTS} does not fit {folder / CONFIG}: the model has {model.count_params()} parameters, "
            f"{METADATA} says parameter_count={metadata['parameter_count']}."
        )
    facts = {
        "model": type(model).__name__,
        "latent_shape": None,
        **model.preset_facts(),
    }
    for name, value in facts.items():  # of which an older preset may say less
        if name in metadata and metadata[name] != value:
            raise PresetError(
                f"{folder / METADATA} does not fit {CONFIG}: `{name}` must be {value!r}. Received: {metadata[name]!r}."
            )


def _check_layout(weights, found, folder, metadata):
    """Raises where the model's weights and the file's differ, and says in which."""
    expected = {
        name: (tuple(weight.shape), "floats" if keras.backend.is_float_dtype(_dtype(weight)) else "integers")
        for name, weight in weights.items()
    }
    names = [name for name in sorted({*expected, *found}) if expected.get(name) != found.get(name)]
    if not names:
        return
    rows = [f"{name} is {_told(found.get(name))}, expected {_told(expected.get(name))}" for name in names]
    more = f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    raise PresetError(
        f"{folder / WEIGHTS} does not fit the model of {CONFIG}{_versions(metadata)}: {'; '.join(rows[:SHOWN])}{more}"
    )


def _dtype(weight):
    return keras.backend.standardize_dtype(weight.dtype)


def _told(entry):
    return "absent" if entry is None else f"{entry[0]} {entry[1]}"


def _versions(metadata):
    return f" (saved with keras {metadata['keras_version']}, this is {keras.__version__})"
