"""The diagonal normal distribution."""

import math

import keras
from keras import ops

from keras_vae.distributions.distribution import Distribution
from keras_vae.distributions.families import family
from keras_vae.distributions.parameter import REAL, Parameter
from keras_vae.ops.numerics import clip_straight_through, flat, float32, straight_through

LOG_2_PI = math.log(2.0 * math.pi)
LOG_VAR = Parameter(lambda raw: clip_straight_through(raw, -20.0, 14.0))  # as of the Gaussian bottleneck


@family
class Normal(Distribution):
    """Diagonal normal distribution N(mean, exp(log_var)), the event being everything but the first axis.

    log p(x) = -1/2 sum_d [log(2 pi) + log_var_d + (x_d - mean_d)^2 / exp(log_var_d)]   (Bishop 2006, eq. 2.43)

    Args:
        mean: float tensor of shape (batch, ...).
        log_var: float, or float tensor that broadcasts to `mean`: the log of the *variance*, not of the standard
            deviation.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Normal
    >>> q = Normal(np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32"))
    >>> round(float(q.log_prob(np.zeros((1, 2), "float32"))[0]), 4)  # -log(2 pi)
    -1.8379
    """

    parameters = {"mean": REAL, "log_var": LOG_VAR}
    noise = "normal"

    def __init__(self, mean, log_var):
        self._mean = float32(ops.convert_to_tensor(mean))  # densities are of float32: half precision would overflow
        self.log_var = float32(ops.convert_to_tensor(log_var))
        # Of a number in double precision: where the variance is tiny, its log in float32 has an error of 1e-6 and more.
        self._precision = math.exp(-log_var) if isinstance(log_var, float) else ops.exp(-self.log_var)

    def sample_from(self, noise):
        return self._mean + ops.exp(0.5 * self.log_var) * ops.cast(noise, self._mean.dtype)

    def sample(self, seed=None):
        return self.sample_from(keras.random.normal(ops.shape(self._mean), dtype=self._mean.dtype, seed=seed))

    def log_prob(self, value):
        return ops.sum(self.elementwise_log_prob(value), axis=-1)

    def elementwise_log_prob(self, value):
        log_var, precision = self.log_var, self._precision
        if log_var.shape:  # one number for all is left as it is
            log_var, precision = (flat(ops.broadcast_to(v, ops.shape(self._mean))) for v in (log_var, precision))
        scaled = ops.square(flat(value) - flat(self._mean)) * precision
        return -0.5 * (LOG_2_PI + log_var + scaled)

    def pairwise_log_prob(self, value):
        mean, value = flat(self._mean), flat(float32(ops.convert_to_tensor(value)))
        log_var = flat(ops.broadcast_to(self.log_var, ops.shape(self._mean)))
        precision, norm = ops.exp(-log_var), ops.sum(LOG_2_PI + log_var, axis=-1)
        # The gradient of the squares is that of three products of matrices, in a tenth of the time; their sum itself
        # would lose all digits where variances are tiny.
        scaled = mean * precision
        products = ops.matmul(ops.square(value), ops.transpose(precision)) + ops.sum(mean * scaled, axis=-1)
        products = products - 2.0 * ops.matmul(value, ops.transpose(scaled))
        squares = _scaled_squares(*(ops.stop_gradient(ops.transpose(part)) for part in (value, mean, precision)))
        return -0.5 * (norm + straight_through(products, squares))

    @property
    def mean(self):
        return self._mean

    @property
    def mode(self):
        return self._mean

    @property
    def variance(self):
        return ops.broadcast_to(ops.exp(self.log_var), ops.shape(self._mean))

    def entropy(self):
        return ops.sum(self.elementwise_entropy(), axis=-1)

    def elementwise_entropy(self):
        return 0.5 * flat(LOG_2_PI + 1.0 + self.log_var + 0.0 * self._mean)

    def served(self):
        return {"z_mean": self._mean, "z_log_var": ops.broadcast_to(self.log_var, ops.shape(self._mean))}

    def repeat(self, n):
        log_var = ops.broadcast_to(self.log_var, ops.shape(self._mean))
        return Normal(ops.repeat(self._mean, n, axis=0), ops.repeat(log_var, n, axis=0))


def _scaled_squares(value, mean, precision):
    """sum_d (value_di - mean_dj)^2 precision_dj, (values, members): dimension by dimension, without their product."""

    def add(d, total):
        here, there, weight = (ops.take(part, d, axis=0) for part in (value, mean, precision))
        return total + ops.square(here[:, None] - there) * weight

    start = ops.zeros((ops.shape(value)[1], ops.shape(mean)[1]), dtype="float32")
    return ops.fori_loop(0, ops.shape(mean)[0], add, start)
