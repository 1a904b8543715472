"""One Gaussian of full covariance, fitted to latents."""

import numpy as np

from keras_vae.core.registration import registered
from keras_vae.priors.fitted_density import FittedDensity


@registered
class FittedGaussian(FittedDensity):
    """p(z) = N(z; mean, covariance) of the latents of a trained model: the maximum-likelihood fit, in closed form.

    The simplest generator that there is on top of a plain autoencoder: `model.with_prior(FittedGaussian())`, then
    `fit_prior(x)`. Where codes come in clusters, `FittedMixture` is the better density.

    Args:
        regularization: float >= 0, added to every variance, in the units of z squared. Default: 1e-6.
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, ...), floats.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: (batch, ...).

    Raises:
        ValueError: if `regularization` is negative; on a model of codes; where it draws before it was fitted.

    Reference:
        Ghosh, Sajjadi, Vergari, Black & Schoelkopf 2020, From Variational to Deterministic Autoencoders,
        arXiv:1903.12436.

    Example:

    >>> import numpy as np, keras_vae
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((2,), "tanh"), keras_vae.MLPDecoder((4,), ()))
    >>> model.build((None, 4))
    >>> generator = model.with_prior(keras_vae.FittedGaussian())
    >>> history = generator.fit_prior(np.eye(4, dtype="float32"), verbose=0)
    >>> generator.sample(3, seed=0).shape
    (3, 4)
    """

    num_components = 1

    def estimate(self, z):
        covariance = np.atleast_2d(np.cov(z, rowvar=False, bias=True)) + self.regularization * np.eye(z.shape[1])
        return np.ones(1), z.mean(axis=0)[None], covariance[None]
