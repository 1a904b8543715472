"""The overlapping exponential smoothing."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.estimators.smoothing import Smoothing

FINEST = 30.0  # e^-30 is the square of what noise in steps of 2^-24 can tell: a sharper bend is not seen


@registered
class OverlappingExponential(Smoothing):
    """z from (1 - p) r0 + p r1, r0(z) = b e^(-b z) / (1 - e^-b) and r1(z) = r0(1 - z), by its inverse CDF.

    Both values are smoothed, on all of [0, 1], so that each draw carries a gradient. With m = e^(-b z), F(z) = eps is
    (1 - p) m^2 + c m - p e^-b = 0, c = eps + p - 1 + e^-b (p - eps) (Vahdat et al. 2018). b is the
    sharpness.

    Args:
        sharpness: float > 0, b; 10 to 14 are usual for MNIST. A weight, which callbacks may schedule.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `sharpness` is not > 0.
        TypeError: in training, if the posterior is not of binary variables.

    Reference:
        Vahdat, Macready, Bian & Khoshaman 2018, arXiv:1802.04920.

    Example:

    >>> import numpy as np, keras_vae
    >>> smoothing = keras_vae.OverlappingExponential(10.0)
    >>> z = smoothing.draw_from(keras_vae.distributions.Bernoulli([[0.0, 0.0]]), np.array([[0.25, 0.5]], "float32"))
    >>> [round(float(v), 4) for v in np.asarray(z)[0]]
    [0.0693, 0.5]
    """

    def transform(self, probabilities, eps):
        p, b = probabilities, ops.convert_to_tensor(self.sharpness)
        c = p - (1.0 - eps) + ops.exp(-b) * (p - eps)
        root = ops.sqrt(ops.square(c) + 4.0 * p * (1.0 - p) * ops.exp(-ops.minimum(b, FINEST)))
        # Of the two forms of a root the one in which nothing cancels: each value is seen from its own end.
        one = c > 0.0
        total = root + ops.where(one, c, -c)
        share = 2.0 * ops.where(one, p, 1.0 - p)
        off = ops.clip((ops.log(share) - ops.log(total)) / b, 0.0, 1.0)
        return ops.where(one, 1.0 - off, off)
