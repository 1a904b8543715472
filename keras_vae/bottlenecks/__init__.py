"""Bottlenecks: features -> latent."""

from keras_vae.bottlenecks.batch_top_k import BatchTopK
from keras_vae.bottlenecks.bernoulli_bottleneck import BernoulliBottleneck
from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.bottlenecks.categorical_bottleneck import CategoricalBottleneck
from keras_vae.bottlenecks.codebook import Codebook
from keras_vae.bottlenecks.discrete import DiscreteBottleneck
from keras_vae.bottlenecks.fsq import FSQ
from keras_vae.bottlenecks.gaussian_bottleneck import GaussianBottleneck
from keras_vae.bottlenecks.grouped_vector_quantizer import GroupedVectorQuantizer
from keras_vae.bottlenecks.hierarchical_quantizer import HierarchicalQuantizer
from keras_vae.bottlenecks.identity_bottleneck import IdentityBottleneck
from keras_vae.bottlenecks.inverse_autoregressive_flow import InverseAutoregressiveFlow
from keras_vae.bottlenecks.k_sparse import KSparse
from keras_vae.bottlenecks.lfq import LFQ
from keras_vae.bottlenecks.quantizer import Quantizer
from keras_vae.bottlenecks.reparameterised import Reparameterised
from keras_vae.bottlenecks.residual_vector_quantizer import ResidualVectorQuantizer
from keras_vae.bottlenecks.several_codebooks import SeveralCodebooks
from keras_vae.bottlenecks.sim_vq import SimVQ
from keras_vae.bottlenecks.top_k import TopK
from keras_vae.bottlenecks.vector_quantizer import VectorQuantizer
from keras_vae.bottlenecks.vector_quantizer_ema import VectorQuantizerEMA

__all__ = [
    "BatchTopK",
    "BernoulliBottleneck",
    "Bottleneck",
    "CategoricalBottleneck",
    "Codebook",
    "DiscreteBottleneck",
    "FSQ",
    "GaussianBottleneck",
    "GroupedVectorQuantizer",
    "HierarchicalQuantizer",
    "IdentityBottleneck",
    "InverseAutoregressiveFlow",
    "KSparse",
    "LFQ",
    "Quantizer",
    "Reparameterised",
    "ResidualVectorQuantizer",
    "SeveralCodebooks",
    "SimVQ",
    "TopK",
    "VectorQuantizer",
    "VectorQuantizerEMA",
]
