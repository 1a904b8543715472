"""The activations of named layers inside a network, without touching the network."""

import keras

from keras_vae.layers.chain import Chain


class Activations:
    """Calls a network and returns, beside its output, what some of its layers returned: one pure forward pass.

    Args:
        network: built Chain (any net of this library), keras.Sequential or functional keras.Model.
        names: sequence of str, names of its own layers (those inside of a nested net cannot be named), or None for the
            last one.

    Raises:
        ValueError: if the network has no such layer, or cannot be looked into.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.layers import Activations
    >>> encoder = keras_vae.MLPEncoder(units=(4, 2), activation="sigmoid")
    >>> encoder.build((None, 3))
    >>> h, found = Activations(encoder, ["dense_0"])(np.ones((1, 3), "float32"))
    >>> tuple(h.shape), tuple(found["dense_0"].shape)
    ((1, 2), (1, 4))
    """

    def __init__(self, network, names=None):
        layers = _layers_of(network)
        if names is None:
            if not layers:
                raise ValueError(
                    f"`network` must be a net of keras_vae, a keras.Sequential or a functional keras.Model. "
                    f"Received: a {type(network).__name__}."
                )
            names = [next((n for n, layer in reversed(layers.items()) if hasattr(layer, "activation")), [*layers][-1])]
        unknown = [name for name in names if name not in layers]
        if unknown:
            known = ", ".join(layers) or "none that can be looked into"
            raise ValueError(
                f"`names` must be among the layers of the {type(network).__name__}: {known}. Received: {unknown}."
            )
        self.layers = {name: layers[name] for name in names}
        self.network = network
        if not isinstance(network, Chain):
            outputs = {name: layer.output for name, layer in self.layers.items()}
            self.network = keras.Model(network.inputs, {"": network.outputs[0], **outputs})

    def __call__(self, x, training=False):
        if not isinstance(self.network, Chain):
            found = self.network(x, training=training)
            return found.pop(""), found
        found = {}
        for part in self.network.parts:
            x = part(x, training=training)
            if part.name in self.layers:
                found[part.name] = x
        return x, found


def _layers_of(network):
    if isinstance(network, Chain):
        return {part.name: part for part in network.parts}
    if isinstance(network, (keras.Sequential, keras.Model)) and getattr(network, "inputs", None):
        return {layer.name: layer for layer in network.layers if not isinstance(layer, keras.layers.InputLayer)}
    return {}
