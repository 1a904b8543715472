"""Networks: encoders return features, decoders the raw parameters of the likelihood."""

from keras_vae.nets.conv import ConvDecoder, ConvEncoder
from keras_vae.nets.hierarchical_encoder import HierarchicalEncoder
from keras_vae.nets.mlp import MLPDecoder, MLPEncoder
from keras_vae.nets.pixel_cnn import PixelCNN
from keras_vae.nets.pixel_snail import PixelSNAIL
from keras_vae.nets.plain_pixel_cnn import PlainPixelCNN
from keras_vae.nets.raster_net import RasterNet
from keras_vae.nets.tied_mlp import TiedMLPDecoder
from keras_vae.nets.vq import VQDecoder, VQEncoder

__all__ = [
    "ConvDecoder",
    "ConvEncoder",
    "HierarchicalEncoder",
    "MLPDecoder",
    "MLPEncoder",
    "PixelCNN",
    "PixelSNAIL",
    "PlainPixelCNN",
    "RasterNet",
    "TiedMLPDecoder",
    "VQDecoder",
    "VQEncoder",
]
