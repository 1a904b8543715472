"""What a preset's `config.json` may name: keras_vae's classes and plain parts of Keras, and nothing that runs code."""

import functools
import math

import keras

from keras_vae.core.registration import PACKAGE, REGISTRY
from keras_vae.likelihoods import Likelihood
from keras_vae.presets.preset_error import PresetError

KERAS_MODULES = ("keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints")
FUNCTIONAL_MODULES = ("keras.src.models.functional", "keras.src.ops.numpy", "keras.src.ops.nn")  # of functional nets
LAYER_MODULES = ("keras.layers", *FUNCTIONAL_MODULES)
VALUES = ("__keras_tensor__", "__numpy__", "__tensor__")  # Keras' own spelling of shapes and constants
DTYPES = frozenset(
    "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 bfloat16 float16 float32 float64".split()
)  # of such a value: those of text may ask for any number of characters
# Public Keras layers that call a function, import a module or open a file which their config names,
REFUSED = frozenset(
    "Lambda FlaxLayer JaxLayer TorchModuleWrapper TFSMLayer IntegerLookup StringLookup TextVectorization".split()
    # and those that take as long, or make as large a table, as a number in their config says, whatever they weigh.
    + "AugMix RandAugment Equalization MelSpectrogram STFTSpectrogram TimeDistributed".split()
)
LAYERS = 2000  # of one model
COUNTS = ("blocks", "depth", "levels", "num_steps")  # arguments of keras_vae's that say how many layers one is made of


def check_config(config, where):
    """Raises `PresetError` unless every object that `config` names, at any depth, is on the allow-list.

    Args:
        config: dict, the content of `config.json`.
        where: str or path, what to call it in an error.
    """
    if not _is_own(config):
        raise PresetError(
            f"{where}: the model must be one of keras_vae's classes. Received: "
            f"registered_name={config.get('registered_name')!r}, class_name={config.get('class_name')!r}."
        )
    try:
        named = list(_named(config))
    except RecursionError as error:
        raise PresetError(f"{where} is nested too deeply.") from error
    for value, path in named:
        _check(value, where, path)
    layers = sum(_layers(value) for value, _ in named)
    if layers > LAYERS:
        raise PresetError(f"{where} must describe at most {LAYERS} layers. Received: {layers}.")


def without_compile_config(value):
    """`value` without the `compile_config` of any object in it: a preset carries no optimizer."""
    if isinstance(value, dict):
        return {
            key: without_compile_config(item)
            for key, item in value.items()
            if not (key == "compile_config" and "class_name" in value)
        }
    if isinstance(value, (list, tuple)):
        return [without_compile_config(item) for item in value]
    return value


def _named(value, path=()):
    """(the dict, its path) for each object that `value` names, at any depth; a path is (the path around it, a step)."""
    if isinstance(value, dict):
        if "class_name" in value:
            yield value, path
        for key, item in value.items():
            yield from _named(item, (path, f".{key}"))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _named(item, (path, f"[{i}]"))


def _told(path):
    return _told(path[0]) + path[1] if path else ""


def _check(value, where, path):
    if not (_is_own(value) or _is_plain_keras(value)):
        raise PresetError(
            f"{where}{_told(path)}: only keras_vae's classes and plain Keras layers, initializers, regularizers and "
            f"constraints may be in a preset. Received: class_name={value['class_name']!r}, "
            f"module={value.get('module')!r}, registered_name={value.get('registered_name')!r}."
        )
    config = value.get("config")
    arguments = config if isinstance(config, dict) else {}
    if value["class_name"] in VALUES and arguments.get("dtype") not in DTYPES:
        raise PresetError(
            f"{where}{_told(path)}: `dtype` must be one of numbers. Received: {arguments.get('dtype')!r}."
        )
    if arguments.get("unroll"):
        raise PresetError(
            f"{where}{_told(path)}: `unroll` must be false, for it has no bound. Received: {arguments['unroll']!r}."
        )


def _layers(value):
    """How many layers an object is made of: a net of keras_vae's may be asked for any number, and make them at once."""
    if not _is_own(value):
        return value.get("module") in LAYER_MODULES
    arguments = value["config"] if isinstance(value.get("config"), dict) else {}
    names = () if issubclass(REGISTRY[value["class_name"]], Likelihood) else COUNTS  # whose `levels` are of greys
    counts = [arguments[name] for name in names if isinstance(arguments.get(name), int)]
    lists = sum(len(item) for item in arguments.values() if isinstance(item, list))
    return math.prod(1 + max(0, count) for count in counts) + lists  # blocks of so many layers each: their product


def _is_own(config):
    name = config.get("class_name")
    return isinstance(name, str) and name in REGISTRY and config.get("registered_name") == f"{PACKAGE}>{name}"


def _is_plain_keras(config):
    name, module = config["class_name"], config.get("module")
    if not isinstance(name, str) or not name.isidentifier() or name in REFUSED:
        return False
    if config.get("registered_name") not in (None, name):  # a registered name would take precedence over the module
        return False
    if name in VALUES or module in FUNCTIONAL_MODULES:
        return name != "function"
    return module in KERAS_MODULES and _is_plain_class(_lookup(module, name))


def _lookup(module, name):
    holder = functools.reduce(getattr, module.split(".")[1:], keras)
    return getattr(holder, name, None)


def _is_plain_class(found):
    plain = (
        keras.Layer,
        keras.DTypePolicy,
        keras.initializers.Initializer,
        keras.regularizers.Regularizer,
        keras.constraints.Constraint,
    )
    return isinstance(found, type) and issubclass(found, plain)
