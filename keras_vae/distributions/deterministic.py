"""A point mass: the posterior of an autoencoder without noise, and of a vector quantizer given its codes."""

import functools

from keras import ops, tree

from keras_vae.distributions.distribution import Distribution


class Deterministic(Distribution):
    """All mass on one value: the posterior of a plain autoencoder, or of a vector quantizer (over its indices).

    Args:
        value: tensor of shape (batch, ...), floats or integer codes; or a dict of them by level.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Deterministic
    >>> np.asarray(Deterministic(np.array([[3]])).mode).tolist()
    [[3]]
    """

    noise = None

    def __init__(self, value):
        self.value = tree.map_structure(ops.convert_to_tensor, value)

    def sample_from(self, noise=None):
        return self.value

    def sample(self, seed=None):
        return self.value

    def log_prob(self, value):
        """0 where `value` is the point, -inf elsewhere: a probability mass, (batch,)."""
        levels = tree.flatten(tree.map_structure(_same, self.value, value))
        return ops.where(functools.reduce(ops.logical_and, levels), 0.0, float("-inf"))

    @property
    def mean(self):
        return self.value

    @property
    def mode(self):
        return self.value

    def entropy(self):
        return ops.zeros((ops.shape(tree.flatten(self.value)[0])[0],), dtype="float32")

    def repeat(self, n):
        return Deterministic(tree.map_structure(lambda value: ops.repeat(value, n, axis=0), self.value))


def _same(own, value):
    return ops.all(ops.equal(own, ops.cast(value, own.dtype)), axis=tuple(range(1, len(own.shape))))
