"""What a model is conditioned on: its checks, and the features that the nets see."""

import keras

from keras_vae.core.registration import Configured


class Condition(Configured, keras.layers.Layer):
    """Abstract: a condition as users give it -> the features that encoder, decoder and prior see beside their input.

    A model holds one as `condition`, and then takes {"x": ..., "condition": ...} in `fit` and `condition=` elsewhere.
    """

    input_dtype = "float32"  # of the condition as users give it

    @property
    def input_shape_of_one(self):
        """The shape of one example's condition, without the batch."""
        raise TypeError(f"{type(self).__name__} must define `input_shape_of_one`.")

    def check(self, values, name="condition"):
        """The array `values` (batch, *input_shape_of_one) in `input_dtype`, or an error that names it."""
        raise TypeError(f"{type(self).__name__} must define `check(values, name)`.")

    def examples(self, count, rng):
        """`count` conditions that `check` lets pass, of a numpy generator: exports are tried with them."""
        raise TypeError(f"{type(self).__name__} must define `examples(count, rng)`.")

    def limits(self):
        """{"interval", "whole"} that a served model checks, as `check` does."""
        return {}
