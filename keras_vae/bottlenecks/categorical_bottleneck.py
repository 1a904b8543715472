"""The bottleneck of categorical latents."""

from keras import ops

from keras_vae.bottlenecks.discrete import DiscreteBottleneck
from keras_vae.core.checks import integer
from keras_vae.core.registration import registered
from keras_vae.distributions import OneHotCategorical


@registered
class CategoricalBottleneck(DiscreteBottleneck):
    """Posterior q(z|x) of independent one-hot latents, several variables of several classes, p = softmax(z_logits).

    The logits are one linear map of the features. In training the draw goes through the `estimator`, which may relax
    it; in evaluation, and in whatever a user asks of the model, z is one-hot. It goes with `CategoricalPrior`.

    Args:
        latent_dim: int >= 1, variables.
        num_classes: int >= 2, of each.
        estimator: Estimator of the gradient through the draw. Default: None, `StraightThrough()`.
        seed: int or None, of the noise. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, features).

    Output shape:
        dict with "z" and "z_logits", (batch, latent_dim, num_classes), float32, the latter log-probabilities, held
        above -15; while training also what the estimator has beside them.

    Raises:
        ValueError: if a number is out of range, or the features are no vectors.
        TypeError: if `estimator` is no Estimator.

    Example:

    >>> import numpy as np, keras_vae
    >>> z = np.asarray(keras_vae.CategoricalBottleneck(3, num_classes=4)(np.ones((2, 5), "float32"))["z"])
    >>> z.shape, z.sum(axis=-1).tolist()
    ((2, 3, 4), [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    """

    values = "one-hot"

    def __init__(self, latent_dim, num_classes, estimator=None, seed=None, **kwargs):
        super().__init__(estimator, seed, **kwargs)
        self.latent_dim = integer("latent_dim", latent_dim)
        self.num_classes = integer("num_classes", num_classes, low=2)

    @property
    def event(self):
        return (self.latent_dim, self.num_classes)

    def normalised(self, logits):
        return ops.log_softmax(logits, axis=-1)  # else two classes beyond the limit would be equally likely

    def family(self, logits):
        return OneHotCategorical(logits)
