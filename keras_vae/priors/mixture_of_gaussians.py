"""A mixture of diagonal Gaussians that is learned with the model."""

import keras
from keras import ops

from keras_vae.core.checks import integer, non_negative, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.distributions import Normal
from keras_vae.ops.numerics import clip_straight_through
from keras_vae.priors.mixture_prior import MixturePrior

LOG_VAR_RANGE = (-20.0, 14.0)  # as of the Gaussian posterior


@registered
class MixtureOfGaussians(MixturePrior):
    """p(z) = sum_k w_k N(z; mean_k, exp(log_var_k)) with learned weights, means and variances of each dimension.

    It learns with the model, by `fit` of a `VAE(..., prior=MixtureOfGaussians(10))`: the "MoG prior" of Tomczak &
    Welling 2018, section 4. The rate has no closed form and is the one-sample estimate log q(z|x) - log p(z). It starts
    with equal weights, unit variances and means drawn apart; log-variances are held in [-20, 14], with a gradient that
    leads back from outside. A mixture fitted to the latents of a model that is trained already is `FittedMixture`.

    Args:
        num_components: int >= 1, K. Default: 10.
        spread: float >= 0, the standard deviation of the means at the start. Default: 1.0.
        seed: int or None, of the means at the start. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, ...), floats.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: (batch, ...). `responsibilities`: (batch, K).

    Raises:
        ValueError: if `num_components` is not >= 1, or `spread` is negative; on a model of codes.

    Reference:
        Tomczak & Welling 2018, VAE with a VampPrior, arXiv:1705.07120.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.MixtureOfGaussians(num_components=4, spread=0.0)
    >>> prior.build((None, 2))
    >>> round(float(prior.log_prob(np.zeros((1, 2), "float32"))[0]), 4)  # four times the same: N(0, I)
    -1.8379
    """

    def __init__(self, num_components=10, spread=1.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.num_components = integer("num_components", num_components)
        self.spread = non_negative("spread", spread)
        self.seed = seed_or_none("seed", seed)

    def build(self, input_shape):
        shape = (self.num_components, *input_shape[1:])
        spread = keras.initializers.RandomNormal(stddev=self.spread, seed=self.seed)
        options = {"dtype": "float32", "autocast": False}
        self.means = self.add_weight(shape=shape, initializer=spread, name="means", **options)
        self.log_vars = self.add_weight(shape=shape, initializer="zeros", name="log_vars", **options)
        self.logits = self.add_weight(shape=shape[:1], initializer="zeros", name="logits", **options)
        self.built = True

    def components(self):
        """The K components, as one distribution of so many members."""
        log_vars = clip_straight_through(ops.convert_to_tensor(self.log_vars), *LOG_VAR_RANGE)
        return Normal(ops.convert_to_tensor(self.means), log_vars)

    def log_weights(self):
        return ops.log_softmax(ops.convert_to_tensor(self.logits))

    def pairwise_log_prob(self, z):
        return self.components().pairwise_log_prob(z)

    def sample_component(self, component, noise):
        every = self.components()
        return Normal(*(ops.take(part, component, axis=0) for part in (every.mean, every.log_var))).sample_from(noise)
