"""The abstract likelihood: raw decoder output -> distribution over x."""

import keras

from keras_vae.core.registration import Configured
from keras_vae.ops.numerics import float32


class Likelihood(Configured, keras.layers.Layer):
    """What the decoder's raw output means: p(x|z). It owns the output activation: decoders are linear at the end.

    A likelihood is a layer only to hold weights and to be saved with its model; it is used through its methods.
    """

    params_per_channel = 1  # the decoder returns this many numbers for each channel of x
    interval = None  # (low, high) that x must lie in
    whole = False  # whether x must be whole numbers
    has_density = True  # False for plain reconstruction errors: then there is no elbo

    def distribution(self, params):
        """The distribution over x whose parameters the decoder returned."""
        raise TypeError(f"{type(self).__name__} must define `distribution(params)`.")

    def log_prob(self, params, x):
        """log p(x|z) in nats, summed over the event: (batch,)."""
        return self.distribution(float32(params)).log_prob(x)

    def elementwise_log_prob(self, params, x):
        """The share of each dimension of x in `log_prob`, nats: (batch, values)."""
        return self.distribution(float32(params)).elementwise_log_prob(x)

    def mean(self, params):
        """E[x|z], float32, with the shape of x."""
        return self.distribution(float32(params)).mean
