"""Fully connected encoder and decoder."""

import math

import keras
import numpy as np
from keras import layers

from keras_vae.core.checks import instance, integers, one_of
from keras_vae.core.registration import registered
from keras_vae.layers import Centering, Chain

NORMALIZATIONS = {"batch": layers.BatchNormalization, "layer": layers.LayerNormalization}


def hidden_layers(units, activation, normalization, policy):
    """A fully connected layer for each width, normalised before it is activated, where that is asked for."""
    if normalization is None:
        return [layers.Dense(n, activation, dtype=policy, name=f"dense_{i}") for i, n in enumerate(units)]
    made = []
    for i, n in enumerate(units):
        made += [
            layers.Dense(n, use_bias=False, dtype=policy, name=f"dense_{i}"),  # normalising has a shift of its own
            NORMALIZATIONS[normalization](dtype=policy, name=f"normalization_{i}"),
            layers.Activation(activation, dtype=policy, name=f"activation_{i}"),
        ]
    return made


@registered
class MLPEncoder(Chain):
    """Flattens its input and applies fully connected layers: features for vectors and small images.

    Args:
        units: sequence of ints >= 1, the widths of the hidden layers, all activated.
        activation: str, name of a Keras activation. Default: "relu".
        centered: bool, whether the mean of the data is taken off first, which `adapt(x)` measures. Default: False.
        normalization: "batch" or "layer", what normalises each hidden layer before it is activated, or None. Default:
            None.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...), any.

    Output shape:
        (batch, units[-1]).

    Raises:
        ValueError: if a width is not >= 1, or `normalization` is another.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.MLPEncoder(units=(16, 8))(np.ones((2, 4, 4, 1), "float32")).shape)
    (2, 8)
    """

    def __init__(self, units, activation="relu", centered=False, normalization=None, **kwargs):
        super().__init__(**kwargs)
        self.units = integers("units", units)
        self.activation = activation
        self.centered = instance("centered", centered, bool)
        self.normalization = one_of("normalization", normalization, (None, *NORMALIZATIONS))
        self.autocast = not self.centered  # the mean is taken off in float32

    def make_parts(self, input_shape):
        policy = self.dtype_policy
        hidden = hidden_layers(self.units, self.activation, self.normalization, policy)
        first = [Centering(dtype=policy, name="centering")] if self.centered else []
        return [*first, layers.Flatten(dtype=policy, name="flatten"), *hidden]

    @property
    def is_one_sigmoid_layer(self):
        """Whether this is a single sigmoid layer, whose Jacobian has a closed form; a subclass may do otherwise."""
        one = type(self) is MLPEncoder and len(self.units) == 1 and self.normalization is None
        return one and keras.activations.get(self.activation) is keras.activations.sigmoid

    def tied_decoder(self):
        """The decoder of the transposed kernels of this encoder, which a model makes where it is given none.

        Raises:
            ValueError: if the hidden layers are normalised: transposed kernels alone would not mirror them.
        """
        if self.normalization is not None:
            raise ValueError(
                "`normalization` must be None for a decoder with tied weights. "
                f"Received: normalization={self.normalization!r}."
            )
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
        normalization: "batch" or "layer", what normalises each hidden layer before it is activated, or None. Default:
            None.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...), latents.

    Output shape:
        (batch, *output_shape), linear.

    Raises:
        ValueError: if a width or size is not >= 1, or `normalization` is another.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.MLPDecoder((4, 4, 1), units=(8, 16))(np.ones((2, 3), "float32")).shape)
    (2, 4, 4, 1)
    """

    def __init__(self, output_shape, units, activation="relu", normalization=None, **kwargs):
        super().__init__(**kwargs)
        self.output_shape = integers("output_shape", output_shape)
        self.units = integers("units", units)
        self.activation = activation
        self.normalization = one_of("normalization", normalization, (None, *NORMALIZATIONS))

    def make_parts(self, input_shape):
        policy = self.dtype_policy
        hidden = hidden_layers(self.units, self.activation, self.normalization, policy)
        # The last layer is float32: its outputs are the parameters of a density.
        last = layers.Dense(math.prod(self.output_shape), dtype="float32", name="output")
        return [
            layers.Flatten(dtype=policy, name="flatten"),
            *hidden,
            last,
            layers.Reshape(self.output_shape, dtype="float32", name="reshape"),
        ]
