"""A layer that is a list of layers, built and called in order."""

import keras

from keras_vae.core.registration import Configured


class Chain(Configured, keras.layers.Layer):
    """Abstract: a network that reads from top to bottom. Subclasses return its layers from `make_parts(input_shape)`.

    Unlike `keras.Sequential` it is a class of its own, with its own arguments in `get_config` and its parts sized in
    `build`, where the input's shape is known.
    """

    def make_parts(self, input_shape):
        """The layers, in order, for inputs of `input_shape` (batch, ...)."""
        raise TypeError(f"{type(self).__name__} must define `make_parts(input_shape)`.")

    def build(self, input_shape):
        self.parts = self.make_parts(input_shape)
        self.built_for = shape = tuple(input_shape)
        for part in self.parts:
            part.build(shape)
            shape = part.compute_output_shape(shape)

    def dense_layers(self):
        """The fully connected layers, in order; known once the network is built.

        Returns:
            list of keras.layers.Dense. (No property: Keras would save the weights under its name.)
        """
        return [part for part in self.parts if isinstance(part, keras.layers.Dense)]

    def call(self, x, training=False):
        for part in self.parts:
            x = part(x)
        return x

    def compute_output_shape(self, input_shape):
        if self.built:
            parts = self.parts
        else:
            parts = self.make_parts(input_shape)
        shape = tuple(input_shape)
        for part in parts:
            shape = part.compute_output_shape(shape)
        return shape
