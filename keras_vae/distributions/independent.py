"""The abstract family of independent dimensions, each with its own parameters."""

import math

from keras import ops

from keras_vae.distributions.parametric import Parametric
from keras_vae.ops.numerics import flat


class Independent(Parametric):
    """Abstract: independent variables of one family, the event being everything but the first axis.

    A family names its `parameters`, hands them to this constructor, and says `log_density(value)` and
    `entropy_of_each()` for each dimension, beside `sample_from`, `mean`, `variance` and `mode`.

    Args:
        **parameters: float tensors by name, in the order of the class's `parameters`; the first has the shape (batch,
            ...) of the event, the others broadcast to it. They become attributes, float32.
    """

    def __init__(self, **parameters):
        super().__init__(**parameters)
        for name in self.names[1:]:
            setattr(self, name, _broadcast(getattr(self, name), self.like))

    def log_density(self, value):
        """log p of each value, of its shape; values are float32, and inside of the support."""
        raise self._missing("log_density")

    def entropy_of_each(self):
        """The entropy of each dimension, nats, of the shape of the event."""
        raise self._missing("entropy_of_each")

    def elementwise_log_prob(self, value):
        each, value = self.mapped(flat), flat(ops.cast(ops.convert_to_tensor(value), "float32"))
        low, high = self.support
        if (low, high) == (-math.inf, math.inf):
            return each.log_density(value)
        strictly = ops.logical_and(value > low, value < high)
        inside = strictly if self.open_ends else ops.logical_and(value >= low, value <= high)
        some = 0.5 * (low + high) if math.isfinite(low + high) else low + 1.0
        # Outside a formula may be no number, of which a gradient would remain none.
        return ops.where(inside, each.log_density(ops.where(inside, value, some)), -math.inf)

    def elementwise_entropy(self):
        return self.mapped(flat).entropy_of_each()


def _broadcast(parameter, like):
    same = tuple(parameter.shape) == tuple(like.shape) and None not in like.shape
    return parameter if same else ops.broadcast_to(parameter, ops.shape(like))
