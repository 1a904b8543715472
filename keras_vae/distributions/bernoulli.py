"""Independent Bernoulli variables, from logits."""

import keras
from keras import ops

from keras_vae.distributions.controls import checked_temperature, checked_truncation
from keras_vae.distributions.distribution import Distribution
from keras_vae.distributions.relaxed_bernoulli import RelaxedBernoulli
from keras_vae.ops.numerics import flat, float32, sum_event

CERTAIN = 1e9  # logits of what is sure: in float32 the other value has probability zero, and 0 * inf never appears


class Bernoulli(Distribution):
    """Independent Bernoulli variables with P(x = 1) = sigmoid(logits), the event being everything but the first axis.

    log p(x) = sum_d [x_d l_d - softplus(l_d)], which is the cross-entropy of x and sigmoid(l) without overflow. It is a
    likelihood for x in {0, 1}; for greys in (0, 1) it is only a score (Loaiza-Ganem & Cunningham 2019,
    arXiv:1907.06845).

    Args:
        logits: float tensor of shape (batch, ...).

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Bernoulli
    >>> p = Bernoulli(np.zeros((1, 4), "float32"))
    >>> round(float(p.log_prob(np.ones((1, 4), "float32"))[0]), 4)  # 4 log(1/2)
    -2.7726
    """

    noise = "uniform"
    binary = True

    def __init__(self, logits):
        self.logits = float32(ops.convert_to_tensor(logits))

    def sample_from(self, noise):
        return ops.cast(ops.cast(noise, self.logits.dtype) < self.mean, self.logits.dtype)

    def sample(self, seed=None):
        return self.sample_from(keras.random.uniform(ops.shape(self.logits), dtype=self.logits.dtype, seed=seed))

    def log_prob(self, value):
        return ops.sum(self.elementwise_log_prob(value), axis=-1)

    def elementwise_log_prob(self, value):
        logits = flat(self.logits)
        return flat(ops.cast(value, logits.dtype)) * logits - ops.softplus(logits)

    @property
    def mean(self):
        return ops.sigmoid(self.logits)

    @property
    def mode(self):
        return ops.cast(self.logits > 0, self.logits.dtype)

    def entropy(self):
        return sum_event(ops.softplus(self.logits) - self.logits * self.mean)

    def tempered(self, temperature):
        logits = self.logits / checked_temperature(temperature, self.logits)
        return Bernoulli(ops.clip(logits, -CERTAIN, CERTAIN))

    def truncated(self, top_k=None, top_p=None):
        top_k, top_p = checked_truncation(top_k, top_p, 2, self.logits)
        enough = ops.logical_and(ops.sigmoid(ops.abs(self.logits)) >= top_p, top_p < 1.0)
        alone = ops.logical_or(top_k < 2, enough)
        return Bernoulli(ops.where(alone, ops.where(self.logits > 0, CERTAIN, -CERTAIN), self.logits))

    def log_prob_of_each(self, value):
        """log p of each variable, nats, of the shape of the event."""
        return ops.reshape(self.elementwise_log_prob(value), ops.shape(self.logits))

    def relaxed(self, temperature):
        """The `RelaxedBernoulli` of a temperature."""
        return RelaxedBernoulli(self.logits, temperature)

    def nearest(self, relaxed):
        """The values that relaxed ones are nearest to."""
        return ops.cast(relaxed > 0.5, self.logits.dtype)

    @classmethod
    def from_mean(cls, mean):
        """The distribution with these probabilities of one; zero and one are held 1e-7 off."""
        mean = ops.clip(mean, 1e-7, 1.0 - 1e-7)
        return cls(ops.log(mean) - ops.log1p(-mean))

    def repeat(self, n):
        return Bernoulli(ops.repeat(self.logits, n, axis=0))
