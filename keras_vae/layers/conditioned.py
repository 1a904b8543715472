"""A net that sees a condition beside its input."""

import keras
from keras import layers, ops

from keras_vae.core.checks import instance
from keras_vae.core.registration import Configured, registered


@registered
class Conditioned(Configured, keras.layers.Layer):
    """net([x, condition]): the condition's features joined to the input on its last axis, at every position.

    It makes any net of one input a conditional encoder or decoder. What it does to the first layer is to give each
    class, or each value of the condition, an offset of its own.

    Args:
        net: keras layer or model of one input.
        flatten: bool, whether the input is made a vector first, for nets of fully connected layers: a condition is
            then joined once, and not at each pixel. Default: False.
        **kwargs: of keras.layers.Layer.

    Input shape:
        x: (batch, ..., features); condition: (batch, c), as a `Condition` gives it.

    Output shape:
        That of the net.

    Raises:
        TypeError: if `net` is not a Keras layer, or `flatten` not a bool.
        ValueError: if no condition comes.

    Example:

    >>> import numpy as np, keras_vae
    >>> net = keras_vae.Conditioned(keras_vae.MLPEncoder((8,)), flatten=True)
    >>> x, condition = np.ones((2, 4, 4, 1), "float32"), np.eye(3, dtype="float32")[:2]
    >>> tuple(net(x, condition=condition).shape), tuple(net.net.dense_layers()[0].kernel.shape)
    ((2, 8), (19, 8))
    """

    def __init__(self, net, flatten=False, **kwargs):
        super().__init__(**kwargs)
        self.autocast = False  # the net casts, as it would without this
        self.supports_masking = True
        self.net = instance("net", net, keras.layers.Layer)
        self.flatten = instance("flatten", flatten, bool)
        self.flat = layers.Flatten(dtype="float32")

    def build(self, x_shape, condition_shape=None):
        x = keras.KerasTensor(x_shape, dtype="float32")
        condition = None if condition_shape is None else keras.KerasTensor(condition_shape, dtype="float32")
        self.compute_output_spec(x, condition)  # which builds the net

    def call(self, x, condition=None, training=False):
        if condition is None:
            raise ValueError(f"`condition` must be given to a {type(self).__name__} net. Received: condition=None.")
        if len(condition.shape) != 2:
            raise ValueError(
                f"`condition` of a {type(self).__name__} net must be features (batch, c); maps are for priors "
                f"in raster order. Received: shape={tuple(condition.shape)}."
            )
        x = self.flat(x) if self.flatten else x
        condition = ops.cast(condition, x.dtype)
        condition = ops.reshape(condition, (-1, *(1,) * (len(x.shape) - 2), condition.shape[-1]))
        condition = ops.broadcast_to(condition, (*ops.shape(x)[:-1], condition.shape[-1]))
        return self.net(ops.concatenate([x, condition], axis=-1), training=training)
