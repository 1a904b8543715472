"""What a training depends on, in plain values that can be kept beside a checkpoint and compared key by key."""

import hashlib
import math
import numbers
import re

import keras
import numpy as np

_DIGESTED = 64 * 2**20  # bytes: of a larger array only as many, in rows evenly spaced; 0.1 s
_DROPPED = {"module", "build_config", "compile_config"}  # where the class lives, and what is compared by itself


def fingerprint(model, data=None):
    """What a training depends on: the backend, the model's and the optimizer's configuration, and the data.

    Names that Keras numbers by itself are numbered anew, for they depend on what was made before. Coefficients and
    learning rates are those of the moment: take the fingerprint before a callback assigns them.

    Args:
        model: compiled keras.Model. Of one that has no configuration only the class is kept.
        data: nest of arrays, plain values and streams, or None. An array is kept as its shape, its type and a digest of
            its content, above 64 MB of evenly spaced rows; a stream as what its method `fingerprint()` returns, a dict,
            where it has one, otherwise as the name of its class. Default: None.

    Returns:
        dict of what JSON can hold.
    """
    names = {}  # the optimizer of a part is named by the part's
    parts = {"backend": keras.backend.backend(), "model": _config(model, names)}
    parts["optimizer"] = _config(model.optimizer, names)
    return parts if data is None else {**parts, "data": described(data)}


def differences(stored, now):
    """What differs between two fingerprints, as sentences' parts: "`data.seed`: checkpoint 0, now 1".

    Data that one of them says nothing about are not compared.

    Args:
        stored: dict, as `fingerprint` returned it when the checkpoint was made.
        now: dict, as it returns it now.

    Returns:
        list of str, empty where they agree.
    """
    if not ("data" in stored and "data" in now):
        stored, now = ({key: value for key, value in parts.items() if key != "data"} for parts in (stored, now))
    stored, now = dict(_leaves(stored)), dict(_leaves(now))
    keys = [key for key in {**stored, **now} if stored.get(key, _ABSENT) != now.get(key, _ABSENT)]
    return [f"`{key}`: checkpoint {_told(stored, key)}, now {_told(now, key)}" for key in keys]


def described(value):
    """`value` in what JSON can hold: arrays as digests, streams as what they say of themselves."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        return float(value) if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {str(key): described(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [described(item) for item in value]
    if hasattr(value, "shape") and hasattr(value, "dtype"):
        return _digest(value if isinstance(value, np.ndarray) else keras.ops.convert_to_numpy(value))
    own = value.fingerprint() if hasattr(value, "fingerprint") else {}
    return {"class": type(value).__name__, **described(own)}


def _digest(array):
    step = max(1, -(-array.nbytes // _DIGESTED))
    rows = np.ascontiguousarray(array if array.ndim == 0 else array[::step])
    content = hashlib.sha256(rows.reshape(-1).view(np.uint8))
    return {"shape": list(array.shape), "dtype": str(array.dtype), "sha256": content.hexdigest()}


def _config(thing, names):
    try:
        config = keras.saving.serialize_keras_object(thing)
    except (NotImplementedError, TypeError):  # Keras's words for what has no configuration, or parts without one
        return {"class_name": type(thing).__name__}
    config = described(config)
    for part in _objects(config):
        stem = re.sub(r"_\d+$", "", name := part["config"]["name"])
        if stem.replace("_", "") == part["class_name"].replace("_", "").lower():
            names.setdefault(name, f"{stem}:{len(names)}")
    return _renamed(config, names)


def _objects(config):
    """Every part of a configuration that has a class and a name."""
    if isinstance(config, dict):
        own = config.get("config")
        if isinstance(config.get("class_name"), str) and isinstance(own, dict) and isinstance(own.get("name"), str):
            yield config
    for item in config.values() if isinstance(config, dict) else config if isinstance(config, list) else ():
        yield from _objects(item)


def _renamed(config, names):
    if isinstance(config, dict):
        kept = {key: value for key, value in config.items() if key not in _DROPPED}
        # Layers are told by "name" and in lists: another argument may be the same word, as IWAE's estimator="iwae".
        told = {key: isinstance(value, str) and key != "name" for key, value in kept.items()}
        return {_path(key, names): value if told[key] else _renamed(value, names) for key, value in kept.items()}
    if isinstance(config, list):
        return [_renamed(value, names) for value in config]
    return names.get(config, config) if isinstance(config, str) else config


def _path(key, names):
    """The key of a dict; where it is a path of weights, as in a map of optimizers, its parts are renamed."""
    return "/".join(names.get(step, step) for step in key.split("/")) if "/" in key else key


_ABSENT = object()


def _leaves(value, path=()):
    """(dotted path, plain value) of everything in a nest; "config" says nothing in a path."""
    if isinstance(value, (dict, list)) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, path if key == "config" else (*path, str(key)))
    else:
        yield ".".join(path), value


def _told(leaves, key):
    value = leaves.get(key, _ABSENT)
    text = "absent" if value is _ABSENT else f"{value:.8g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
