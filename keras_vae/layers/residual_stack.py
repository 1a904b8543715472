"""The residual blocks of VQ-VAE."""

import keras
from keras import ops

from keras_vae.core.checks import integer
from keras_vae.core.registration import Configured, registered
from keras_vae.layers.spatial import CONVOLUTIONS, spatial_axes


@registered
class ResidualStack(Configured, keras.layers.Layer):
    """Residual blocks x <- x + conv1x1(relu(conv3x3(relu(x)))), then a last relu (van den Oord 2017, section 4.1).

    Over one, two or three spatial axes, as the input has: kernels of 3 and of 1 along each of them.

    Args:
        filters: int >= 1, channels of the input and output.
        hidden: int >= 1, channels inside a block.
        depth: int >= 0, the number of blocks. Default: 2.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, *sizes, filters), of one, two or three sizes.

    Output shape:
        The same.

    Raises:
        ValueError: if an argument is out of range, or the input has no such shape.

    Reference:
        van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.ResidualStack(filters=4, hidden=2)(np.ones((1, 8, 8, 4), "float32")).shape)
    (1, 8, 8, 4)
    """

    def __init__(self, filters, hidden, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.filters = integer("filters", filters)
        self.hidden = integer("hidden", hidden)
        self.depth = integer("depth", depth, low=0)
        # Initializers take their seeds when they are made: here, as ever, so that a seeded run starts where it did.
        self.first, self.second = ([keras.initializers.GlorotUniform() for _ in range(self.depth)] for _ in range(2))

    def build(self, input_shape):
        convolution, policy = CONVOLUTIONS[spatial_axes("x", input_shape)], self.dtype_policy
        if input_shape[-1] != self.filters:
            raise ValueError(
                f"`filters` must be the channels of the input, here {input_shape[-1]}. "
                f"Received: filters={self.filters}."
            )
        self.wide = [
            convolution(self.hidden, 3, padding="same", kernel_initializer=start, dtype=policy, name=f"wide_{i}")
            for i, start in enumerate(self.first)
        ]
        self.narrow = [
            convolution(self.filters, 1, kernel_initializer=start, dtype=policy, name=f"narrow_{i}")
            for i, start in enumerate(self.second)
        ]
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            wide.build(input_shape)
            narrow.build((*input_shape[:-1], self.hidden))

    def call(self, x):
        for wide, narrow in zip(self.wide, self.narrow, strict=True):
            x = x + narrow(ops.relu(wide(_relu(x))))
        return _relu(x)

    def compute_output_shape(self, input_shape):
        return input_shape


def _relu(x):
    """relu of a sum: TensorFlow (2.21, CPU) fails, and says so, to fuse its own with a sum that has other uses."""
    return ops.where(x <= 0, 0, x)
