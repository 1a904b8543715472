"""Fully connected encoder and decoder."""

import math

import keras
import numpy as np
from keras import layers

from keras_vae.core.checks import instance, integers
from keras_vae.core.registration import registered
from keras_vae.layers import Centering, Chain


@registered
class MLPEncoder(Chain):
    """Flattens its input and applies fully connected layers: features for vectors and small images.

    Args:
        units: sequence of ints >= 1, the widths of the hidden layers, all activated.
        activation: str, name of a Keras activation. Default: "relu".
        centered: bool, whether the mean of the data is taken off first, which `adapt(x)` measures. Default: False.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...), any.

    Output shape:
        (batch, units[-1]).

    Raises:
        ValueError: if a width is not >= 1.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.MLPEncoder(units=(16, 8))(np.ones((2, 4, 4, 1), "float32")).shape)
    (2, 8)
    """

    def __init__(self, units, activation="relu", centered=False, **kwargs):
        super().__init__(**kwargs)
        self.units = integers("units", units)
        self.activation = activation
        self.centered = instance("centered", centered, bool)
        self.autocast = not self.centered  # the mean is taken off in float32

    def make_parts(self, input_shape):
        policy = self.dtype_policy
        hidden = [layers.Dense(n, self.activation, dtype=policy, name=f"dense_{i}") for i, n in enumerate(self.units)]
        first = [Centering(dtype=policy, name="centering")] if self.centered else []
        return [*first, layers.Flatten(dtype=policy, name="flatten"), *hidden]

    @property
    def is_one_sigmoid_layer(self):
        """Whether this is a single sigmoid layer, whose Jacobian has a closed form; a subclass may do otherwise."""
        one = type(self) is MLPEncoder and len(self.units) == 1
        return one and keras.activations.get(self.activation) is keras.activations.sigmoid

    def tied_decoder(self):
        """The decoder of the transposed kernels of this encoder, which a model makes where it is given none."""
        from keras_vae.nets.tied_mlp import TiedMLPDecoder  # which imports this file

        return TiedMLPDecoder(self)

    def adapt(self, x):
        """Measures the mean that a centred encoder takes off, as keras.layers.Normalization does: before `fit`.

        Args:
            x: array (n, ...), the training data, as it will be fed.

        Raises:
            ValueError: if the encoder was not made with `centered=True`, or `x` is empty, not finite or of another
                shape than the encoder was built for.
        """
        if not self.centered:
            raise ValueError("`centered` must be True for `adapt`. Received: an encoder with centered=False.")
        if not self.built:
            self.build((None, *np.shape(x)[1:]))
            self.built = True
        self.parts[0].adapt(x)


@registered
class MLPDecoder(Chain):
    """Fully connected layers, then one linear layer shaped as the data: the raw parameters of the likelihood.

    Args:
        output_shape: sequence of ints >= 1, the shape of x without the batch; its last axis times
            `likelihood.params_per_channel`.
        units: sequence of ints >= 1, the widths of the hidden layers, all activated.
        activation: str, name of a Keras activation. Default: "relu".
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...), latents.

    Output shape:
        (batch, *output_shape), linear.

    Raises:
        ValueError: if a width or size is not >= 1.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.MLPDecoder((4, 4, 1), units=(8, 16))(np.ones((2, 3), "float32")).shape)
    (2, 4, 4, 1)
    """

    def __init__(self, output_shape, units, activation="relu", **kwargs):
        super().__init__(**kwargs)
        self.output_shape = integers("output_shape", output_shape)
        self.units = integers("units", units)
        self.activation = activation

    def make_parts(self, input_shape):
        policy = self.dtype_policy
        hidden = [layers.Dense(n, self.activation, dtype=policy, name=f"dense_{i}") for i, n in enumerate(self.units)]
        # The last layer is float32: its outputs are the parameters of a density.
        last = layers.Dense(math.prod(self.output_shape), dtype="float32", name="output")
        return [
            layers.Flatten(dtype=policy, name="flatten"),
            *hidden,
            last,
            layers.Reshape(self.output_shape, dtype="float32", name="reshape"),
        ]
