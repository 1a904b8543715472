"""The standard normal prior."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.distributions import Normal
from keras_vae.priors.prior import Prior


@registered
class StandardNormal(Prior):
    """p(z) = N(0, I): the prior of the VAE, with the rate in closed form for a Gaussian posterior.

    KL(q || p) = 1/2 sum_d [exp(log_var_d) + mean_d^2 - 1 - log_var_d], nats (Kingma & Welling 2014, appendix B).

    Args:
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, ...), floats.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: the shape of its noise.

    Reference:
        Kingma & Welling 2014, arXiv:1312.6114.

    Example:

    >>> import numpy as np, keras_vae
    >>> round(float(keras_vae.StandardNormal().log_prob(np.zeros((1, 2), "float32"))[0]), 4)
    -1.8379
    """

    noise = "normal"

    def distribution(self, like, condition=None):
        zeros = ops.zeros_like(like)
        return Normal(zeros, zeros)

    def sample_from(self, noise, condition=None):
        return noise
