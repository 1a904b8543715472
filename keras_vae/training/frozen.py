"""Networks as functions: gradients routed through them, and no side effects."""

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
    # Not `stateless_call`: it skips the autocasting that `__call__` does under mixed precision.
    with held(layer):
        return layer(*args, **kwargs)


def held(*layers):
    """A context in which no gradient reaches the weights of `layers`, whatever is called of them; see `frozen`.

    Args:
        *layers: keras.layers.Layer, built. Other layers are not to be called in it.

    Returns:
        A context manager.

    Example:

    >>> import keras, keras_vae
    >>> layer = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    >>> layer.build((None, 2))
    >>> with keras_vae.training.held(layer):
    ...     total = keras.ops.sum(layer.kernel)
    >>> float(total)
    2.0
    """
    state = [(v, ops.stop_gradient(v.value)) for layer in layers for v in layer.trainable_variables]
    state += [(v, v.value) for layer in layers for v in layer.non_trainable_variables]
    return keras.StatelessScope(state)


def pure(layer):
    """`layer` in inference mode, as a function of its inputs without side effects, which `keras.ops.jvp` asks for.

    Args:
        layer: keras.layers.Layer, built.

    Returns:
        A function x -> what the layer returns; gradients reach x and the weights, state updates are discarded.

    Example:

    >>> import numpy as np, keras, keras_vae
    >>> layer = keras.layers.Dense(1, kernel_initializer="ones")
    >>> layer.build((None, 2))
    >>> function = keras_vae.training.pure(layer)
    >>> keras.ops.convert_to_numpy(function(np.ones((1, 2), "float32"))).tolist()
    [[2.0]]
    """
    state = [(v, v.value) for v in layer.variables]

    def function(x, **kwargs):
        with keras.StatelessScope(state):
            return layer(x, training=False, **kwargs)

    return function
