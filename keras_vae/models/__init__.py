"""Models: one file per variant."""

from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.beta_vae import BetaVAE
from keras_vae.models.capacity_vae import CapacityVAE
from keras_vae.models.classifier import Classifier
from keras_vae.models.conditional_vae import ConditionalVAE
from keras_vae.models.contractive_autoencoder import ContractiveAutoencoder
from keras_vae.models.denoising_autoencoder import DenoisingAutoencoder
from keras_vae.models.discrete_vae import DiscreteVAE
from keras_vae.models.free_bits_vae import FreeBitsVAE
from keras_vae.models.geco import GECO
from keras_vae.models.info_vae import InfoVAE
from keras_vae.models.iwae import IWAE
from keras_vae.models.k_sparse_autoencoder import KSparseAutoencoder
from keras_vae.models.parameter_distance_vae import ParameterDistanceVAE
from keras_vae.models.plain_autoencoder import PlainAutoencoder
from keras_vae.models.rae import RAE
from keras_vae.models.sparse_autoencoder import SparseAutoencoder
from keras_vae.models.stacked_denoising_autoencoder import StackedDenoisingAutoencoder
from keras_vae.models.stacked_encoder import StackedEncoder
from keras_vae.models.top_k_autoencoder import TopKAutoencoder
from keras_vae.models.vae import VAE
from keras_vae.models.variational import Variational
from keras_vae.models.vqvae import VQVAE
from keras_vae.models.vqvae2 import VQVAE2
from keras_vae.models.wae import WAE

__all__ = [
    "Autoencoder",
    "BetaVAE",
    "CapacityVAE",
    "Classifier",
    "ConditionalVAE",
    "ContractiveAutoencoder",
    "DenoisingAutoencoder",
    "DiscreteVAE",
    "FreeBitsVAE",
    "GECO",
    "IWAE",
    "InfoVAE",
    "KSparseAutoencoder",
    "ParameterDistanceVAE",
    "PlainAutoencoder",
    "RAE",
    "SparseAutoencoder",
    "StackedDenoisingAutoencoder",
    "StackedEncoder",
    "TopKAutoencoder",
    "VAE",
    "VQVAE",
    "VQVAE2",
    "Variational",
    "WAE",
]
