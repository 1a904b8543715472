"""How far the code of an encoder moves when its input does."""

import keras

from keras_vae.nets import MLPEncoder
from keras_vae.ops.jacobian import sigmoid_squared_jacobian, squared_jacobian
from keras_vae.training import pure


def is_one_sigmoid_layer(encoder):
    """Whether the encoder is one sigmoid layer, whose Jacobian costs no more than the layer."""
    if type(encoder) is not MLPEncoder or len(encoder.units) != 1:  # a subclass may do otherwise
        return False
    return keras.activations.get(encoder.activation) is keras.activations.sigmoid


def encoder_squared_jacobian(encoder, x, h):
    """||dh/dx||_F^2 at x, (batch,), exact; `h` is the encoder's output there."""
    if is_one_sigmoid_layer(encoder):
        return sigmoid_squared_jacobian(h, encoder.dense_layers()[0].kernel)
    return squared_jacobian(pure(encoder), x)
