"""A point mass: the posterior of an autoencoder without noise, and of a vector quantizer given its codes."""

from keras import ops

from keras_vae.distributions.distribution import Distribution


class Deterministic(Distribution):
    """All mass on one value: the posterior of a plain autoencoder, or of a vector quantizer (over its indices).

    Args:
        value: tensor of shape (batch, ...), floats or integer codes.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Deterministic
    >>> np.asarray(Deterministic(np.array([[3]])).mode).tolist()
    [[3]]
    """

    noise = None

    def __init__(self, value):
        self.value = ops.convert_to_tensor(value)

    def sample_from(self, noise=None):
        return self.value

    def sample(self, seed=None):
        return self.value

    def log_prob(self, value):
        """0 where `value` is the point, -inf elsewhere: a probability mass, (batch,)."""
        equal = ops.equal(self.value, ops.cast(value, self.value.dtype))
        same = ops.all(equal, axis=tuple(range(1, len(self.value.shape))))
        return ops.where(same, 0.0, float("-inf"))

    @property
    def mean(self):
        return self.value

    @property
    def mode(self):
        return self.value

    def entropy(self):
        return ops.zeros((ops.shape(self.value)[0],), dtype="float32")

    def repeat(self, n):
        return Deterministic(ops.repeat(self.value, n, axis=0))
