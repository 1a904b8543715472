"""What a family says of its parameters: how many numbers each takes, and how real numbers become its values."""

import dataclasses
import math

from keras import ops

from keras_vae.core.checks import finite
from keras_vae.ops.numerics import clip_straight_through


def _itself(d):
    """d: one number for each dimension."""
    return d


def _vector(d):
    """(d,): a value for each dimension."""
    return (d,)


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter of a family, as a network predicts it and as a user gives it.

    Args:
        link: function, real numbers of any size (..., size(d)) -> values (..., *shape(d)) the parameter may have.
        inside: (low, high), the open interval that each number given for it must lie in. Default: any finite number.
        size: function d -> how many real numbers it takes for d dimensions. Default: d.
        shape: function d -> the shape of its value for one vector of d dimensions. Default: (d,).

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import POSITIVE
    >>> np.asarray(POSITIVE.link(np.zeros((1, 2), "float32"))).tolist()
    [[1.0, 1.0]]
    """

    link: callable
    inside: tuple = (-math.inf, math.inf)
    size: callable = _itself
    shape: callable = _vector

    def check(self, name, value):
        """A number, or a nest of lists of numbers, each inside the interval; as floats."""
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, (list, tuple)):
            return [self.check(f"{name}[{i}]", each) for i, each in enumerate(value)]
        number, (low, high) = finite(name, value), self.inside
        if not low < number < high:
            raise ValueError(f"`{name}` must be in ({low:g}, {high:g}). Received: {name}={value!r}.")
        return number


def between(low, high, least=0.0):
    """A positive parameter, least + exp(r), the exponential held in [low, high]; the gradient leads back from outside.

    Args:
        low: float > 0.
        high: float > low.
        least: float >= 0, below which no value lies. Default: 0.0.
    """
    limits = math.log(low), math.log(high)
    return Parameter(lambda raw: least + ops.exp(clip_straight_through(raw, *limits)), (0.0, math.inf))


REAL = Parameter(lambda raw: raw)
POSITIVE = between(math.exp(-10.0), math.exp(7.0))  # a scale: as the Gaussian posterior's standard deviation
CONCENTRATION = between(1e-3, 1e4)
FRACTION = Parameter(lambda raw: ops.sigmoid(clip_straight_through(raw, -9.0, 9.0)), (0.0, 1.0))
