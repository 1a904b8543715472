"""The latent_dim argument that the models with Gaussian latents share."""

from keras_vae.bottlenecks import GaussianBottleneck, IdentityBottleneck


def gaussian_or(bottleneck, latent_dim):
    """`bottleneck`, or a GaussianBottleneck(latent_dim) where none is given; raises where the two contradict."""
    if bottleneck is None:
        if latent_dim is None:
            raise ValueError(
                "`latent_dim` must be an integer >= 1 where no `bottleneck` is given. Received: latent_dim=None."
            )
        return GaussianBottleneck(latent_dim)
    if isinstance(bottleneck, IdentityBottleneck) or getattr(bottleneck, "is_discrete", False):
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
