"""Gaussian likelihood whose variance the decoder predicts for each pixel."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.distributions import Normal
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.shared_variance_gaussian_likelihood import LOG_VAR_RANGE
from keras_vae.ops.numerics import clip_straight_through


@registered
class PerPixelGaussianLikelihood(Likelihood):
    """Gaussian pixels with mean and log-variance both from the decoder: p(x|z) = prod_d N(x_d; m_d(z), exp(s_d(z))).

    The decoder returns two numbers for each channel, means first: `output_shape=(height, width, 2 * channels)`. The
    log-variance is held in [-12, 12], with a gradient that leads back from outside; without a floor a constant pixel
    would send the density to infinity.

    Args:
        **kwargs: of keras.layers.Layer.

    Input shape:
        params: (batch, ..., 2 * channels), means then log-variances. x: (batch, ..., channels), any finite values.

    Output shape:
        `log_prob`: (batch,), nats. `mean`: the shape of x.

    Raises:
        ValueError: for params with an odd number of channels.

    Reference:
        Kingma & Welling 2014, arXiv:1312.6114, appendix C.2.

    Example:

    >>> import numpy as np, keras_vae
    >>> likelihood = keras_vae.PerPixelGaussianLikelihood()
    >>> round(float(likelihood.log_prob(np.zeros((1, 4), "float32"), np.zeros((1, 2), "float32"))[0]), 4)
    -1.8379
    """

    params_per_channel = 2

    def distribution(self, params):
        return normal_of(params)


def normal_of(params):
    """The normal distribution of a decoder that returns two numbers for each channel, means then log-variances."""
    if params.shape[-1] % 2:
        raise ValueError(
            "`decoder` must return 2 numbers for each channel of x, means then log-variances. "
            f"Received: params of shape {tuple(params.shape)}."
        )
    mean, log_var = ops.split(params, 2, axis=-1)
    return Normal(mean, clip_straight_through(log_var, *LOG_VAR_RANGE))
