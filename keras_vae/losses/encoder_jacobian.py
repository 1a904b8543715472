"""How far the code of an encoder moves when its input does."""

from keras_vae.losses.jacobian import sigmoid_squared_jacobian, squared_jacobian
from keras_vae.training import pure


def is_one_sigmoid_layer(encoder):
    """Whether an encoder says of itself that it is one sigmoid layer, whose Jacobian costs no more than the layer.

    Args:
        encoder: keras layer.
    """
    return getattr(encoder, "is_one_sigmoid_layer", False)


def encoder_squared_jacobian(encoder, x, h, **seen):
    """||dh/dx||_F^2 at x, (batch,), exact; `h` is the encoder's output there.

    Args:
        encoder: keras layer, built.
        x: float tensor (batch, ...).
        h: float tensor, `encoder(x)`.
        **seen: what else the encoder is given, such as a condition, which is held.
    """
    if is_one_sigmoid_layer(encoder):
        return sigmoid_squared_jacobian(h, encoder.dense_layers()[0].kernel)
    return squared_jacobian(pure(encoder), x, **seen)
