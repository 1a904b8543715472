"""Gradient routing: several networks, several optimizers, one loss."""

import keras
from keras import ops


def frozen(layer, *args, **kwargs):
    """Calls `layer` so that gradients reach its inputs and not its weights, and its state updates are discarded.

    With `keras.ops.stop_gradient` it routes each term of one scalar loss to its own group of weights, so that any
    partition into optimizers (`keras.optimizers.MultiOptimizer`) is exact.

    Args:
        layer: keras.layers.Layer, built.
        *args: positional inputs of the layer.
        **kwargs: keyword inputs of the layer.

    Returns:
        What the layer returns.

    Example:

    >>> import numpy as np, keras, keras_vae
    >>> layer = keras.layers.Dense(1, kernel_initializer="ones")
    >>> layer.build((None, 2))
    >>> keras.ops.convert_to_numpy(keras_vae.training.frozen(layer, np.ones((1, 2), "float32"))).tolist()
    [[2.0]]
    """
    state = [(v, ops.stop_gradient(v.value)) for v in layer.trainable_variables]
    state += [(v, v.value) for v in layer.non_trainable_variables]
    # Not `stateless_call`: it skips the autocasting that `__call__` does under mixed precision.
    with keras.StatelessScope(state):
        return layer(*args, **kwargs)
