"""Likelihood of grey levels and colours: a mixture of discretised logistic distributions for each pixel."""

from keras import ops

from keras_vae.core.checks import integer
from keras_vae.core.registration import registered
from keras_vae.distributions import DiscretizedLogisticMixture
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.ops.numerics import clip_straight_through

LOG_SCALE_RANGE = (-7.0, 7.0)  # the floor of PixelCNN++: e^-7 is a ninth of the distance of two of 256 levels


@registered
class DiscretizedLogisticMixtureLikelihood(Likelihood):
    """Pixels of 256 levels as in PixelCNN++: logistic distributions rounded to them, mixed, colours tied together.

    Its nats are comparable with those of a categorical likelihood of as many levels, but near levels are known to be
    alike, and a colour pixel takes 100 parameters instead of 768. `keras_vae.distributions.DiscretizedLogisticMixture`
    has the formula. For C channels the decoder returns for each of M components a logit, C means, C log-scales, which
    are held in [-7, 7] with a gradient that leads back from outside, and C (C - 1) / 2 coefficients of a channel on
    those before it, of which the tanh is taken.

    Args:
        components: int >= 1, M. Default: 10.
        levels: int >= 2, how many values a channel has: k / (levels - 1). Default: 256, 8-bit images.
        **kwargs: of keras.layers.Layer.

    Input shape:
        params: (batch, ..., M (1 + 2 C + C (C - 1) / 2)), 3 M for greys and 10 M for colours: logits, then means,
        log-scales and coefficients, of one channel after another. x: (batch, ..., C), in [0, 1]; a value between two
        levels counts as the nearer one.

    Output shape:
        `log_prob`: (batch,), nats. `elementwise_log_prob`: (batch, pixels). `mean`: the shape of x, in [0, 1].

    Raises:
        ValueError: if `components` is not >= 1, or `levels` not >= 2; for params of another size.

    Reference:
        Salimans, Karpathy, Chen & Kingma 2017, arXiv:1701.05517, sections 2.1 and 2.2.

    Example:

    >>> import numpy as np, keras_vae
    >>> likelihood = keras_vae.DiscretizedLogisticMixtureLikelihood(components=2, levels=2)
    >>> round(float(likelihood.log_prob(np.zeros((1, 3, 6), "float32"), np.ones((1, 3, 1), "float32"))[0]), 4)
    -2.0794
    """

    interval = (0.0, 1.0)
    joint_channels = True

    def __init__(self, components=10, levels=256, **kwargs):
        super().__init__(**kwargs)
        self.components = integer("components", components)
        self.levels = integer("levels", levels, low=2)

    def params_shape(self, data_shape):
        return (*data_shape[:-1], self.components * _per_component(data_shape[-1]))

    def distribution(self, params):
        channels, m = self._channels(params), self.components
        params = ops.convert_to_tensor(params)
        params = ops.reshape(params, (-1, *ops.shape(params)[1:-1], params.shape[-1] // m, m))
        logits, means = params[..., 0, :], params[..., 1 : 1 + channels, :]
        log_scales, coefficients = params[..., 1 + channels : 1 + 2 * channels, :], params[..., 1 + 2 * channels :, :]
        log_scales = clip_straight_through(log_scales, *LOG_SCALE_RANGE)
        return DiscretizedLogisticMixture(logits, means, log_scales, ops.tanh(coefficients), self.levels)

    def _channels(self, params):
        """C, from the size of what the decoder returned."""
        size, channels = params.shape[-1], 1
        while self.components * _per_component(channels) < size:
            channels += 1
        if self.components * _per_component(channels) != size:
            raise ValueError(
                f"`decoder` must return {self.components} (1 + 2 C + C (C - 1) / 2) numbers for each pixel of C "
                f"channels, as `params_shape(data_shape)` says. Received: params of shape {tuple(params.shape)}."
            )
        return channels


def _per_component(channels):
    return 1 + 2 * channels + channels * (channels - 1) // 2
