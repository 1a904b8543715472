"""Convolutional encoder and decoder with one vector in between."""

import math

from keras import layers

from keras_vae.core.checks import integer, integers
from keras_vae.core.registration import registered
from keras_vae.layers import Chain, UpsamplingConv2D
from keras_vae.layers.spatial import check_divisible


@registered
class ConvEncoder(Chain):
    """Convolutions of stride 2, then a fully connected layer: features for images of any size divisible by the stride.

    With the defaults, the encoder of the disentanglement literature (Burgess et al. 2018, arXiv:1804.03599, appendix
    A).

    Args:
        filters: sequence of ints >= 1, channels of each convolution; the total stride is 2 ** len(filters). Default:
            (32, 32, 64, 64).
        units: int >= 1, width of the fully connected layer. Default: 256.
        kernel_size: int >= 1. Default: 4.
        activation: str, name of a Keras activation. Default: "relu".
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, height, width, channels), both sizes divisible by the total stride.

    Output shape:
        (batch, units).

    Raises:
        ValueError: if an argument is out of range, or a size is not divisible by the total stride.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.ConvEncoder(filters=(4, 8), units=16)(np.ones((2, 12, 20, 3), "float32")).shape)
    (2, 16)
    """

    def __init__(self, filters=(32, 32, 64, 64), units=256, kernel_size=4, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.filters = integers("filters", filters, shortest=1)
        self.units = integer("units", units)
        self.kernel_size = integer("kernel_size", kernel_size)
        self.activation = activation

    def make_parts(self, input_shape):
        if len(input_shape) != 4:
            raise ValueError(f"`x` must have shape (batch, height, width, channels). Received: shape={input_shape}.")
        check_divisible("x", input_shape[1:3], 2 ** len(self.filters))
        shared = {"activation": self.activation, "dtype": self.dtype_policy}
        convolutions = [
            layers.Conv2D(n, self.kernel_size, strides=2, padding="same", name=f"conv_{i}", **shared)
            for i, n in enumerate(self.filters)
        ]
        return [
            *convolutions,
            layers.Flatten(dtype=self.dtype_policy, name="flatten"),
            layers.Dense(self.units, name="dense", **shared),
        ]


@registered
class ConvDecoder(Chain):
    """One fully connected layer, a small feature map, and transposed convolutions of stride 2 up to the data's size.

    The mirror of `ConvEncoder`, with the same list of filters read backwards.

    Args:
        output_shape: (height, width, channels) of x, the channels times `likelihood.params_per_channel`; both sizes
            divisible by the total stride.
        filters: sequence of ints >= 1, as the encoder's: the first feature map has filters[-1] channels. Default:
            (32, 32, 64, 64).
        units: int >= 1, width of the fully connected layer. Default: 256.
        kernel_size: int >= 1. Default: 4.
        activation: str, name of a Keras activation. Default: "relu".
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...), latents.

    Output shape:
        (batch, height, width, channels), linear.

    Raises:
        ValueError: if an argument is out of range, or a size is not divisible by the total stride.

    Example:

    >>> import numpy as np, keras_vae
    >>> decoder = keras_vae.ConvDecoder((12, 20, 3), filters=(4, 8), units=16)
    >>> tuple(decoder(np.ones((2, 5), "float32")).shape)
    (2, 12, 20, 3)
    """

    def __init__(self, output_shape, filters=(32, 32, 64, 64), units=256, kernel_size=4, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.output_shape = integers("output_shape", output_shape)
        self.filters = integers("filters", filters, shortest=1)
        self.units = integer("units", units)
        self.kernel_size = integer("kernel_size", kernel_size)
        self.activation = activation
        if len(self.output_shape) != 3:
            raise ValueError(f"`output_shape` must be (height, width, channels). Received: {self.output_shape}.")
        check_divisible("output_shape", self.output_shape[:2], 2 ** len(self.filters))

    def make_parts(self, input_shape):
        height, width, channels = self.output_shape
        factor = 2 ** len(self.filters)
        first = (height // factor, width // factor, self.filters[-1])
        shared = {"activation": self.activation, "dtype": self.dtype_policy}
        convolutions = [
            UpsamplingConv2D(n, self.kernel_size, name=f"conv_{i}", **shared)
            for i, n in enumerate(reversed(self.filters[:-1]))
        ]
        return [
            layers.Flatten(dtype=self.dtype_policy, name="flatten"),
            layers.Dense(self.units, name="dense", **shared),
            layers.Dense(math.prod(first), name="to_map", **shared),
            layers.Reshape(first, dtype=self.dtype_policy, name="reshape"),
            *convolutions,
            # The last layer is float32: its outputs are the parameters of a density.
            UpsamplingConv2D(channels, self.kernel_size, dtype="float32", name="output"),
        ]
