"""The estimator of the deep autoregressive network."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.estimators.estimator import Estimator


@registered
class DARN(Estimator):
    """A discrete draw with dz = (z - u) d log q(z), u the mean of the uniform distribution: 1/2, or 1/K of each class.

    Gregor et al. 2014: the score function, with the first-order expansion of the decoder about z in place of its value
    and the value at u as the baseline. It is unbiased where the decoder is quadratic in each of binary z; for others,
    and for classes, biased, for the expansion is not put right. The gradient grows as 1 / q(z) where a class is rare.

    Args:
        **kwargs: of keras.layers.Layer.

    Reference:
        Gregor, Danihelka, Mnih, Blundell & Wierstra 2014, arXiv:1310.8499. Jang, Gu & Poole 2017, arXiv:1611.01144,
        section 3.2.

    Example:

    >>> import keras_vae
    >>> keras_vae.BernoulliBottleneck(8, estimator=keras_vae.DARN()).is_discrete
    True
    """

    values = ("binary", "one-hot")

    def draw(self, posterior, seed):
        hard = posterior.sample(seed)
        middle = type(posterior)(ops.zeros_like(posterior.logits)).mean
        log_prob = posterior.log_prob_of_each(hard)
        return hard + (hard - middle) * (log_prob - ops.stop_gradient(log_prob))
