"""What the transposed convolutions of one, two and three axes share."""

import numpy as np
from keras import ops

from keras_vae import _backend

FIXED = {"padding": "same", "output_padding": None, "dilation_rate": 1}


class Upsampling:
    """Mixin before a transposed convolution of Keras: padding "same", computed as is fast on every backend.

    On JAX's CPU the gradient of a transposed convolution is some nine times slower than that of an ordinary one, so it
    is computed in its exact phase form: for each phase of the strides a small convolution at the low resolution, with
    the taps of the kernel that reach it, and their outputs interleaved.
    """

    def __init__(self, filters, kernel_size, strides=2, **kwargs):
        for name, only in FIXED.items():
            given = kwargs.pop(name, only)
            if not np.array_equal(given, np.broadcast_to(only, np.shape(given))):  # (1, 1) in a configuration is 1
                raise ValueError(f"`{name}` must be left at {only!r}. Received: {name}={given!r}.")
        super().__init__(filters, kernel_size, strides=strides, **kwargs, **FIXED)
        if self.data_format != "channels_last":
            raise ValueError(f"`data_format` must be 'channels_last'. Received: data_format={self.data_format!r}.")

    def call(self, inputs):
        outputs = _backend.conv_transpose_same(inputs, self.kernel, self.strides)
        if self.use_bias:
            outputs = ops.add(outputs, self.bias)
        return self.activation(outputs) if self.activation is not None else outputs
