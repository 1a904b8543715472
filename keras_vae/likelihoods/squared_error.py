"""Squared error: the plain reconstruction, without a density."""

from keras import ops

from keras_vae.core.checks import one_of
from keras_vae.core.registration import registered
from keras_vae.distributions import Deterministic
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.ops.numerics import flat, flat_mask


@registered
class SquaredError(Likelihood):
    """Sum of squared errors per example, sum_d (x_d - decoder(z)_d)^2: a reconstruction error and not a density.

    A model with it logs `distortion` in squared units of x, and neither an elbo nor a likelihood.

    Args:
        activation: "linear", or "sigmoid" for data in [0, 1]: applied to the decoder's raw output. Default: "linear".
        **kwargs: of keras.layers.Layer.

    Input shape:
        params: the shape of x. x: (batch, ..., channels), any finite values.

    Output shape:
        `log_prob`: (batch,), minus the squared error. `mean`: the shape of x.

    Raises:
        ValueError: if `activation` is neither of the two.

    Example:

    >>> import numpy as np, keras_vae
    >>> error = keras_vae.SquaredError()
    >>> float(error.log_prob(np.zeros((1, 3), "float32"), np.ones((1, 3), "float32"))[0])
    -3.0
    """

    has_density = False

    def __init__(self, activation="linear", **kwargs):
        super().__init__(**kwargs)
        self.activation = one_of("activation", activation, ("linear", "sigmoid"))

    def distribution(self, params):
        return Deterministic(ops.sigmoid(params) if self.activation == "sigmoid" else params)

    def log_prob(self, params, x, mask=None):
        each = self.elementwise_log_prob(params, x)
        each = each if mask is None else ops.where(flat_mask(mask, x), each, 0.0)
        return ops.sum(each, axis=-1)

    def elementwise_log_prob(self, params, x):
        return -ops.square(flat(x) - flat(self.mean(params)))
