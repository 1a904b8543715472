"""Gaussian likelihood with one fixed standard deviation."""

import math

from keras_vae.core.checks import positive
from keras_vae.core.registration import registered
from keras_vae.distributions import Normal
from keras_vae.likelihoods.likelihood import Likelihood


@registered
class GaussianLikelihood(Likelihood):
    """Independent Gaussian pixels of one fixed standard deviation: p(x|z) = N(x; decoder(z), stddev^2).

    -log p = ||x - mean||^2 / (2 stddev^2) + D log(stddev sqrt(2 pi)), a density in x: it may be negative in nats. The
    standard deviation sets how much a pixel error costs against the rate; VQ-VAE takes that of the data.

    Args:
        stddev: float > 0, in the units of x. Default: 1.0.
        **kwargs: of keras.layers.Layer.

    Input shape:
        params: the shape of x, means. x: (batch, ..., channels), any finite values.

    Output shape:
        `log_prob`: (batch,), nats. `mean`: the shape of x.

    Raises:
        ValueError: if `stddev` is not > 0.

    Example:

    >>> import numpy as np, keras_vae
    >>> likelihood = keras_vae.GaussianLikelihood(stddev=1.0)
    >>> round(float(likelihood.log_prob(np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32"))[0]), 4)
    -1.8379
    """

    def __init__(self, stddev=1.0, **kwargs):
        super().__init__(**kwargs)
        self.stddev = positive("stddev", stddev)

    def distribution(self, params):
        return Normal(params, 2.0 * math.log(self.stddev))
