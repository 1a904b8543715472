"""Transposed convolution over one axis that is fast on every backend."""

import keras

from keras_vae.core.registration import registered
from keras_vae.layers.upsampling import Upsampling


@registered
class UpsamplingConv1D(Upsampling, keras.layers.Conv1DTranspose):
    """`keras.layers.Conv1DTranspose` with padding "same", with the same weights and values, fast on JAX's CPU too.

    There the gradient of a transposed convolution is some nine times slower than that of an ordinary one, so the layer
    computes its exact phase form: for each of the strides phases a small convolution at the low resolution, with the
    taps of the kernel that reach it, and their outputs interleaved.

    Args:
        filters: int >= 1, output channels.
        kernel_size: int >= 1.
        strides: int >= 1, the upsampling. Default: 2.
        **kwargs: of keras.layers.Conv1DTranspose, but for `padding`, `output_padding` and `dilation_rate`.

    Input shape:
        (batch, steps, channels).

    Output shape:
        (batch, steps * strides, filters).

    Raises:
        ValueError: for a `data_format` other than channels_last, or another `padding`, `output_padding` or
            `dilation_rate`.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.UpsamplingConv1D(2, 4)(np.ones((1, 5, 3), "float32")).shape)
    (1, 10, 2)
    """

    def __init__(self, filters, kernel_size, strides=2, **kwargs):
        super().__init__(filters, kernel_size, strides=strides, **kwargs)
