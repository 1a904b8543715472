"""Bottlenecks: features -> latent."""

from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.bottlenecks.codebook import Codebook
from keras_vae.bottlenecks.gaussian_bottleneck import GaussianBottleneck
from keras_vae.bottlenecks.identity_bottleneck import IdentityBottleneck
from keras_vae.bottlenecks.vector_quantizer import VectorQuantizer
from keras_vae.bottlenecks.vector_quantizer_ema import VectorQuantizerEMA

__all__ = [
    "Bottleneck",
    "Codebook",
    "GaussianBottleneck",
    "IdentityBottleneck",
    "VectorQuantizer",
    "VectorQuantizerEMA",
]
