"""Bernoulli likelihood, for binary data."""

from keras_vae.core.registration import registered
from keras_vae.distributions import Bernoulli
from keras_vae.likelihoods.likelihood import Likelihood


@registered
class BernoulliLikelihood(Likelihood):
    """Independent Bernoulli pixels: p(x|z) = prod_d sigmoid(l_d)^x_d (1 - sigmoid(l_d))^(1 - x_d), l from the decoder.

    Its negative log is the binary cross-entropy summed over the pixels, in nats. It is a likelihood for binary x:
    binarise greys (`keras_vae.datasets.DynamicBinarization`) before comparing figures. Kingma & Welling 2014, appendix
    C.1.

    Args:
        **kwargs: of keras.layers.Layer.

    Input shape:
        params: (batch, ..., channels), logits. x: the same shape, values in [0, 1].

    Output shape:
        `log_prob`: (batch,), nats. `mean`: the shape of x, in [0, 1].

    Reference:
        Kingma & Welling 2014, arXiv:1312.6114.

    Example:

    >>> import numpy as np, keras_vae
    >>> likelihood = keras_vae.BernoulliLikelihood()
    >>> round(float(likelihood.log_prob(np.zeros((1, 2, 2, 1), "float32"), np.ones((1, 2, 2, 1), "float32"))[0]), 4)
    -2.7726
    """

    interval = (0.0, 1.0)
    binary = True

    def distribution(self, params):
        return Bernoulli(params)
