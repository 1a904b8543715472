"""Checks on data where it enters: arrays whole, streams on their first batch."""

import copy
import itertools
import types

import keras
import numpy as np


def checked_stream(x, check, name, check_target=None):
    """Checks an array whole, or the first batch of a stream; returns what is to be trained on.

    A generator is used up by looking at it, so its first batch is put back in front. `check_target` is for the second
    part of a batch; None for `check`.
    """
    checks = (check, check_target or check)
    if is_array(x) or isinstance(x, (dict, list, tuple)):
        check(x, name)
        return x
    if isinstance(x, types.GeneratorType):
        first = next(x, None)
        if first is None:
            raise ValueError(f"`{name}` must yield at least one batch. Received: an empty generator.")
        _check_batch(first, checks, name)
        return _chain(first, x)
    if hasattr(x, "__getitem__") and hasattr(x, "num_batches"):  # keras.utils.PyDataset: has no end when iterated
        if x.num_batches == 0:
            raise ValueError(f"`{name}` must hold at least one batch. Received: {type(x).__name__} of length 0.")
        first = x[0]
    elif hasattr(x, "__iter__"):
        first = next(iter(x), None)
        if first is None:
            raise ValueError(f"`{name}` must yield at least one batch. Received: an empty {type(x).__name__}.")
    else:
        return x
    _check_batch(first, checks, name)
    if hasattr(x, "collate_fn") and is_array(first):
        x = copy.copy(x)
        x.collate_fn = _Tupled(x.collate_fn)
    return x


def _chain(first, rest):
    # Keras recognises generators by their type, so a bare itertools.chain would not do; and it wants tuples from them.
    for batch in itertools.chain([first], rest):
        yield batch if isinstance(batch, tuple) else (batch,)


class _Tupled:
    """The `collate_fn` of a torch DataLoader of bare inputs, which Keras reads on torch only, made to give (x,)."""

    def __init__(self, collate):
        self.collate = collate

    def __call__(self, items):
        return (self.collate(items),)


def is_array(x):
    """Whether `x` is an array, a tensor or a data frame."""
    return hasattr(x, "shape") and (hasattr(x, "dtype") or hasattr(x, "dtypes"))


def _check_batch(batch, checks, name):
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    for part, label, check in zip(parts[:2], ("x", "y"), checks, strict=False):
        if is_array(part) or isinstance(part, (dict, list, tuple)):
            check(part, f"{name} (first batch, {label})" if len(parts) > 1 else f"{name} (first batch)")


def check_values(name, x, shape=None, interval=None, reason="", whole=None):
    """Raises if an array is empty, not numeric, not finite, out of range or of the wrong shape.

    Args:
        name: str, the argument as the user knows it.
        x: array-like of shape (batch, ...).
        shape: tuple without the batch axis that `x` must have (None for any), or None.
        interval: (low, high) that the values must lie in, or None.
        reason: str, who asks for the interval ("BernoulliLikelihood").
        whole: bool, whether every value must be a whole number.

    Returns:
        `x` as a numpy array.

    Raises:
        TypeError: for values that are not numbers.
        ValueError: for the rest.
    """
    values = x if isinstance(x, np.ndarray) else _to_numpy(x)
    if values.dtype.kind not in "biuf" and values.dtype.name != "bfloat16":
        raise TypeError(f"`{name}` must be an array of numbers. Received: dtype={values.dtype}.")
    if values.ndim == 0 or values.shape[0] == 0:
        raise ValueError(f"`{name}` must hold at least one example. Received: shape={values.shape}.")
    if shape is not None:
        fits = values.ndim == len(shape) + 1
        fits = fits and all(s is None or s == v for s, v in zip(shape, values.shape[1:], strict=True))
        if not fits:
            accepted = "(batch, " + ", ".join("any" if s is None else str(s) for s in shape) + ")"
            raise ValueError(f"`{name}` must have shape {accepted}. Received: shape={values.shape}.")
    if values.dtype.kind in "iub" and interval is None:
        return values
    low, high = float(values.min()), float(values.max())  # NaN and infinity propagate: one pass, no mask in memory
    if not (np.isfinite(low) and np.isfinite(high)):
        bad = int(values.size - np.isfinite(values.astype("float32", copy=False)).sum())
        raise ValueError(f"`{name}` must be finite. Received: {bad} NaN or infinite of {values.size} values.")
    if whole and not np.all(values == np.round(values)):
        raise ValueError(f"`{name}` must hold whole numbers. Received: dtype={values.dtype} with fractions.")
    if interval is not None and (low < interval[0] or high > interval[1]):
        asks = f" for {reason}" if reason else ""
        hint = " Divide 8-bit images by 255." if interval == (0.0, 1.0) and high > 1.5 and low >= 0 else ""
        raise ValueError(
            f"`{name}` must be in [{interval[0]:g}, {interval[1]:g}]{asks}. "
            f"Received: values from {low:g} to {high:g}.{hint}"
        )
    return values


def check_weights(name, weights):
    """Raises unless `weights` are finite numbers, one for each example.

    Args:
        name: str, the argument as the user knows it.
        weights: array-like of shape (batch,) or (batch, 1).
    """
    values = check_values(name, weights)
    if values.size != len(values):
        raise ValueError(f"`{name}` must have shape (batch,). Received: shape={values.shape}.")


def _to_numpy(x):
    return keras.ops.convert_to_numpy(x) if hasattr(x, "dtype") else np.asarray(x)
