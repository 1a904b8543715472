"""The abstract likelihood: raw decoder output -> distribution over x."""

import keras
from keras import ops

from keras_vae.core.registration import Configured
from keras_vae.ops.numerics import flat_mask, float32


class Likelihood(Configured, keras.layers.Layer):
    """What the decoder's raw output means: p(x|z). It owns the output activation: decoders are linear at the end.

    A likelihood is a layer only to hold weights and to be saved with its model; it is used through its methods.
    """

    params_per_channel = 1  # the decoder returns this many numbers for each channel of x
    interval = None  # (low, high) that x must lie in
    whole = False  # whether x must be whole numbers
    binary = False  # whether it is a density of zeros and ones, and only a score of what is between
    joint_channels = False  # whether the channels of a place are one variable, with one share in `log_prob`
    has_density = True  # False for plain reconstruction errors: then there is no elbo

    def distribution(self, params):
        """The distribution over x whose parameters the decoder returned."""
        raise TypeError(f"{type(self).__name__} must define `distribution(params)`.")

    def params_shape(self, data_shape):
        """The shape, without the batch, of what the decoder returns for data of `data_shape`."""
        return (*data_shape[:-1], data_shape[-1] * self.params_per_channel)

    def log_prob(self, params, x, mask=None):
        """log p(x|z) in nats, summed over the event: (batch,).

        Args:
            params: the decoder's output.
            x: the data.
            mask: (batch, time), or any first axes of x: what is zero or False there does not count. Where channels are
                joint it has no axis of channels. Default: None.
        """
        if mask is None:
            return self.distribution(float32(params)).log_prob(x)
        each = self.elementwise_log_prob(params, x)  # (batch, values)
        like = x[..., :1] if self.joint_channels else x
        return ops.sum(ops.where(flat_mask(mask, like), each, 0.0), axis=-1)

    def elementwise_log_prob(self, params, x):
        """The share of each value in `log_prob`, nats: (batch, values); of each place, where channels are joint."""
        return self.distribution(float32(params)).elementwise_log_prob(x)

    def mean(self, params):
        """E[x|z], float32, with the shape of x."""
        return self.distribution(float32(params)).mean
