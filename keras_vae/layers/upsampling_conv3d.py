"""Transposed convolution over three axes that is fast on every backend."""

import keras

from keras_vae.core.registration import registered
from keras_vae.layers.upsampling import Upsampling


@registered
class UpsamplingConv3D(Upsampling, keras.layers.Conv3DTranspose):
    """`keras.layers.Conv3DTranspose` with padding "same", with the same weights and values, fast on JAX's CPU too.

    There the gradient of a transposed convolution is some nine times slower than that of an ordinary one, so the layer
    computes its exact phase form: for each of the strides^3 phases a small convolution at the low resolution, with the
    taps of the kernel that reach it, and their outputs interleaved.

    Args:
        filters: int >= 1, output channels.
        kernel_size: int or three ints >= 1.
        strides: int or three ints >= 1, the upsampling. Default: 2.
        **kwargs: of keras.layers.Conv3DTranspose, but for `padding`, `output_padding` and `dilation_rate`.

    Input shape:
        (batch, depth, height, width, channels).

    Output shape:
        (batch, depth * strides, height * strides, width * strides, filters).

    Raises:
        ValueError: for a `data_format` other than channels_last, or another `padding`, `output_padding` or
            `dilation_rate`.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.UpsamplingConv3D(2, 4)(np.ones((1, 2, 5, 7, 3), "float32")).shape)
    (1, 4, 10, 14, 2)
    """

    def __init__(self, filters, kernel_size, strides=2, **kwargs):
        super().__init__(filters, kernel_size, strides=strides, **kwargs)
