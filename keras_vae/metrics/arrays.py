"""The checks that functions of arrays start with."""

import numpy as np
from keras import ops


def finite_array(name, value, shape, rank=None):
    """`value` as a float64 array, if it is finite, not empty and of `rank` (or of rank 2 and more).

    Args:
        name: str, the argument, for the message.
        value: array.
        shape: str, what is accepted, for the message: "(batch, latent_dim)".
        rank: int, or None for any from 2.
    """
    value = np.asarray(value, "float64")
    if value.ndim < 2 or value.ndim != (rank or value.ndim) or value.size == 0:
        raise ValueError(f"`{name}` must have shape {shape}, not empty. Received: shape {value.shape}.")
    bad = value.size - int(np.isfinite(value).sum())
    if bad:
        raise ValueError(f"`{name}` must be finite. Received: {bad} NaN or infinite values.")
    return value


def float_array(x):
    """An array or backend tensor as a float32 array."""
    return np.asarray(ops.convert_to_numpy(x) if ops.is_tensor(x) else x, "float32")


def float_tensor(x):
    """An array or backend tensor as a float32 tensor."""
    return ops.cast(ops.convert_to_tensor(x), "float32")


def same_shape(x, y):
    """Both arrays or tensors, after checking that what is known of their shapes agrees."""
    pairs = zip(x.shape, y.shape, strict=False)
    if len(x.shape) != len(y.shape) or any(a != b for a, b in pairs if a is not None and b is not None):
        raise ValueError(f"`y` must have the shape of `x`, {tuple(x.shape)}. Received: shape {tuple(y.shape)}.")
    return x, y
