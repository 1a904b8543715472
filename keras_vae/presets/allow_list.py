"""What a preset's `config.json` may name: keras_vae's classes and plain parts of Keras, and nothing that runs code."""

import functools

import keras

from keras_vae.ops.registration import PACKAGE, REGISTRY
from keras_vae.presets.preset_error import PresetError

KERAS_MODULES = ("keras", "keras.layers", "keras.initializers", "keras.regularizers", "keras.constraints")
FUNCTIONAL_MODULES = ("keras.src.models.functional", "keras.src.ops.numpy", "keras.src.ops.nn")  # of functional nets
VALUES = ("__keras_tensor__", "__numpy__", "__tensor__")  # Keras' own spelling of shapes and constants
# Public Keras layers that call a function, import a module or open a file which their config names.
REFUSED = frozenset(
    "Lambda FlaxLayer JaxLayer TorchModuleWrapper TFSMLayer IntegerLookup StringLookup TextVectorization".split()
)


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
        _check(config, str(where))
    except RecursionError as error:
        raise PresetError(f"{where} is nested too deeply.") from error


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


def _check(value, where):
    if isinstance(value, dict):
        if "class_name" in value and not (_is_own(value) or _is_plain_keras(value)):
            raise PresetError(
                f"{where}: only keras_vae's classes and plain Keras layers, initializers, regularizers and constraints "
                f"may be in a preset. Received: class_name={value['class_name']!r}, module={value.get('module')!r}, "
                f"registered_name={value.get('registered_name')!r}."
            )
        for key, item in value.items():
            _check(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            _check(item, f"{where}[{i}]")


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
