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
    value = numbers(name, value).astype("float64")
    if value.ndim < 2 or value.ndim != (rank or value.ndim) or value.size == 0:
        raise ValueError(f"`{name}` must have shape {shape}, not empty. Received: shape {value.shape}.")
    bad = value.size - int(np.isfinite(value).sum())
    if bad:
        raise ValueError(f"`{name}` must be finite. Received: {bad} NaN or infinite values.")
    return value


def numbers(name, value):
    """`value` as an array, if it holds real numbers: a conversion would drop imaginary parts, and read digits in text.

    Args:
        name: str, the argument, for the message.
        value: array, backend tensor or nested lists.
    """
    value = np.asarray(ops.convert_to_numpy(value) if ops.is_tensor(value) else value)
    if value.dtype.kind not in "biuf" and value.dtype.name != "bfloat16":
        raise TypeError(f"`{name}` must be an array of real numbers. Received: dtype={value.dtype}.")
    return value


def pictures(x, y, max_value):
    """Two float32 arrays of one shape, for measures of the difference between images and their reconstructions.

    Args:
        x: array or tensor of images.
        y: array or tensor of their reconstructions.
        max_value: float, the largest value that a pixel may have: integers beyond it are of another range.
    """
    given = {"x": numbers("x", x), "y": numbers("y", y)}
    for name, value in given.items():
        if value.dtype.kind in "iu" and value.size and value.max() > max_value:
            raise ValueError(
                f"`max_value` must be the largest value that a pixel may have, 255 for 8-bit images. Received: "
                f"max_value={max_value:g}, `{name}` of dtype {value.dtype} with values up to {value.max()}."
            )
    return same_shape(*(value.astype("float32") for value in given.values()))


def float_tensor(x):
    """An array or backend tensor as a float32 tensor."""
    return ops.cast(ops.convert_to_tensor(x), "float32")


def same_shape(x, y):
    """Both arrays or tensors, after checking that what is known of their shapes agrees."""
    pairs = zip(x.shape, y.shape, strict=False)
    if len(x.shape) != len(y.shape) or any(a != b for a, b in pairs if a is not None and b is not None):
        raise ValueError(f"`y` must have the shape of `x`, {tuple(x.shape)}. Received: shape {tuple(y.shape)}.")
    return x, y
