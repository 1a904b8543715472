"""The spike-and-exponential smoothing."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.estimators.smoothing import Smoothing

STEEP = 20.0  # from here on e^b - 1 is e^b in float32, and soon too large for it


@registered
class SpikeAndExponential(Smoothing):
    """z = 0 for eps <= 1 - p, else log(1 + (e^b - 1) (eps + p - 1) / p) / b: zero, or exponential up to one.

    Of z = 1 the density is b e^(b z) / (e^b - 1), the denser the nearer to one; of z = 0 a point mass (Rolfe 2017,
    section 2.1). b is the sharpness. Zeros carry no gradient, so that it grows as 1 / p where ones are rare.

    Args:
        sharpness: float > 0, b; 4 to 5 are usual for MNIST. A weight, which callbacks may schedule.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `sharpness` is not > 0.
        TypeError: in training, if the posterior is not of binary variables.

    Reference:
        Rolfe 2017, arXiv:1609.02200.

    Example:

    >>> import numpy as np, keras_vae
    >>> smoothing = keras_vae.SpikeAndExponential(5.0)
    >>> z = smoothing.draw_from(keras_vae.distributions.Bernoulli([[0.0, 0.0]]), np.array([[0.3, 0.75]], "float32"))
    >>> [round(float(v), 4) for v in np.asarray(z)[0]]  # p = 1/2: log((e^5 + 1) / 2) / 5
    [0.0, 0.8627]
    """

    def transform(self, probabilities, eps):
        p, b = probabilities, ops.convert_to_tensor(self.sharpness)
        above = p - (1.0 - eps)  # in this order float32 loses nothing
        one = above > 0.0
        share = ops.where(one, above, p) / p
        low = ops.minimum(b, STEEP)
        gentle = ops.log1p(share * ops.expm1(low))
        steep = b + ops.log(share + (1.0 - share) * ops.exp(-b))
        return ops.where(one, ops.where(b < STEEP, gentle, steep) / b, 0.0)
