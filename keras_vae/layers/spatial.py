"""Convolutions over one, two or three spatial axes, of data (batch, *sizes, channels)."""

import keras

from keras_vae.layers.upsampling_conv1d import UpsamplingConv1D
from keras_vae.layers.upsampling_conv2d import UpsamplingConv2D
from keras_vae.layers.upsampling_conv3d import UpsamplingConv3D

CONVOLUTIONS = {1: keras.layers.Conv1D, 2: keras.layers.Conv2D, 3: keras.layers.Conv3D}
UPSAMPLINGS = {1: UpsamplingConv1D, 2: UpsamplingConv2D, 3: UpsamplingConv3D}


def spatial_axes(name, shape):
    """The number of spatial axes of data of `shape`, (batch, *sizes, channels).

    Args:
        name: str, the argument as the user knows it.
        shape: tuple, the batch included.

    Raises:
        ValueError: unless it is 1, 2 or 3.
    """
    axes = len(shape) - 2
    if axes not in CONVOLUTIONS:
        raise ValueError(
            f"`{name}` must have shape (batch, *sizes, channels) of one, two or three sizes. "
            f"Received: shape={tuple(shape)}."
        )
    return axes


def check_divisible(name, sizes, factor):
    """Raises unless all sizes are known and divisible by the total stride."""
    if any(size is None or size % factor for size in sizes):
        told = " x ".join(map(str, sizes))
        raise ValueError(f"`{name}` must have sizes divisible by the total stride {factor}. Received: {told}.")


def check_doublings(name, above, below):
    """How many doublings lead from the sizes of one level to those of the next, `name`; raises where they do not."""
    if None in (*above, *below):
        raise ValueError(f"The features must be of known sizes. Received: {below} below {above}.")
    ratios = {fine / coarse for coarse, fine in zip(above, below, strict=False)}
    doublings = max(0, round(max(ratios)).bit_length() - 1)
    if len(above) != len(below) or ratios != {2**doublings}:
        raise ValueError(
            "The features of a level must be larger than those above it by a power of two, the same along every axis. "
            f"Received: sizes {below} of {name!r} below {above}."
        )
    return doublings
