"""The configuration of a layer, model or metric: complete, and the same after a round trip through JSON."""

import json
import math
import numbers

import keras

from keras_vae.core.registration import arguments
from keras_vae.testing.comparing import ensure


def check_config(thing):
    """Checks that every constructor argument survives `get_config` -> JSON -> `from_config`.

    Give it something made with arguments that are not the defaults: a lost one shows only then.

    Args:
        thing: layer, model or metric whose class is registered with Keras.

    Returns:
        The object that was made of the configuration.

    Raises:
        AssertionError: if the class is not registered, an argument is missing or altered, or the copy says otherwise.

    Example:

    >>> import keras_vae
    >>> from keras_vae.testing import check_config
    >>> check_config(keras_vae.KSparse(3, alpha=2.0)).alpha
    2.0
    """
    cls, name = type(thing), keras.saving.get_registered_name(type(thing))
    ensure(
        keras.saving.get_registered_object(name) is cls,
        f"{cls.__name__} is not registered, so that no file of it can be loaded. "
        'Fix: decorate it with `@keras.saving.register_keras_serializable(package="mine")`.',
    )
    config = plain(keras.saving.serialize_keras_object(thing))
    missing = sorted(set(arguments(cls)) - set(config["config"]))
    ensure(
        not missing,
        f"`get_config` of {cls.__name__} lacks {missing}: a loaded one has the defaults. Fix: leave `get_config` to "
        "the base and keep an attribute for each argument, or return these too.",
    )
    for argument in arguments(cls):
        own, kept = _number(getattr(thing, argument, None)), config["config"][argument]
        if isinstance(own, (bool, str)):
            same = kept == own
        elif isinstance(own, numbers.Real):
            same = isinstance(kept, numbers.Real) and math.isclose(kept, own, rel_tol=1e-6)
        else:
            continue  # a part, which `again` below compares
        ensure(same, f"`get_config` of {cls.__name__} says {argument}={kept!r}, and the attribute is {own!r}.")
    again = keras.saving.deserialize_keras_object(config)
    ensure(type(again) is cls, f"the configuration of a {cls.__name__} makes a {type(again).__name__}.")
    copy = plain(keras.saving.serialize_keras_object(again))
    differ = [key for key, value in config["config"].items() if copy["config"].get(key) != value]
    ensure(copy == config, f"a {cls.__name__} made from its configuration has another one: {differ} differ.")
    return again


def plain(value):
    """A configuration value as JSON would give it back, so that tuples and lists, 1 and 1.0 compare equal."""
    return json.loads(json.dumps(value))


def _number(value):
    """A scheduled coefficient as the number that it is now."""
    is_scalar = isinstance(value, keras.Variable) and value.shape == ()
    return keras.ops.convert_to_numpy(value.value).item() if is_scalar else value
