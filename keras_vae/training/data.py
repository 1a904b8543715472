"""Checks on data where it enters: arrays whole, generators batch by batch, other streams on their first batch."""

import copy
import os
import types

import keras
import numpy as np

FEEDS = "an array, tf.data, a torch DataLoader, a PyDataset, a grain dataset or a generator"
LARGEST = float(np.finfo("float32").max)


def checked_stream(x, check, name, check_target=None, faults=None):
    """Checks an array whole, or the first batch of a stream; returns what is to be trained on.

    A generator is used up by looking at it, so its first batch is put back in front, and as it passes through here
    anyway, each of its batches is checked. `check_target` is for the second part of a batch; None for `check`. An error
    about a later batch is put into the list `faults` as well: TensorFlow raises its own in its place.
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
        return _checked_batches(first, x, checks, name, [] if faults is None else faults)
    if hasattr(x, "__getitem__") and hasattr(x, "num_batches"):  # keras.utils.PyDataset: has no end when iterated
        if x.num_batches == 0:
            raise ValueError(f"`{name}` must hold at least one batch. Received: {type(x).__name__} of length 0.")
        first = x[0]
    elif hasattr(x, "__iter__") and not isinstance(x, (str, bytes, os.PathLike)):
        first = next(iter(x), None)
        if first is None:
            raise ValueError(f"`{name}` must yield at least one batch. Received: an empty {type(x).__name__}.")
    else:
        raise TypeError(f"`{name}` must be {FEEDS}. Received: {name}={x!r}, a {type(x).__name__}.")
    _check_batch(first, checks, name)
    if hasattr(x, "collate_fn") and (is_array(first) or isinstance(first, dict)):
        x = copy.copy(x)
        x.collate_fn = _Tupled(x.collate_fn)
    return x


def _checked_batches(first, rest, checks, name, faults):
    # Keras recognises generators by their type, so no other iterator would do; and it wants tuples from them.
    yield first if isinstance(first, tuple) else (first,)
    for number, batch in enumerate(rest, start=2):
        try:
            _check_batch(batch, checks, name, f"batch {number}")
        except (TypeError, ValueError) as error:
            faults.append(error)
            raise
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


def _check_batch(batch, checks, name, which="first batch"):
    parts = batch if isinstance(batch, (tuple, list)) else (batch,)
    labels = [f"{name} ({which}, {part})" if len(parts) > 1 else f"{name} ({which})" for part in ("x", "y")]
    for part, label, check in zip(parts[:2], labels, checks, strict=False):
        if is_array(part) or isinstance(part, (dict, list, tuple)):
            check(part, label)
    if len(parts) > 1:
        check_length(labels[1], parts[1], labels[0], parts[0])
    if len(parts) > 2 and parts[2] is not None:
        label = f"{name} ({which}, sample_weight)"
        check_weights(label, parts[2], of_all=False)
        check_length(label, parts[2], labels[0], parts[0])


def check_length(name, values, other, others):
    """Raises where two arrays hold different numbers of examples."""
    if isinstance(others, dict) and others:
        others = next(iter(others.values()))
    if is_array(values) and is_array(others) and len(values.shape) and values.shape[0] != others.shape[0]:
        raise ValueError(
            f"`{name}` must have one entry for each of the {others.shape[0]} examples of `{other}`. "
            f"Received: {values.shape[0]}."
        )


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
        ValueError: for the rest, numbers too large for float32 among it.
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
        floats = (
            values if values.dtype.itemsize > 4 else values.astype("float32", copy=False)
        )  # bfloat16 has no isfinite
        bad = int(values.size - np.isfinite(floats).sum())
        raise ValueError(f"`{name}` must be finite. Received: {bad} NaN or infinite of {values.size} values.")
    if max(-low, high) > LARGEST:
        raise ValueError(
            f"`{name}` must be within the range of float32, {LARGEST:.3g}. Received: values from {low:g} to {high:g}."
        )
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


def check_weights(name, weights, of_all=True):
    """Raises unless `weights` are finite numbers >= 0, one for each example, and not all zero.

    Args:
        name: str, the argument as the user knows it.
        weights: array-like of shape (batch,) or (batch, 1).
        of_all: bool, whether they are of all examples: one batch of a stream may be all padding, of weight zero.
    """
    if not is_array(weights):
        raise TypeError(f"`{name}` must be an array of shape (batch,). Received: a {type(weights).__name__}.")
    values = check_values(name, weights)
    if values.size != len(values):
        raise ValueError(f"`{name}` must have shape (batch,). Received: shape={values.shape}.")
    low, high = float(values.min()), float(values.max())
    if low < 0 or (of_all and high == 0):
        raise ValueError(f"`{name}` must be >= 0 and not all zero. Received: values from {low:g} to {high:g}.")


def _to_numpy(x):
    return keras.ops.convert_to_numpy(x) if hasattr(x, "dtype") else np.asarray(x)
