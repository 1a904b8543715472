"""A mixture of Gaussians, fitted to latents by scikit-learn."""

import numpy as np

from keras_vae.core.checks import integer, one_of
from keras_vae.core.optional import require
from keras_vae.core.registration import registered
from keras_vae.priors.fitted_density import FittedDensity

COVARIANCES = ("full", "tied", "diag", "spherical")


@registered
class FittedMixture(FittedDensity):
    """p(z) = sum_k w_k N(z; mean_k, covariance_k) of the latents of a trained model, by expectation-maximisation.

    `generator = model.with_prior(FittedMixture(10))`, then `generator.fit_prior(x)`, turns any plain autoencoder into a
    generator, and gives a VAE a prior nearer to its aggregated posterior (Ghosh et al. 2020, section 4). To fit it
    takes scikit-learn; what was fitted is kept in weights, and a loaded model does not. A mixture that learns together
    with a VAE is `MixtureOfGaussians`.

    Args:
        num_components: int >= 1, K. Default: 10, as of the reference.
        covariance: str, how many numbers each covariance has to find: "full", "tied" (one for all components), "diag",
            or "spherical". Default: "full".
        regularization: float >= 0, added to every variance, in the units of z squared. Default: 1e-6.
        seed: int >= 0, of the start of the fit. Default: 0.
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, ...), floats.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: (batch, ...). `responsibilities`: (batch, K).

    Raises:
        ValueError: if `num_components` is not >= 1, `covariance` is unknown, or `regularization` is negative; on a
            model of codes; where it draws before it was fitted.
        ImportError: where it is fitted without scikit-learn.

    Reference:
        Ghosh, Sajjadi, Vergari, Black & Schoelkopf 2020, From Variational to Deterministic Autoencoders,
        arXiv:1903.12436.

    Example:

    >>> import numpy as np, keras_vae
    >>> z = np.array([[-3.1], [-3.0], [-2.9], [2.8], [3.0], [3.2]], "float32")  # two clusters
    >>> prior = keras_vae.FittedMixture(num_components=2)
    >>> sorted(prior.fit(z).history)
    ['bits_per_dim', 'loss', 'rate']
    >>> np.asarray(prior.responsibilities(z)).round(3).max(axis=1).tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """

    def __init__(self, num_components=10, covariance="full", regularization=1e-6, seed=0, **kwargs):
        super().__init__(regularization=regularization, **kwargs)
        self.num_components = integer("num_components", num_components)
        self.covariance = one_of("covariance", covariance, COVARIANCES)
        self.seed = integer("seed", seed, low=0)

    def estimate(self, z):
        mixture = require("sklearn.mixture", "viz", "Fitting a mixture to latents").GaussianMixture(
            self.num_components,
            covariance_type=self.covariance,
            reg_covar=self.regularization,
            max_iter=1000,
            random_state=self.seed,
        )
        found, size = mixture.fit(z), z.shape[1]
        widths = found.covariances_
        if self.covariance == "spherical":
            widths = np.repeat(widths[:, None], size, axis=1)
        if self.covariance in ("spherical", "diag"):
            widths = widths[:, :, None] * np.eye(size)
        return found.weights_, found.means_, np.broadcast_to(widths, (self.num_components, size, size))
