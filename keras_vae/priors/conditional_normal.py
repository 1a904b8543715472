"""A normal prior whose mean and variance depend on the condition."""

from keras import layers, ops

from keras_vae.core.checks import integer
from keras_vae.core.registration import registered
from keras_vae.distributions import Normal
from keras_vae.ops.numerics import clip_straight_through, float32
from keras_vae.priors.prior import Prior

LOG_VAR_RANGE = (-20.0, 14.0)  # as of the Gaussian posterior


@registered
class ConditionalNormal(Prior):
    """p(z | c) = N(mean(c), exp(log_var(c))), both linear in the condition: of classes, a Gaussian for each.

    It is learned with the model (Sohn, Lee & Yan 2015, section 4.1). It starts as N(0, I), whatever the condition; the
    log-variance is held in [-20, 14], with a gradient that leads back from outside.

    Args:
        latent_dim: int >= 1, latents: the posterior's.
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, latent_dim). condition: (batch, features), as the model's `Condition` gives it.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: (batch, latent_dim).

    Raises:
        ValueError: if `latent_dim` is not >= 1, or no condition is given.

    Reference:
        Sohn, Lee & Yan 2015, Learning Structured Output Representation using Deep Conditional Generative Models,
        NeurIPS.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.ConditionalNormal(latent_dim=2)
    >>> prior.build((None, 2), condition_shape=(None, 3))
    >>> z, condition = np.zeros((1, 2), "float32"), np.eye(3, dtype="float32")[:1]
    >>> round(float(prior.log_prob(z, condition)[0]), 4)
    -1.8379
    """

    def __init__(self, latent_dim, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = integer("latent_dim", latent_dim)
        self.head = layers.Dense(2 * self.latent_dim, kernel_initializer="zeros", dtype="float32", name="head")

    def build(self, input_shape, condition_shape=None):
        if condition_shape is None:
            raise ValueError("`condition_shape` must be that of a condition. Received: a model without a condition.")
        if tuple(input_shape[1:]) != (self.latent_dim,):
            raise ValueError(
                f"`latent_dim` must be that of the posterior, latents of shape {tuple(input_shape[1:])}. "
                f"Received: latent_dim={self.latent_dim}."
            )
        self.head.build(condition_shape)

    def distribution(self, like, condition=None):
        if condition is None:
            raise ValueError(f"`condition` must be given to {type(self).__name__}. Received: condition=None.")
        mean, log_var = ops.split(float32(self.head(condition)), 2, axis=-1)
        return Normal(mean, clip_straight_through(log_var, *LOG_VAR_RANGE))

    def sample_from(self, noise, condition=None):
        return self.distribution(noise, condition).sample_from(noise)
