"""The relaxation of one-hot variables to points of the simplex."""

import math

import keras
from keras import ops

from keras_vae.distributions.distribution import Distribution
from keras_vae.ops.noise import open_uniform
from keras_vae.ops.numerics import flat, float32


class RelaxedOneHotCategorical(Distribution):
    """softmax((logits + G) / temperature) with G Gumbel noise: one-hot variables of temperature zero.

    log p(x) = log (K-1)! + (K-1) log t - K logsumexp_k(l_k - t log x_k) + sum_k [l_k - (t+1) log x_k]  (Jang et al.
    2017, eq. 13; Maddison et al. 2017, eq. 10). The event is everything but the first axis, a vector one variable.

    Args:
        logits: float tensor of shape (batch, ..., K), finite.
        temperature: float > 0, or a scalar tensor.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import RelaxedOneHotCategorical
    >>> p = RelaxedOneHotCategorical(np.zeros((1, 3), "float32"), 1.0)
    >>> round(float(p.log_prob(np.full((1, 3), 1 / 3, "float32"))[0]), 3)  # in the middle of the triangle: log 2
    0.693
    """

    noise = "uniform"
    joint = True
    support = (0.0, 1.0)

    def __init__(self, logits, temperature):
        self.logits, self.temperature = float32(ops.convert_to_tensor(logits)), temperature

    def sample_from(self, noise):
        return ops.softmax((self.logits - ops.log(-ops.log(open_uniform(noise)))) / self.temperature, axis=-1)

    def sample(self, seed=None):
        return self.sample_from(keras.random.uniform(ops.shape(self.logits), dtype="float32", seed=seed))

    def log_prob(self, value):
        return ops.sum(self.elementwise_log_prob(value), axis=-1)

    def elementwise_log_prob(self, value):
        k, t = self.logits.shape[-1], ops.convert_to_tensor(self.temperature, dtype="float32")
        log_x = ops.log(float32(ops.convert_to_tensor(value)))
        scaled = self.logits - t * log_x
        norm = math.lgamma(k) + (k - 1) * ops.log(t)
        return flat(norm - k * ops.logsumexp(scaled, axis=-1) + ops.sum(scaled - log_x, axis=-1))

    def repeat(self, n):
        return RelaxedOneHotCategorical(ops.repeat(self.logits, n, axis=0), self.temperature)
