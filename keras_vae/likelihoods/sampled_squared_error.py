"""Squared error of a draw from the decoder."""

from keras import ops

from keras_vae.core.checks import seed_or_none
from keras_vae.core.registration import registered
from keras_vae.layers import ReplicaSeedGenerator
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.likelihoods.per_pixel_gaussian_likelihood import normal_of
from keras_vae.ops.numerics import flat, flat_mask, float32


@registered
class SampledSquaredError(Likelihood):
    """Sum of squared errors of a draw from the decoder, not of its mean: sum_d (x_d - x^_d)^2, x^ ~ N(m(z), exp(s(z))).

    Some texts write the reconstruction so. Its mean over draws is sum_d (x_d - m_d)^2 + exp(s_d): the variance that the
    decoder states is a cost and nothing else, so that it learns to state none, where `PerPixelGaussianLikelihood`
    weighs it against the errors. It is no density: a model with it logs `distortion` in squared units of x, and neither
    an elbo nor a likelihood. One draw is made in training and evaluation alike; `mean` is m(z).

    Args:
        seed: int >= 0 or None, of the draws. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        params: (batch, ..., 2 * channels), means then log-variances, held in [-12, 12]. x: (batch, ..., channels), any
        finite values.

    Output shape:
        `log_prob`: (batch,), minus the squared error. `mean`: the shape of x.

    Raises:
        ValueError: for params with an odd number of channels, or a bad `seed`.

    Example:

    >>> import numpy as np, keras_vae
    >>> error, params = keras_vae.SampledSquaredError(seed=0), np.zeros((1, 8000), "float32")
    >>> squares = -float(error.log_prob(params, np.ones((1, 4000), "float32"))[0])
    >>> 1.8 < squares / 4000 < 2.2  # 1 + the variance
    True
    """

    has_density = False
    params_per_channel = 2

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)

    def distribution(self, params):
        return normal_of(params)

    def log_prob(self, params, x, mask=None):
        each = self.elementwise_log_prob(params, x)
        each = each if mask is None else ops.where(flat_mask(mask, x), each, 0.0)
        return ops.sum(each, axis=-1)

    def elementwise_log_prob(self, params, x):
        draw = self.distribution(float32(ops.convert_to_tensor(params))).sample(self.seed_generator)
        return -ops.square(flat(x) - flat(draw))
