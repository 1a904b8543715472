"""keras_vae: the zoo of autoencoders, as ordinary Keras 3 layers and models on TensorFlow, JAX and torch."""

from keras_vae._backend.select import choose_backend

choose_backend()  # before anything imports Keras

from keras_vae import (  # noqa: E402
    callbacks,
    core,
    datasets,
    distributions,
    generation,
    losses,
    metrics,
    ops,
    reports,
    runs,
    training,
)
from keras_vae.bottlenecks import (  # noqa: E402
    BatchTopK,
    GaussianBottleneck,
    IdentityBottleneck,
    KSparse,
    TopK,
    VectorQuantizer,
    VectorQuantizerEMA,
)
from keras_vae.layers import (  # noqa: E402
    AdditiveGaussianNoise,
    BernoulliMask,
    MaskingNoise,
    ResidualStack,
    SaltAndPepperNoise,
    UpsamplingConv2D,
)
from keras_vae.likelihoods import (  # noqa: E402
    BernoulliLikelihood,
    GaussianLikelihood,
    PerPixelGaussianLikelihood,
    SharedVarianceGaussianLikelihood,
    SquaredError,
)
from keras_vae.models import (  # noqa: E402
    VAE,
    VQVAE,
    Autoencoder,
    BetaVAE,
    Classifier,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    KSparseAutoencoder,
    PlainAutoencoder,
    SparseAutoencoder,
    StackedDenoisingAutoencoder,
    TopKAutoencoder,
)
from keras_vae.nets import (  # noqa: E402
    ConvDecoder,
    ConvEncoder,
    MLPDecoder,
    MLPEncoder,
    TiedMLPDecoder,
    VQDecoder,
    VQEncoder,
)
from keras_vae.presets import PresetError, list_pretrained, load_pretrained, save_pretrained  # noqa: E402
from keras_vae.priors import StandardNormal, UniformCodes  # noqa: E402

__version__ = "0.1.0"

__all__ = [
    "AdditiveGaussianNoise",
    "Autoencoder",
    "BatchTopK",
    "BernoulliLikelihood",
    "BernoulliMask",
    "BetaVAE",
    "Classifier",
    "ContractiveAutoencoder",
    "ConvDecoder",
    "ConvEncoder",
    "DenoisingAutoencoder",
    "GaussianBottleneck",
    "GaussianLikelihood",
    "IdentityBottleneck",
    "KSparse",
    "KSparseAutoencoder",
    "MLPDecoder",
    "MLPEncoder",
    "MaskingNoise",
    "PerPixelGaussianLikelihood",
    "PlainAutoencoder",
    "PresetError",
    "ResidualStack",
    "SaltAndPepperNoise",
    "SharedVarianceGaussianLikelihood",
    "SparseAutoencoder",
    "SquaredError",
    "StackedDenoisingAutoencoder",
    "StandardNormal",
    "TiedMLPDecoder",
    "TopK",
    "TopKAutoencoder",
    "UniformCodes",
    "UpsamplingConv2D",
    "VAE",
    "VQDecoder",
    "VQEncoder",
    "VQVAE",
    "VectorQuantizer",
    "VectorQuantizerEMA",
    "callbacks",
    "core",
    "datasets",
    "distributions",
    "generation",
    "list_pretrained",
    "load_pretrained",
    "losses",
    "metrics",
    "ops",
    "reports",
    "runs",
    "save_pretrained",
    "training",
]
