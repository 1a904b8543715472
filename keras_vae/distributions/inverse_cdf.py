"""The abstract family with a tractable inverse CDF."""

from keras_vae.distributions.independent import Independent
from keras_vae.ops.noise import open_uniform


class InverseCDF(Independent):
    """Abstract: independent variables drawn by z = F^-1(u), u uniform, whose gradient is that of the quantile function.

    A family of one's own names its parameters and its support, and says `quantile` and `log_density`; `mean`,
    `variance`, `mode` and `entropy_of_each` where they are asked for.

    Args:
        **parameters: float tensors by name, the first of the shape (batch, ...) of the event.

    Example:

    >>> import math
    >>> import numpy as np
    >>> from keras import ops
    >>> from keras_vae.distributions import POSITIVE, InverseCDF
    >>> class Rayleigh(InverseCDF):
    ...     parameters, support = {"scale": POSITIVE}, (0.0, math.inf)
    ...
    ...     def quantile(self, p):
    ...         return self.scale * ops.sqrt(-2.0 * ops.log1p(-p))
    ...
    ...     def log_density(self, value):
    ...         y = value / self.scale
    ...         return ops.log(y / self.scale) - 0.5 * ops.square(y)
    >>> q = Rayleigh(scale=np.full((1, 3), 2.0, "float32"))
    >>> round(float(q.log_prob(q.sample_from(np.full((1, 3), 0.5, "float32")))[0]), 4)
    -3.6689
    """

    noise = "uniform"

    def quantile(self, p):
        """The value below which a share p of the mass lies, for p in (0, 1), of the shape of the event."""
        raise self._missing("quantile")

    def sample_from(self, noise):
        return self.quantile(open_uniform(noise))
