"""The spike-and-power smoothing."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.estimators.smoothing import Smoothing


@registered
class SpikeAndPower(Smoothing):
    """z = 0 for eps <= 1 - p, else 1 - ((1 - eps) / p)^b: zero, or what a power leaves of one.

    Of z = 1 the density is (1 - z)^(1/b - 1) / b, uniform for b = 1 and the denser near one the larger b, which is the
    sharpness; of z = 0 a point mass. Beside `SpikeAndExponential`, ones come nearer to one, and the gradient is never
    far above b / p.

    Args:
        sharpness: float > 0, b; above one for a density that rises. A weight, which callbacks may schedule.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `sharpness` is not > 0.
        TypeError: in training, if the posterior is not of binary variables.

    Example:

    >>> import numpy as np, keras_vae
    >>> smoothing = keras_vae.SpikeAndPower(4.0)
    >>> z = smoothing.draw_from(keras_vae.distributions.Bernoulli([[0.0, 0.0]]), np.array([[0.3, 0.75]], "float32"))
    >>> [round(float(v), 4) for v in np.asarray(z)[0]]  # p = 1/2: 1 - (1/2)^4
    [0.0, 0.9375]
    """

    def transform(self, probabilities, eps):
        rest = ops.minimum((1.0 - eps) / probabilities, 1.0)  # one where z is zero
        return 1.0 - ops.exp(ops.convert_to_tensor(self.sharpness) * ops.log(rest))
