"""A restricted Boltzmann machine as a distribution of binary vectors."""

from keras import ops

from keras_vae.distributions.distribution import Distribution
from keras_vae.ops import boltzmann
from keras_vae.ops.numerics import float32


class RestrictedBoltzmann(Distribution):
    """p(z) = exp(-E(z)) / Z over z = (a, b) in {0, 1}^n, E = -a^T W b - c^T a - d^T b; the same for every example.

    KL(q || p) of independent Bernoulli variables q is exact: -H(q) + E(means of q) + log Z, for E is linear in each
    variable. Mean, mode and entropy have no closed form, and draws take a chain: see `keras_vae.BoltzmannMachine`.

    Args:
        couplings: float tensor (left, right), W.
        biases: float tensor (left + right,), c and d.
        log_partition: function without arguments that returns log Z, a scalar tensor: it may be costly, and is asked
            for where it is used. Default: None, the exact sum over the states of the smaller side.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import RestrictedBoltzmann
    >>> p = RestrictedBoltzmann(np.zeros((2, 1), "float32"), np.zeros(3, "float32"))
    >>> round(float(p.log_prob(np.ones((1, 3), "float32"))[0]), 4)  # 3 log(1/2)
    -2.0794
    """

    joint = True
    noise = "uniform"

    def __init__(self, couplings, biases, log_partition=None):
        self.couplings, self.biases = (float32(ops.convert_to_tensor(part)) for part in (couplings, biases))
        self._log_partition = log_partition

    def energy(self, value):
        """E of each value, or of the means of independent variables its mean: (batch,), nats."""
        return boltzmann.energy(ops.cast(value, "float32"), self.couplings, self.biases)

    def log_partition(self):
        """log Z, nats, a scalar tensor."""
        if self._log_partition is None:
            return boltzmann.log_partition(self.couplings, self.biases)
        return self._log_partition()

    def log_prob(self, value):
        return -self.energy(value) - self.log_partition()

    def repeat(self, n):
        return self
