"""What models ask of their bottleneck."""

from keras_vae.bottlenecks import GaussianBottleneck, IdentityBottleneck


def not_codes(bottleneck, model):
    """Raises for a codebook in a model whose loss has no term for its commitment: it would be left out in silence."""
    if bottleneck.is_discrete:
        raise ValueError(
            f"`bottleneck` must be continuous: the loss of {type(model).__name__} has no commitment term; VQVAE has. "
            f"Received: bottleneck={type(bottleneck).__name__}."
        )


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
