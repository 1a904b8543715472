"""The abstract smoothing by a mixture without an inverse CDF in closed form."""

from keras import ops

from keras_vae.estimators.smoothing import Smoothing

STEPS = 32  # of bisection: float32 has no more to tell in [0, 1]
FLATTEST = 2.0**-24  # of densities: noise comes in steps of this, and does not tell a steeper slope of z


class OverlappingMixture(Smoothing):
    """Abstract: z from (1 - p) r0(z) + p r1(z), r1(z) = r0(1 - z), by the inverse of its CDF, found numerically.

    The CDF F = (1 - p) R0 + p R1 is inverted by bisection, and the slope is that of the implicit function F(z) = eps,
    dz/dp = (R0 - R1) / ((1 - p) r0 + p r1) (Vahdat et al. 2018, arXiv:1805.07445). A subclass defines `component`, R0
    and r0, and `ends` where z is not in [0, 1].

    Args:
        sharpness: float > `least`, zero where a class says no other; a weight, which callbacks may schedule.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `sharpness` is not > `least`.
        TypeError: in training, if the posterior is not of binary variables.

    Reference:
        Vahdat, Andriyash & Macready 2018, arXiv:1805.07445. Figurnov, Mohamed & Mnih 2018, arXiv:1805.08498.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras import ops
    >>> from keras_vae.estimators import OverlappingMixture
    >>> class UniformAndExponential(OverlappingMixture):  # of which no value is out of reach
    ...     def component(self, z):
    ...         b = ops.convert_to_tensor(self.sharpness)
    ...         whole = 1.0 - ops.exp(-b)
    ...         return 0.05 * z + 0.95 * (1.0 - ops.exp(-b * z)) / whole, 0.05 + 0.95 * b * ops.exp(-b * z) / whole
    >>> draw = UniformAndExponential(15.0).draw_from
    >>> z = draw(keras_vae.distributions.Bernoulli([[0.0, 0.0]]), np.array([[0.25, 0.5]], "float32"))
    >>> [round(float(v), 4) for v in np.asarray(z)[0]]
    [0.0491, 0.5]
    """

    @property
    def ends(self):
        """(low, high) that z lies between, floats or scalar tensors."""
        return 0.0, 1.0

    def component(self, z):
        """R0(z) and r0(z): CDF and density of z where the binary variable is zero, at `self.sharpness`.

        Args:
            z: float32 tensor (batch, ...), between the ends, which may be met. No gradient is asked of it.
        """
        raise TypeError(f"{type(self).__name__} must define `component(z)`.")

    def transform(self, probabilities, eps):
        p = ops.stop_gradient(probabilities)
        z = ops.stop_gradient(self._inverted(p, ops.stop_gradient(eps)))
        (below, r0), (above, r1) = self.component(z), self.component(1.0 - z)
        gap = ops.maximum(below - (1.0 - above), 0.0)  # in the tails of both, rounding has it below zero
        slope = gap / ops.maximum((1.0 - p) * r0 + p * r1, FLATTEST)
        return z + ops.stop_gradient(slope) * (probabilities - p)

    def _inverted(self, p, eps):
        """z with F(z) = eps."""

        def halve(_, bounds):
            low, high = bounds
            middle = 0.5 * (low + high)
            below, above = self.component(middle)[0], 1.0 - self.component(1.0 - middle)[0]
            short = (1.0 - p) * below + p * above < eps
            return ops.where(short, middle, low), ops.where(short, high, middle)

        start = tuple(ops.zeros_like(p) + end for end in self.ends)
        low, high = ops.fori_loop(0, STEPS, halve, start)
        return 0.5 * (low + high)
