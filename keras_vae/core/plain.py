"""Values as JSON can hold them."""

import math
import numbers
import os

import numpy as np


def plain(value, name="value", infinite=False):
    """`value` in dicts, lists, strings and Python's own numbers, for JSON.

    Args:
        value: dicts with any keys, lists, tuples, paths, strings, None, numbers and arrays of numpy or of a backend.
        name: str, what errors call it.
        infinite: bool, whether NaN and infinity are taken, as None; else they are refused. Default: False.

    Returns:
        The same, plain.

    Raises:
        TypeError: for an object that JSON cannot hold; the message names the place.
        ValueError: for NaN or infinity, where `infinite` is False.

    Example:

    >>> import numpy as np
    >>> from keras_vae.core.plain import plain
    >>> plain({"a": np.float32(0.5), 1: (np.arange(2), None)})
    {'a': 0.5, '1': [[0, 1], None]}
    """
    if isinstance(value, dict):
        return {str(key): plain(item, f"{name}[{key!r}]", infinite) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item, f"{name}[{i}]", infinite) for i, item in enumerate(value)]
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    if isinstance(value, numbers.Real):
        if math.isfinite(value):
            return float(value)
        if infinite:
            return None
        raise ValueError(f"`{name}` must be finite. Received: {name}={value!r}.")
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist(), name, infinite)
    if hasattr(value, "__array__"):
        return plain(np.asarray(value), name, infinite)
    raise TypeError(
        f"`{name}` must hold numbers, strings, lists and dicts. Received: {type(value).__name__}: {value!r}."
    )
