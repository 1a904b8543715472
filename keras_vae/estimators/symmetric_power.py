"""The symmetric power smoothing."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.estimators.smoothing import Smoothing


@registered
class SymmetricPower(Smoothing):
    """z = (1 - p) (eps / (1 - p))^b for eps < 1 - p, else 1 - p ((1 - eps) / p)^b: bent from the line to the step.

    Both values are smoothed alike, z(1 - p, 1 - eps) = 1 - z(p, eps), and meet at z = 1 - p. b is the sharpness: at one
    z is the noise itself, which tells nothing of p, so that it must be above. The slope (b - 1) (eps / (1 - p))^b is
    never above b - 1, whatever p.

    Args:
        sharpness: float > 1, b. A weight, which callbacks may schedule.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `sharpness` is not > 1.
        TypeError: in training, if the posterior is not of binary variables.

    Example:

    >>> import numpy as np, keras_vae
    >>> smoothing = keras_vae.SymmetricPower(4.0)
    >>> z = smoothing.draw_from(keras_vae.distributions.Bernoulli([[0.0, 0.0]]), np.array([[0.25, 0.75]], "float32"))
    >>> [round(float(v), 4) for v in np.asarray(z)[0]]  # p = 1/2: (1/2) (1/2)^4
    [0.0312, 0.9688]
    """

    least = 1.0

    def transform(self, probabilities, eps):
        zero = eps < 1.0 - probabilities
        noise = ops.where(zero, eps, 1.0 - eps)
        ratio = ops.minimum(noise / ops.where(zero, 1.0 - probabilities, probabilities), 1.0)
        # As noise times a power, and not as p times one: then p has one way in, and no slope is a small difference.
        off = noise * ops.exp((ops.convert_to_tensor(self.sharpness) - 1.0) * ops.log(ratio))
        return ops.where(zero, off, 1.0 - off)
