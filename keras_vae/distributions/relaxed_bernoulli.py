"""The relaxation of Bernoulli variables to numbers between zero and one."""

import keras
from keras import ops

from keras_vae.distributions.distribution import Distribution
from keras_vae.ops.noise import open_uniform
from keras_vae.ops.numerics import flat, float32


class RelaxedBernoulli(Distribution):
    """sigmoid((logits + L) / temperature) with L logistic noise: binary variables of temperature zero.

    log p(x) = sum_d [log t + s_d - 2 softplus(s_d) - log x_d (1 - x_d)], s = l - t logit(x)  (Maddison et al. 2017,
    appendix B). The event is everything but the first axis.

    Args:
        logits: float tensor of shape (batch, ...).
        temperature: float > 0, or a scalar tensor.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import RelaxedBernoulli
    >>> p = RelaxedBernoulli(np.zeros((1, 1), "float32"), 1.0)  # uniform
    >>> abs(round(float(p.log_prob(np.full((1, 1), 0.3, "float32"))[0]), 4))
    0.0
    >>> float(p.sample_from(np.full((1, 1), 0.5))[0, 0])
    0.5
    """

    noise = "uniform"
    support = (0.0, 1.0)

    def __init__(self, logits, temperature):
        self.logits, self.temperature = float32(ops.convert_to_tensor(logits)), temperature

    def sample_from(self, noise):
        u = open_uniform(noise)
        return ops.sigmoid((self.logits + ops.log(u) - ops.log1p(-u)) / self.temperature)

    def sample(self, seed=None):
        return self.sample_from(keras.random.uniform(ops.shape(self.logits), dtype="float32", seed=seed))

    def log_prob(self, value):
        return ops.sum(self.elementwise_log_prob(value), axis=-1)

    def elementwise_log_prob(self, value):
        x, t = flat(float32(ops.convert_to_tensor(value))), ops.convert_to_tensor(self.temperature, dtype="float32")
        log_x, log_rest = ops.log(x), ops.log1p(-x)
        s = flat(self.logits) - t * (log_x - log_rest)
        return ops.log(t) + s - 2.0 * ops.softplus(s) - log_x - log_rest

    def repeat(self, n):
        return RelaxedBernoulli(ops.repeat(self.logits, n, axis=0), self.temperature)
