"""The Dirichlet distribution."""

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.parameter import CONCENTRATION
from keras_vae.distributions.parametric import Parametric
from keras_vae.ops.gamma import LEAST, gamma_draw, gamma_noise
from keras_vae.ops.numerics import flat
from keras_vae.ops.special import HALF_LOG_2_PI, dirichlet_entropy, log_excess, stirling


@family
class Dirichlet(Parametric):
    """Vectors of shares that sum to one, on the last axis: p(z) ~ prod_k z_k^(concentration_k - 1).

    Drawn as Gamma variables by their sum, whose gradient is implicit (Figurnov et al. 2018, arXiv:1805.08498). Vectors
    at several places are independent. The density is that of all components but one, as SciPy's; a value is taken as
    it is, and not checked to sum to one.

    Args:
        concentration: float tensor > 0 of shape (batch, ..., K), K >= 2.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Dirichlet
    >>> p = Dirichlet(np.ones((1, 3), "float32"))
    >>> round(float(p.log_prob(np.array([[0.2, 0.3, 0.5]], "float32"))[0]), 4)  # log(2): uniform on a triangle
    0.6931
    """

    parameters = {"concentration": CONCENTRATION}
    support, joint = (0.0, 1.0), True

    def __init__(self, concentration):
        super().__init__(concentration=concentration)

    def noise_spec(self, shape):
        return gamma_noise(shape)

    def sample_from(self, noise):
        return ops.maximum(ops.softmax(gamma_draw(self.concentration, noise)[1], axis=-1), LEAST)

    def elementwise_log_prob(self, value):
        """The share of each vector, its components together: (batch, vectors)."""
        a, value, k = self.concentration, ops.cast(value, "float32"), self.concentration.shape[-1]
        inside = ops.all(value > 0.0, axis=-1, keepdims=True)
        value, mean = ops.where(inside, value, self.mean), self.mean
        shares = 0.5 * ops.log(a) - stirling(a) - ops.log(value) + a * log_excess(value / mean, (value - mean) / mean)
        total = ops.sum(a, axis=-1, keepdims=True)
        log_density = ops.sum(shares, axis=-1, keepdims=True) - 0.5 * ops.log(total) + stirling(total)
        return flat(ops.where(inside, log_density - (k - 1) * HALF_LOG_2_PI, float("-inf")))

    def elementwise_entropy(self):
        """The share of each vector: (batch, vectors)."""
        return flat(ops.expand_dims(dirichlet_entropy(self.concentration), -1))

    @property
    def mean(self):
        return self.concentration / ops.sum(self.concentration, axis=-1, keepdims=True)

    @property
    def variance(self):
        total = ops.sum(self.concentration, axis=-1, keepdims=True)
        return self.mean * (1.0 - self.mean) / (total + 1.0)

    @property
    def mode(self):
        """Where no concentration is above one, the corner of the largest."""
        above = ops.maximum(self.concentration - 1.0, 0.0)
        total = ops.sum(above, axis=-1, keepdims=True)
        corner = ops.one_hot(ops.argmax(self.concentration, axis=-1), self.concentration.shape[-1], dtype="float32")
        return ops.where(total > 0.0, above / ops.where(total > 0.0, total, 1.0), corner)
