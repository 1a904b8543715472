"""Gaussian likelihood with one learned variance, shared by all pixels."""

import math

import keras
from keras import ops

from keras_vae.core.checks import in_closed_interval
from keras_vae.core.registration import registered
from keras_vae.distributions import Normal
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.ops.numerics import clip_straight_through

LOG_VAR_RANGE = (-12.0, 12.0)  # exp stays far from overflow
STDDEV_RANGE = tuple(math.exp(bound / 2) for bound in LOG_VAR_RANGE)  # 0.00248 to 403


@registered
class SharedVarianceGaussianLikelihood(Likelihood):
    """Gaussian pixels with one variance for all, learned with the model: p(x|z) = N(x; decoder(z), sigma^2).

    At the optimum sigma^2 is the mean squared error, so that the balance of distortion and rate needs no tuning: the
    "sigma-VAE" of Rybkin et al. 2021 (arXiv:2006.13202, eq. 3). Its log is held in [-12, 12], with a gradient that
    leads back from outside.

    Args:
        stddev: float from exp(-6) = 0.00248 to exp(6) = 403, where the learning starts, in the units of x. Default:
            1.0.
        **kwargs: of keras.layers.Layer.

    Input shape:
        params: the shape of x, means. x: (batch, ..., channels), any finite values.

    Output shape:
        `log_prob`: (batch,), nats. `mean`: the shape of x.

    Raises:
        ValueError: if `stddev` is out of its range.

    Reference:
        Rybkin, Daniilidis & Levine 2021, arXiv:2006.13202.

    Example:

    >>> import numpy as np, keras_vae
    >>> likelihood = keras_vae.SharedVarianceGaussianLikelihood(stddev=1.0)
    >>> round(float(likelihood.log_prob(np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32"))[0]), 4)
    -1.8379
    """

    def __init__(self, stddev=1.0, **kwargs):
        super().__init__(**kwargs)
        self.stddev = in_closed_interval("stddev", stddev, *STDDEV_RANGE)
        start = 2.0 * math.log(self.stddev)
        self.log_var = self.add_weight(
            shape=(), initializer=keras.initializers.Constant(start), name="log_var", dtype="float32", autocast=False
        )

    def distribution(self, params):
        return Normal(params, clip_straight_through(ops.convert_to_tensor(self.log_var), *LOG_VAR_RANGE))
