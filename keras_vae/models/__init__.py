"""Models: one file per variant."""

from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.beta_vae import BetaVAE
from keras_vae.models.plain_autoencoder import PlainAutoencoder
from keras_vae.models.vae import VAE
from keras_vae.models.vqvae import VQVAE

__all__ = ["Autoencoder", "BetaVAE", "PlainAutoencoder", "VAE", "VQVAE"]
