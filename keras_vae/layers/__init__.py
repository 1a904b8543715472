"""Layers that several networks share."""

from keras_vae.layers.activations import Activations
from keras_vae.layers.additive_gaussian_noise import AdditiveGaussianNoise
from keras_vae.layers.autoregressive_flow import AutoregressiveFlow
from keras_vae.layers.bernoulli_mask import BernoulliMask
from keras_vae.layers.centering import Centering
from keras_vae.layers.chain import Chain
from keras_vae.layers.class_condition import ClassCondition
from keras_vae.layers.condition import Condition
from keras_vae.layers.conditioned import Conditioned
from keras_vae.layers.corruption import Corruption
from keras_vae.layers.gated_raster_block import GatedRasterBlock
from keras_vae.layers.made import MADE
from keras_vae.layers.map_condition import MapCondition
from keras_vae.layers.masked_conv2d import MaskedConv2D
from keras_vae.layers.masking_noise import MaskingNoise
from keras_vae.layers.raster_attention import RasterAttention
from keras_vae.layers.replica_seed_generator import ReplicaSeedGenerator
from keras_vae.layers.residual_raster_block import ResidualRasterBlock
from keras_vae.layers.residual_stack import ResidualStack
from keras_vae.layers.salt_and_pepper_noise import SaltAndPepperNoise
from keras_vae.layers.upsampling_conv1d import UpsamplingConv1D
from keras_vae.layers.upsampling_conv2d import UpsamplingConv2D
from keras_vae.layers.upsampling_conv3d import UpsamplingConv3D
from keras_vae.layers.vector_condition import VectorCondition
from keras_vae.layers.vertical_conv2d import VerticalConv2D

__all__ = [
    "MADE",
    "Activations",
    "AdditiveGaussianNoise",
    "AutoregressiveFlow",
    "BernoulliMask",
    "Centering",
    "Chain",
    "ClassCondition",
    "Condition",
    "Conditioned",
    "Corruption",
    "GatedRasterBlock",
    "MapCondition",
    "MaskedConv2D",
    "MaskingNoise",
    "RasterAttention",
    "ReplicaSeedGenerator",
    "ResidualRasterBlock",
    "ResidualStack",
    "SaltAndPepperNoise",
    "UpsamplingConv1D",
    "UpsamplingConv2D",
    "UpsamplingConv3D",
    "VectorCondition",
    "VerticalConv2D",
]
