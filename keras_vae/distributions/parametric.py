"""The abstract family with parameters by name: what it does with them alike."""

import numbers

from keras import ops

from keras_vae.distributions.distribution import Distribution
from keras_vae.ops.levels import mapped
from keras_vae.ops.noise import random_noise
from keras_vae.ops.numerics import float32


class Parametric(Distribution):
    """Abstract: a family whose parameters are tensors by name, the event being everything but the first axis.

    A family says `sample_from`, `elementwise_log_prob`, `elementwise_entropy`, `mean`, `variance` and `mode`.

    Args:
        **parameters: float tensors by name, the first of the shape (batch, ...) of the event, or None for one that this
            form of the family has not. They become attributes, float32.
    """

    def __init__(self, **parameters):
        given = {name: _tensor(value) for name, value in parameters.items() if value is not None}
        self.names = tuple(given)
        self.like = given[self.names[0]]
        for name, value in given.items():
            setattr(self, name, value)

    def sample(self, seed=None):
        shape = ops.shape(self.like)
        return self.sample_from(random_noise(self.noise_spec(shape[1:]), shape[:1], seed))

    def log_prob(self, value):
        return ops.sum(self.elementwise_log_prob(value), axis=-1)

    def entropy(self):
        return ops.sum(self.elementwise_entropy(), axis=-1)

    def pairwise_log_prob(self, value):
        value = ops.convert_to_tensor(value)
        n, rows = ops.shape(self.like)[0], ops.shape(value)[0]
        members = ops.tile(ops.arange(n), (rows,))  # value 0 for every member, then value 1, ...
        every = self.mapped(lambda parameter: ops.take(parameter, members, axis=0))
        return ops.reshape(every.log_prob(ops.repeat(value, n, axis=0)), (rows, n))

    def served(self):
        return {f"z_{name}": getattr(self, name) for name in self.names}

    def repeat(self, n):
        return self.mapped(lambda parameter: ops.repeat(parameter, n, axis=0))

    def mapped(self, function):
        """The distribution whose parameters are `function` of these."""
        return type(self)(**mapped(function, {name: getattr(self, name) for name in self.names}))


def _tensor(value):
    dtype = "float32" if isinstance(value, (numbers.Number, list, tuple)) else None
    return float32(ops.convert_to_tensor(value, dtype=dtype))
