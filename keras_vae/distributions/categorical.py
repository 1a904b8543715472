"""Independent categorical variables, from logits."""

import keras
from keras import ops

from keras_vae.distributions.controls import checked_temperature, checked_truncation
from keras_vae.distributions.distribution import Distribution
from keras_vae.ops.numerics import flat, float32, sum_event


class Categorical(Distribution):
    """Independent categorical variables, p(x = k) = softmax(logits)_k, the event being everything but the first axis.

    log p(x) = sum_d log softmax(l_d)[x_d]. Values are class numbers from 0 to K - 1, of any dtype; draws are int32. A
    PixelCNN over the codes of a VQ-VAE says this of each of them.

    Args:
        logits: float tensor of shape (batch, ..., K); -inf for a class that never comes, but not for all of them.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Categorical
    >>> p = Categorical(np.zeros((1, 2, 4), "float32"))
    >>> round(float(p.log_prob(np.array([[0, 3]]))[0]), 4)  # 2 log(1/4)
    -2.7726
    """

    noise = "uniform"

    def __init__(self, logits):
        self.logits = float32(ops.convert_to_tensor(logits))

    def sample_from(self, noise):
        """The first class whose cumulative probability is above `noise`, int32."""
        p, classes = self._probabilities(), self._classes()
        possible = p > 0.0
        reached = ops.logical_and(possible, ops.cumsum(p, axis=-1) > ops.expand_dims(ops.cast(noise, p.dtype), -1))
        # The sum of all may be rounded to less than one: above it comes the last class that can come at all.
        first = ops.min(ops.where(reached, classes, self.logits.shape[-1]), axis=-1)
        return ops.minimum(first, ops.max(ops.where(possible, classes, 0), axis=-1))

    def sample(self, seed=None):
        return self.sample_from(keras.random.uniform(ops.shape(self.logits)[:-1], dtype="float32", seed=seed))

    def log_prob(self, value):
        return ops.sum(self.elementwise_log_prob(value), axis=-1)

    def elementwise_log_prob(self, value):
        classes = ops.expand_dims(ops.cast(value, "int32"), -1)
        return flat(ops.take_along_axis(ops.log_softmax(self.logits, axis=-1), classes, axis=-1))

    @property
    def mean(self):
        """The expectation of the class number, which says something where classes are ordered, as grey levels are."""
        p = self._probabilities()
        return ops.sum(p * ops.cast(self._classes(), p.dtype), axis=-1)

    @property
    def mode(self):
        """The most likely class, the first of several, int32."""
        return ops.cast(ops.argmax(self.logits, axis=-1), "int32")

    def entropy(self):
        log_p = ops.log_softmax(self.logits, axis=-1)
        log_p = ops.where(ops.isfinite(log_p), log_p, 0.0)  # a class that never comes: 0 log 0 = 0
        return -sum_event(self._probabilities() * log_p)

    def tempered(self, temperature):
        # From the largest down: at a low temperature the others go to -inf, and nothing overflows upwards.
        below = self.logits - ops.max(self.logits, axis=-1, keepdims=True)
        return Categorical(below / checked_temperature(temperature, self.logits))

    def truncated(self, top_k=None, top_p=None):
        top_k, top_p = checked_truncation(top_k, top_p, self.logits.shape[-1], self.logits)
        p = ops.stop_gradient(self._probabilities())
        order = ops.argsort(-self.logits, axis=-1)  # stable: of equals the lower class comes first
        rank = ops.argsort(order, axis=-1)
        total = ops.cumsum(ops.take_along_axis(p, order, axis=-1), axis=-1)
        before = ops.pad(total[..., :-1], [(0, 0)] * (len(p.shape) - 1) + [(1, 0)])
        wanted = ops.logical_or(before < top_p, top_p >= 1.0)  # a rounded sum may reach one too early
        kept = ops.sum(ops.cast(wanted, "int32"), axis=-1, keepdims=True)
        kept = ops.maximum(ops.minimum(kept, top_k), 1)
        return Categorical(ops.where(rank < kept, self.logits, float("-inf")))

    def repeat(self, n):
        return Categorical(ops.repeat(self.logits, n, axis=0))

    def _probabilities(self):
        return ops.softmax(self.logits, axis=-1)

    def _classes(self):
        return ops.arange(self.logits.shape[-1], dtype="int32")
