"""Independent categorical variables as one-hot vectors, from logits."""

import math

import keras
from keras import ops

from keras_vae.distributions.categorical import Categorical
from keras_vae.distributions.distribution import Distribution
from keras_vae.distributions.relaxed_one_hot_categorical import RelaxedOneHotCategorical
from keras_vae.ops.noise import noise_of
from keras_vae.ops.numerics import flat, float32


class OneHotCategorical(Distribution):
    """`Categorical` variables whose values are vectors with a single one, on the last axis: what a net can take.

    log p(x) = sum_d sum_k x_dk log softmax(l_d)_k. The event is everything but the first axis, and a vector one
    variable: a share of the log-density, or of a divergence, is that of a vector.

    Args:
        logits: float tensor of shape (batch, ..., K); -inf for a class that never comes, but not for all of them.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import OneHotCategorical
    >>> p = OneHotCategorical(np.log([[[0.2, 0.8]]]).astype("float32"))
    >>> np.asarray(p.sample_from(np.array([[0.1]], "float32"))).tolist(), np.asarray(p.mode).tolist()
    ([[[1.0, 0.0]]], [[[0.0, 1.0]]])
    >>> round(float(p.log_prob(p.mode)[0]), 4)  # log 0.8
    -0.2231
    """

    joint = True

    def __init__(self, logits):
        self.classes = Categorical(logits)  # the same variables by the number of their class
        self.logits = self.classes.logits

    def noise_spec(self, shape):
        return noise_of("uniform", shape[:-1])

    def sample_from(self, noise):
        return self._one_hot(self.classes.sample_from(noise))

    def sample(self, seed=None):
        return self.sample_from(keras.random.uniform(ops.shape(self.logits)[:-1], dtype="float32", seed=seed))

    def log_prob(self, value):
        return ops.sum(self.elementwise_log_prob(value), axis=-1)

    def elementwise_log_prob(self, value):
        value, log_p = float32(value), ops.log_softmax(self.logits, axis=-1)
        possible = log_p > -math.inf  # of others 0 times -inf is nothing; all have a slope by the value, drawn or not
        share = value * ops.where(possible, log_p, 0.0)
        return flat(ops.sum(ops.where(possible, share, ops.where(value > 0, -math.inf, 0.0)), axis=-1))

    @property
    def mean(self):
        """The probabilities of the classes."""
        return ops.softmax(self.logits, axis=-1)

    @property
    def mode(self):
        """The most likely class, the first of several."""
        return self._one_hot(self.classes.mode)

    def entropy(self):
        return self.classes.entropy()

    def tempered(self, temperature):
        return OneHotCategorical(self.classes.tempered(temperature).logits)

    def truncated(self, top_k=None, top_p=None):
        return OneHotCategorical(self.classes.truncated(top_k, top_p).logits)

    def log_prob_of_each(self, value):
        """log p of each variable, nats, with an axis of one in place of its classes."""
        shape = (*ops.shape(self.logits)[:-1], 1)
        return ops.reshape(self.elementwise_log_prob(value), shape)

    def relaxed(self, temperature):
        """The `RelaxedOneHotCategorical` of a temperature."""
        return RelaxedOneHotCategorical(self.logits, temperature)

    def nearest(self, relaxed):
        """The values that relaxed ones are nearest to."""
        return self._one_hot(ops.argmax(relaxed, axis=-1))

    @classmethod
    def from_mean(cls, mean):
        """The distribution with these probabilities; zero is held 1e-7 off."""
        return cls(ops.log(ops.maximum(mean, 1e-7)))

    def repeat(self, n):
        return OneHotCategorical(ops.repeat(self.logits, n, axis=0))

    def _one_hot(self, classes):
        return ops.one_hot(classes, self.logits.shape[-1], dtype="float32")
