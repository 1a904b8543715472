"""The abstract variational autoencoder."""

from keras_vae.bottlenecks import GaussianBottleneck
from keras_vae.likelihoods import BernoulliLikelihood
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.priors import StandardNormal


class Variational(Autoencoder):
    """Abstract: a posterior that is drawn from, a prior, and loss = distortion + the terms in `loss_weights`.

    A sibling of the VAE says by `loss_weights` what its loss is made of, and by `terms` what is new in it.

    Args:
        encoder: keras layer or model, x -> features; the head of the posterior is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        bottleneck: Bottleneck with a posterior. Default: GaussianBottleneck(latent_dim).
        likelihood: Likelihood. Default: BernoulliLikelihood().
        prior: Prior. Default: StandardNormal().
        **kwargs: `condition` of Autoencoder, and of keras.Model.
    """

    def __init__(self, encoder, decoder, latent_dim=None, bottleneck=None, likelihood=None, prior=None, **kwargs):
        bottleneck = _gaussian_or(bottleneck, latent_dim)
        likelihood = BernoulliLikelihood() if likelihood is None else likelihood
        prior = StandardNormal() if prior is None else prior
        super().__init__(encoder, decoder, bottleneck=bottleneck, likelihood=likelihood, prior=prior, **kwargs)
        self.latent_dim = latent_dim
        _check_supports(self.bottleneck, self.prior)

    @property
    def loss_weights(self):
        """What the loss adds to the distortion: name of a term -> its weight, a number or a scalar weight."""
        return {"rate": 1.0}

    def terms(self, x, y, outputs, training):
        return self.total(super().terms(x, y, outputs, training), **self.loss_weights)


def _check_supports(bottleneck, prior):
    """Raises where the posterior draws what the prior takes for impossible: the rate would be infinite."""
    if bottleneck.support is None or prior.support is None:
        return
    (low, high), (least, most) = bottleneck.support, prior.support
    if low < least or high > most:
        raise ValueError(
            f"`prior` must be a density wherever the posterior draws, in ({low:g}, {high:g}). Received: a "
            f"{type(prior).__name__} on ({least:g}, {most:g})."
        )


def _gaussian_or(bottleneck, latent_dim):
    """`bottleneck`, or a GaussianBottleneck(latent_dim) where none is given; raises where the two contradict."""
    if bottleneck is None:
        if latent_dim is None:
            raise ValueError(
                "`latent_dim` must be an integer >= 1 where no `bottleneck` is given. Received: latent_dim=None."
            )
        return GaussianBottleneck(latent_dim)
    if not getattr(bottleneck, "is_random", True):
        raise ValueError(
            "`bottleneck` must draw z from a density, as GaussianBottleneck does. "
            f"Received: bottleneck={type(bottleneck).__name__}."
        )
    own = getattr(bottleneck, "latent_dim", None)
    if latent_dim is not None and own != latent_dim:
        raise ValueError(
            f"`latent_dim` must be that of the `bottleneck`, {own}, or be left out. Received: latent_dim={latent_dim}."
        )
    return bottleneck
