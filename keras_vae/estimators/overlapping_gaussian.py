"""The overlapping Gaussian smoothing."""

import math

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.estimators.overlapping_mixture import OverlappingMixture

FAR = 6.0  # standard deviations, beyond which noise in steps of 2^-24 never draws


@registered
class OverlappingGaussian(OverlappingMixture):
    """z from (1 - p) N(0, 1/b) + p N(1, 1/b), by its inverse CDF: zero and one under Gaussian noise.

    b is the sharpness, an inverse variance, and z is not held in [0, 1]: half of the draws lie outside, by about
    1 / sqrt(b). The sharper, the emptier the middle, where the slope of z grows as e^(b/8): draws are rare there, and
    the gradient varies the more (Vahdat et al. 2018, arXiv:1805.07445).

    Args:
        sharpness: float > 0, b, such as 20. A weight, which callbacks may schedule.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `sharpness` is not > 0.
        TypeError: in training, if the posterior is not of binary variables.

    Reference:
        Vahdat, Andriyash & Macready 2018, arXiv:1805.07445.

    Example:

    >>> import numpy as np, keras_vae
    >>> smoothing = keras_vae.OverlappingGaussian(16.0)
    >>> z = smoothing.draw_from(keras_vae.distributions.Bernoulli([[0.0, 0.0]]), np.array([[0.1, 0.5]], "float32"))
    >>> [round(float(v), 4) for v in np.asarray(z)[0]]  # P(z < -0.2104) = 0.2 for N(0, 1/16)
    [-0.2104, 0.5]
    """

    @property
    def ends(self):
        beyond = FAR / ops.sqrt(ops.convert_to_tensor(self.sharpness))
        return -beyond, 1.0 + beyond

    def component(self, z):
        scale = ops.sqrt(0.5 * ops.convert_to_tensor(self.sharpness))
        z = scale * z
        return 0.5 * (1.0 + ops.erf(z)), scale / math.sqrt(math.pi) * ops.exp(-ops.square(z))
