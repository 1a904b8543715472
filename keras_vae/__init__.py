"""keras_vae: the zoo of autoencoders, as ordinary Keras 3 layers and models on TensorFlow, JAX and torch."""

from keras_vae._backend.select import choose_backend

choose_backend()  # before anything imports Keras

from keras_vae import callbacks, datasets, distributions, metrics, ops, reports, training  # noqa: E402
from keras_vae.bottlenecks import GaussianBottleneck, IdentityBottleneck, VectorQuantizer, VectorQuantizerEMA  # noqa: E402
from keras_vae.layers import ResidualStack, UpsamplingConv2D  # noqa: E402
from keras_vae.likelihoods import (  # noqa: E402
    BernoulliLikelihood,
    GaussianLikelihood,
    PerPixelGaussianLikelihood,
    SharedVarianceGaussianLikelihood,
    SquaredError,
)
from keras_vae.models import VAE, VQVAE, Autoencoder, BetaVAE, PlainAutoencoder  # noqa: E402
from keras_vae.nets import ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder, VQDecoder, VQEncoder  # noqa: E402
from keras_vae.presets import PresetError, list_pretrained, load_pretrained, save_pretrained  # noqa: E402
from keras_vae.priors import StandardNormal, UniformCodes  # noqa: E402

__version__ = "0.1.0"

__all__ = [
    "Autoencoder",
    "BernoulliLikelihood",
    "BetaVAE",
    "ConvDecoder",
    "ConvEncoder",
    "GaussianBottleneck",
    "GaussianLikelihood",
    "IdentityBottleneck",
    "MLPDecoder",
    "MLPEncoder",
    "PerPixelGaussianLikelihood",
    "PlainAutoencoder",
    "PresetError",
    "ResidualStack",
    "SharedVarianceGaussianLikelihood",
    "SquaredError",
    "StandardNormal",
    "UniformCodes",
    "UpsamplingConv2D",
    "VAE",
    "VQDecoder",
    "VQEncoder",
    "VQVAE",
    "VectorQuantizer",
    "VectorQuantizerEMA",
    "callbacks",
    "datasets",
    "distributions",
    "list_pretrained",
    "load_pretrained",
    "metrics",
    "ops",
    "reports",
    "save_pretrained",
    "training",
]
