"""The bottleneck of binary latents."""

from keras_vae.bottlenecks.discrete import DiscreteBottleneck
from keras_vae.core.checks import integer
from keras_vae.core.registration import registered
from keras_vae.distributions import Bernoulli


@registered
class BernoulliBottleneck(DiscreteBottleneck):
    """Posterior q(z|x) of independent binary latents, z in {0, 1}, with P(z = 1) = sigmoid(z_logits).

    The logits are one linear map of the features. In training the draw goes through the `estimator`, which may relax
    it; in evaluation, and in whatever a user asks of the model, z is binary. It goes with `BernoulliPrior` or
    `BoltzmannMachine`.

    Args:
        latent_dim: int >= 1, latents.
        estimator: Estimator of the gradient through the draw. Default: None, `StraightThrough()`.
        seed: int or None, of the noise. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, features).

    Output shape:
        dict with "z" and "z_logits", (batch, latent_dim), float32; while training also what the estimator has beside
        them.

    Raises:
        ValueError: if `latent_dim` is not >= 1, or the features are no vectors.
        TypeError: if `estimator` is no Estimator.

    Example:

    >>> import numpy as np, keras_vae
    >>> z = np.asarray(keras_vae.BernoulliBottleneck(6)(np.ones((2, 5), "float32"))["z"])
    >>> z.shape, sorted(set(z.ravel().tolist()) | {0.0, 1.0})
    ((2, 6), [0.0, 1.0])
    """

    values = "binary"

    def __init__(self, latent_dim, estimator=None, seed=None, **kwargs):
        super().__init__(estimator, seed, **kwargs)
        self.latent_dim = integer("latent_dim", latent_dim)

    @property
    def event(self):
        return (self.latent_dim,)

    def family(self, logits):
        return Bernoulli(logits)
