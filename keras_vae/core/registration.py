"""`@registered` registers a class under `keras_vae>Name`; `Configured` writes its `get_config` from its constructor."""

import inspect
import numbers

import keras

PACKAGE = "keras_vae"
REGISTRY = {}  # name -> class: what presets may hold, and what the conformance tests walk over


def registered(cls):
    """Registers a public class with Keras under `keras_vae>Name`, a contract once a preset is published.

    Args:
        cls: class of a layer, model or metric.

    Returns:
        The class.
    """
    REGISTRY[cls.__name__] = cls
    return keras.saving.register_keras_serializable(package=PACKAGE)(cls)


def _serialized(value):
    if isinstance(value, keras.Variable):  # a scheduled coefficient: its present value
        return keras.ops.convert_to_numpy(value).item()
    if isinstance(value, (list, tuple)):
        return [_serialized(v) for v in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict):
        return {k: _serialized(v) for k, v in value.items()}
    return keras.saving.serialize_keras_object(value)


def _object(value):
    if isinstance(value, dict) and "class_name" in value and "config" in value:
        return keras.saving.deserialize_keras_object(value)
    if isinstance(value, dict):  # parts by level
        return {k: _object(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_object(v) for v in value]
    return value


def arguments(cls):
    """The names of the constructor's arguments, without `self`, in order.

    A constructor that hands `**kwargs` to its parent takes the parent's arguments too: a variant of a user's own that
    names two of them must not lose the others in its configuration. What it sets itself, `super().__init__(...,
    bottleneck=...)`, it names in its class attribute `fixed`: that is no argument of its own.
    """
    names, fixed = {}, set()
    for base in cls.__mro__:
        if "__init__" not in vars(base) or not (base is cls or issubclass(base, Configured)):
            continue
        parameters = list(inspect.signature(base.__init__).parameters.values())[1:]
        kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
        names.update((p.name, None) for p in parameters if p.kind in kinds and p.name not in fixed)
        fixed.update(vars(base).get("fixed", ()))
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return list(names)


class Configured:
    """Mixin: one attribute per constructor argument, same name, is all a class needs to have a `get_config`."""

    fixed = ()  # arguments of the parent that the constructor of a class sets itself

    def get_config(self):
        own = {name: _serialized(getattr(self, name)) for name in arguments(type(self))}
        parent = super().get_config() if hasattr(super(), "get_config") else {}
        return {**parent, **own}

    def scalar(self, name, value, check, dtype="float32"):
        """A scalar weight that a compiled step reads and a callback may assign: a Python number would be baked in.

        Args:
            name: str, the attribute that it will be.
            value: number, its first value.
            check: function (name, value) of `ops.checks` that every value given to the attribute must pass.
            dtype: str. Default: "float32".
        """
        initializer = keras.initializers.Constant(check(name, value))
        vars(self).setdefault("_checks", {})[name] = check  # past Keras, which would track and save it
        return self.add_weight(
            shape=(), initializer=initializer, trainable=False, name=name, dtype=dtype, autocast=False
        )

    def __setattr__(self, name, value):
        """A number given for a scalar weight, `model.beta = 2.0`, is assigned to it: compiled steps read the weight."""
        present = vars(self).get(name)
        if not isinstance(present, keras.Variable) or isinstance(value, keras.Variable):
            super().__setattr__(name, value)
        elif check := vars(self).get("_checks", {}).get(name):
            present.assign(check(name, value))
        elif isinstance(value, numbers.Real):
            present.assign(value)
        else:
            super().__setattr__(name, value)

    def check_scalars(self):
        """Raises where a scalar weight was assigned, past the attribute, what its check refuses."""
        for name, check in vars(self).get("_checks", {}).items():
            check(name, keras.ops.convert_to_numpy(vars(self)[name].value).item())

    @classmethod
    def from_config(cls, config):
        return cls(**{key: _object(value) for key, value in config.items()})
