"""The Gaussian bottleneck of the VAE."""

import math

import keras
from keras import ops

from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.core.checks import integer, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.distributions import Normal
from keras_vae.layers import ReplicaSeedGenerator
from keras_vae.ops.numerics import clip_straight_through, float32

# Variances from 2e-9 to 1e6: a draw of six standard deviations, and sums of them, stay below float16's largest, 65504.
LOG_VAR_RANGE = (-20.0, 14.0)


@registered
class GaussianBottleneck(Bottleneck):
    """Diagonal Gaussian posterior q(z|x) = N(z_mean, exp(z_log_var)), drawn by z = mean + exp(log_var / 2) * noise.

    Mean and log-variance are one linear map of the features, on the last axis: vectors give a vector of latents,
    feature maps a map of latents. The draw is made in training and in evaluation alike, so that both estimate the same
    bound. Posterior parameters and the draw are float32 under any dtype policy. The log-variance is held in [-20, 14],
    with a gradient that leads back from outside. Kingma & Welling 2014, section 2.4.

    Args:
        latent_dim: int >= 1, latents on the last axis.
        seed: int or None, of the noise. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ..., features).

    Output shape:
        dict with "z", "z_mean", "z_log_var": each (batch, ..., latent_dim), float32.

    Raises:
        ValueError: if `latent_dim` is not an integer >= 1.

    Reference:
        Kingma & Welling 2014, arXiv:1312.6114.

    Example:

    >>> import numpy as np, keras_vae
    >>> outputs = keras_vae.GaussianBottleneck(latent_dim=3)(np.ones((2, 5), "float32"))
    >>> sorted(outputs), tuple(outputs["z"].shape)
    (['z', 'z_log_var', 'z_mean'], (2, 3))
    """

    noise, support = "normal", (-math.inf, math.inf)

    def __init__(self, latent_dim, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = integer("latent_dim", latent_dim)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.head = keras.layers.Dense(2 * self.latent_dim, name="head", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.head.build(input_shape)

    def parameters(self, h):
        mean, log_var = ops.split(float32(self.head(h)), 2, axis=-1)
        return {"z_mean": mean, "z_log_var": clip_straight_through(log_var, *LOG_VAR_RANGE)}

    def call(self, h, training=False):
        parameters = self.parameters(h)
        return {"z": self.posterior(parameters).sample(self.seed_generator), **parameters}

    def posterior(self, outputs):
        return Normal(outputs["z_mean"], outputs["z_log_var"])
