"""The abstract smoothing transformation."""

import functools
import math

import keras
from keras import ops

from keras_vae.core.checks import in_open_interval
from keras_vae.estimators.estimator import Estimator
from keras_vae.ops.noise import open_uniform

CERTAINTY = 1e-7  # how far from zero and one a probability is held: formulas divide by both p and 1 - p


class Smoothing(Estimator):
    """Abstract: a binary draw 1[eps > 1 - p] made smooth, z = f(p, eps), with p = q(z = 1|x) and eps uniform noise.

    The step function has no slope, so that plain draws would teach the encoder nothing but the KL. An f in its place
    must be non-decreasing in eps from f(p, 0) = 0 to f(p, 1) = 1; tend to the step as the sharpness grows; and be
    differentiable almost everywhere. Any such f plugs in: a subclass defines `transform`, and nothing else.

    As with every relaxation, the bound that training logs is of smoothed draws, and no bound of log p(x); evaluation
    draws discrete ones. The sharper, the nearer the two, and the more the gradient varies:
    `CoefficientSchedule("bottleneck.estimator.sharpness", ...)` raises it.

    Args:
        sharpness: float > `least`, zero where a class says no other; a weight, which callbacks may schedule.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `sharpness` is not > `least`.
        TypeError: in training, if the posterior is not of binary variables.

    Reference:
        Rolfe 2017, arXiv:1609.02200, section 2. Vahdat, Macready, Bian & Khoshaman 2018, arXiv:1802.04920.

    Example:

    >>> import numpy as np
    >>> from keras import ops
    >>> from keras_vae.distributions import Bernoulli
    >>> from keras_vae.estimators import Smoothing
    >>> class Concrete(Smoothing):  # what GumbelSoftmax(1 / sharpness) is of binary variables
    ...     def transform(self, probabilities, eps):
    ...         logits = [ops.log(x) - ops.log1p(-x) for x in (probabilities, eps)]
    ...         return ops.sigmoid(self.sharpness * (logits[0] + logits[1]))
    >>> draw = Concrete(2.0).draw_from(Bernoulli([[0.0, 0.0]]), np.array([[0.5, 0.9]], "float32"))
    >>> [round(float(z), 4) for z in np.asarray(draw)[0]]  # with p = 1/2
    [0.5, 0.9878]
    """

    values = ("binary",)
    least = 0.0  # what the sharpness must exceed

    def __init__(self, sharpness, **kwargs):
        super().__init__(**kwargs)
        check = functools.partial(in_open_interval, low=self.least, high=math.inf)
        self.sharpness = self.scalar("sharpness", sharpness, check)

    def transform(self, probabilities, eps):
        """z = f(p, eps), at the present `self.sharpness`.

        Args:
            probabilities: float32 tensor (batch, ...), p, held 1e-7 off zero and one.
            eps: float32 tensor of the same shape, in (0, 1).
        """
        raise TypeError(f"{type(self).__name__} must define `transform(probabilities, eps)`.")

    def draw(self, posterior, seed):
        shape = ops.shape(_binary(posterior).mean)
        return self.draw_from(posterior, keras.random.uniform(shape, dtype="float32", seed=seed))

    def draw_from(self, posterior, noise):
        """The draw that belongs to `noise`, the same on every backend.

        Args:
            posterior: Distribution of binary variables.
            noise: float tensor of its shape, uniform in [0, 1).
        """
        probabilities = ops.clip(_binary(posterior).mean, CERTAINTY, 1.0 - CERTAINTY)
        return self.transform(probabilities, open_uniform(noise))


def _binary(posterior):
    if not posterior.binary:
        raise TypeError(
            "A smoothing takes binary variables, as those of a BernoulliBottleneck. "
            f"Received: posterior={type(posterior).__name__}."
        )
    return posterior
