"""The straight-through estimator."""

from keras import ops

from keras_vae.core.checks import positive
from keras_vae.core.registration import registered
from keras_vae.estimators.estimator import Estimator
from keras_vae.ops.numerics import straight_through


@registered
class StraightThrough(Estimator):
    """A discrete draw, whose gradient is that of the probabilities: dz = d E_q[z], as if rounding were nothing.

    Bengio et al. 2013, section 4. Biased, of no variance beside that of the draw, and free of settings. In the annealed
    form of Chung et al. 2017 the posterior is of the logits times a slope that is raised while training, which draws it
    to zero and one, where the probabilities that the gradient takes for z are near to it:
    `CoefficientSchedule("bottleneck.estimator.slope", ...)`. The slope is part of the model, in evaluation too.

    Args:
        slope: float > 0, what logits are multiplied by; a weight, which callbacks may schedule. Default: 1.0.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `slope` is not > 0.

    Reference:
        Bengio, Leonard & Courville 2013, arXiv:1308.3432. Chung, Ahn & Bengio 2017, arXiv:1609.01704.

    Example:

    >>> import keras_vae
    >>> keras_vae.BernoulliBottleneck(8, estimator=keras_vae.StraightThrough()).is_discrete
    True
    """

    values = ("binary", "one-hot")

    def __init__(self, slope=1.0, **kwargs):
        super().__init__(**kwargs)
        self.slope = self.scalar("slope", slope, positive)

    def steepened(self, logits):
        return logits * ops.convert_to_tensor(self.slope)

    def draw(self, posterior, seed):
        return straight_through(posterior.mean, posterior.sample(seed))
