"""The abstract baseline of a score function."""

import keras

from keras_vae.core.registration import Configured

SIGNALS = ("distortion", "rate")  # what there is a baseline of


class Baseline(Configured, keras.layers.Layer):
    """b(x), what a score function takes off the value of a draw: whatever it is, the gradient stays unbiased.

    It may know the example and not the draw. The better it predicts the value, the less the gradient varies.
    """

    def call(self, features):
        """{"distortion", "rate"}: what they will be, nats, (batch,) each.

        Args:
            features: what the encoder returned, (batch, ...), constants.
        """
        raise TypeError(f"{type(self).__name__} must define `call(features)`.")

    def update(self, values, predicted, weights=None):
        """Hook: state that a training step changes.

        Args:
            values: dict, what the signals were, (batch,).
            predicted: dict, what `call` returned.
            weights: float tensor (batch,), how much each example counts, or None. Default: None.
        """
