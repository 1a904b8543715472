"""The MuProp estimator."""

from keras import ops

from keras_vae import _backend
from keras_vae.core.registration import registered
from keras_vae.estimators.score_function import ScoreFunction


@registered
class MuProp(ScoreFunction):
    """The score function with the first-order expansion at the mean as the control, whose own gradient is put back.

    With m = E_q[z]: (f(z) - f(m) - f'(m) (z - m)) d log q(z|x) + f'(m) dm (Gu et al. 2016, eq. 6). Unbiased. The
    decoder runs three times in a step, once forwards with a derivative: at z, and at m. The rate, where it is estimated
    at the draw, has the plain score function. Decoders that see the data are none for it.

    Args:
        **kwargs: of keras.layers.Layer.

    Reference:
        Gu, Levine, Sutskever & Mnih 2016, arXiv:1511.05176.

    Example:

    >>> import keras_vae
    >>> keras_vae.BernoulliBottleneck(8, estimator=keras_vae.MuProp()).carries_gradient
    False
    """

    takes_jvp = True
    fixed = ("baseline",)

    def __init__(self, **kwargs):
        super().__init__(baseline=None, **kwargs)

    def through(self, name, value, draw):
        if "baseline" not in draw.beside or name != "distortion":
            return super().through(name, value, draw)
        mean = draw.posterior.mean
        held, ahead = ops.stop_gradient(mean), ops.stop_gradient(draw.z - mean)
        at_mean, slope = _backend.jvp(draw.at, (held,), (ahead,))
        signal = ops.stop_gradient(value - at_mean - slope)
        path = draw.at(mean)
        return value + self.scored(name, signal, draw) + (path - ops.stop_gradient(path))
