"""The overlapping power smoothing."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.estimators.overlapping_mixture import OverlappingMixture

SMALLEST = 2.0**-30  # of z, where the density is infinite


@registered
class OverlappingPower(OverlappingMixture):
    """z from (1 - p) r0 + p r1, r0(z) = z^(1/b - 1) / b and r1(z) = r0(1 - z), by its inverse CDF.

    Both densities are infinite at their own end and 1/b at the other: draws come nearer to zero and one than
    exponential ones do, and still lie in between with a slope that is never above b (Vahdat et al. 2018,
    arXiv:1805.07445). b is the sharpness: at one both are uniform and tell nothing of p, so that it must be above.

    Args:
        sharpness: float > 1, b; 30 to 40 are usual for MNIST. A weight, which callbacks may schedule.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `sharpness` is not > 1.
        TypeError: in training, if the posterior is not of binary variables.

    Reference:
        Vahdat, Andriyash & Macready 2018, arXiv:1805.07445.

    Example:

    >>> import numpy as np, keras_vae
    >>> smoothing = keras_vae.OverlappingPower(2.0)
    >>> z = smoothing.draw_from(keras_vae.distributions.Bernoulli([[0.0, 0.0]]), np.array([[0.5, 0.9]], "float32"))
    >>> [round(float(v), 4) for v in np.asarray(z)[0]]  # sqrt(z) - sqrt(1 - z) = 2 eps - 1
    [0.5, 0.9665]
    """

    least = 1.0

    def component(self, z):
        z, b = ops.maximum(z, SMALLEST), ops.convert_to_tensor(self.sharpness)
        below = ops.exp(ops.log(z) / b)
        return below, below / (b * z)
