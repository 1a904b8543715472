"""Transposed convolution over two axes that is fast on every backend."""

import keras

from keras_vae.core.registration import registered
from keras_vae.layers.upsampling import Upsampling


@registered
class UpsamplingConv2D(Upsampling, keras.layers.Conv2DTranspose):
    """`keras.layers.Conv2DTranspose` with padding "same", with the same weights and values, fast on JAX's CPU too.

    There the gradient of a transposed convolution is some nine times slower than that of an ordinary one, so the layer
    computes its exact phase form: for each of the strides^2 phases a small convolution at the low resolution, with the
    taps of the kernel that reach it, and their outputs interleaved.

    Args:
        filters: int >= 1, output channels.
        kernel_size: int or pair of ints >= 1.
        strides: int or pair of ints >= 1, the upsampling. Default: 2.
        **kwargs: of keras.layers.Conv2DTranspose, but for `padding`, `output_padding` and `dilation_rate`.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        (batch, height * strides, width * strides, filters).

    Raises:
        ValueError: for a `data_format` other than channels_last, or another `padding`, `output_padding` or
            `dilation_rate`.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.UpsamplingConv2D(2, 4)(np.ones((1, 5, 7, 3), "float32")).shape)
    (1, 10, 14, 2)
    """

    def __init__(self, filters, kernel_size, strides=2, **kwargs):
        super().__init__(filters, kernel_size, strides=strides, **kwargs)
