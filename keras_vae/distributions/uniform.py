"""The uniform distribution."""

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.location_scale import LocationScale


@family
class Uniform(LocationScale):
    """Independent uniform variables on [loc, loc + scale].

    Its divergence from a density that is zero somewhere inside is infinite. Of its modes the middle is given.

    Args:
        loc: float tensor of shape (batch, ...), the lower end.
        scale: float, or float tensor > 0 that broadcasts to `loc`, the width.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Uniform
    >>> q = Uniform(np.zeros((1, 1), "float32"), 4.0)
    >>> round(float(q.log_prob(np.ones((1, 1), "float32"))[0]), 4)  # -log(4)
    -1.3863
    """

    has_score = False
    standard_support = (0.0, 1.0)
    standard_mean = standard_mode = 0.5
    standard_variance, standard_entropy = 1.0 / 12.0, 0.0

    def __init__(self, loc, scale):
        super().__init__(loc, scale)

    def standard_quantile(self, p):
        return p

    def standard_log_density(self, y):
        return ops.zeros_like(y)
