"""The posterior of an inverse autoregressive flow."""

import keras
from keras import ops

from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.core.checks import instance, integer, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.distributions import Flow, Normal
from keras_vae.layers import AutoregressiveFlow, ReplicaSeedGenerator
from keras_vae.ops.numerics import clip_straight_through, float32

LOG_VAR_RANGE = (-20.0, 14.0)  # as of the Gaussian bottleneck


@registered
class InverseAutoregressiveFlow(Bottleneck):
    """Posterior q(z|x) of a diagonal Gaussian draw that a flow transforms, given a context that the encoder predicts.

    Kingma et al. 2016, algorithm 1: what a diagonal Gaussian cannot say, how latents depend on each other given x. One
    linear map of the features gives the mean and the log-variance of the Gaussian, and the context of the flow. log
    q(z|x) of a draw is exact and costs nothing; of any other z, as in a `VampPrior`, it is exact and takes one pass of
    the nets for each latent. There is no closed-form rate: it is the one-sample estimate.

    A model's `encode` gives the transformed mean of the Gaussian, the draw of zero noise, for its "mode", and the
    average of 64 draws of fixed noise for its "mean": neither has a closed form (see `keras_vae.distributions.Flow`).

    Args:
        latent_dim: int >= 1, latents.
        flow: AutoregressiveFlow. Default: AutoregressiveFlow(), of two steps.
        context_dim: int >= 1, numbers that the flow is told of x. Default: 64.
        seed: int or None, of the noise. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, features).

    Output shape:
        dict with "z", "base_mean", "base_log_var": (batch, latent_dim); "context": (batch, context_dim); and, of the
        draw, "drawn", z again, and "base", what it is the transformation of: (batch, latent_dim). All float32.

    Raises:
        ValueError: if `latent_dim` or `context_dim` is not >= 1, or the features are no vectors.
        TypeError: if `flow` is no AutoregressiveFlow.

    Reference:
        Kingma, Salimans, Jozefowicz, Chen, Sutskever & Welling 2016, arXiv:1606.04934.

    Example:

    >>> import numpy as np, keras_vae
    >>> flow = keras_vae.AutoregressiveFlow(num_steps=2, units=(16,))
    >>> bottleneck = keras_vae.InverseAutoregressiveFlow(latent_dim=3, flow=flow, context_dim=8)
    >>> tuple(bottleneck(np.ones((2, 5), "float32"))["z"].shape)
    (2, 3)
    """

    noise = "normal"

    def __init__(self, latent_dim, flow=None, context_dim=64, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = integer("latent_dim", latent_dim)
        self.flow = AutoregressiveFlow() if flow is None else instance("flow", flow, AutoregressiveFlow)
        self.context_dim = integer("context_dim", context_dim)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.head = keras.layers.Dense(2 * self.latent_dim + self.context_dim, name="head", dtype=self.dtype_policy)

    def build(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(
                f"{type(self).__name__} takes vectors of features. Received: features of shape {tuple(input_shape)}."
            )
        self.head.build(input_shape)
        if not self.flow.built:  # as it is where it comes from a file
            self.flow.build((None, self.latent_dim), (None, self.context_dim))

    def parameters(self, h):
        sizes = [self.latent_dim, 2 * self.latent_dim]
        mean, log_var, context = ops.split(float32(self.head(h)), sizes, axis=-1)
        log_var = clip_straight_through(log_var, *LOG_VAR_RANGE)
        return {"base_mean": mean, "base_log_var": log_var, "context": context}

    def call(self, h, training=False):
        parameters = self.parameters(h)
        posterior = self.posterior(parameters)
        z = posterior.sample(self.seed_generator)
        return {"z": z, "drawn": z, "base": posterior.known[1], **parameters}

    def draws(self, outputs, n, training=False):
        posterior = self.posterior(outputs).repeat(n)
        z = posterior.sample(self.seed_generator)
        return {"z": z, "drawn": z, "base": posterior.known[1]}

    def posterior(self, outputs):
        known = (outputs["drawn"], outputs["base"]) if "drawn" in outputs else None
        base = Normal(outputs["base_mean"], outputs["base_log_var"])
        return Flow(base, self.flow, outputs["context"], known)
