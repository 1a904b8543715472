"""The estimator of variational inference for Monte Carlo objectives."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.estimators.estimator import Estimator
from keras_vae.ops.numerics import log_mean_exp


@registered
class VIMCO(Estimator):
    """The score function of the bound of k draws: each is judged by what the bound would be without it.

    With L the bound and L_i that in which w_i is the geometric mean of the others: sum_i (L - L_i) d log q(z_i|x) + dL,
    z held (Mnih & Rezende 2016, eq. 7 to 10). Unbiased, and no baseline to learn. It is for `IWAE`, of two draws or
    more.

    Args:
        **kwargs: of keras.layers.Layer.

    Reference:
        Mnih & Rezende 2016, arXiv:1602.06725.

    Example:

    >>> import keras_vae
    >>> nets = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> bottleneck = keras_vae.BernoulliBottleneck(6, estimator=keras_vae.VIMCO())
    >>> model = keras_vae.IWAE(*nets, bottleneck=bottleneck, prior=keras_vae.BernoulliPrior(), num_samples=4)
    """

    carried = False
    has_bound = True

    def draw(self, posterior, seed):
        return ops.stop_gradient(posterior.sample(seed))

    def bound(self, log_weights, log_probs):
        bound, fixed = log_mean_exp(log_weights, axis=1), ops.stop_gradient(log_weights)
        k = log_weights.shape[1]
        others = (ops.sum(fixed, axis=1, keepdims=True) - fixed) / (k - 1)  # the log of their geometric mean
        own = ops.eye(k, dtype="float32")[None]
        swapped = ops.expand_dims(fixed, 1) * (1.0 - own) + ops.expand_dims(others, 1) * own  # (batch, without i, k)
        without = log_mean_exp(swapped, axis=-1)
        signal = ops.expand_dims(ops.stop_gradient(bound), 1) - without
        return bound + ops.sum(signal * (log_probs - ops.stop_gradient(log_probs)), axis=1)
