"""Layers that several networks share."""

from keras_vae.layers.chain import Chain
from keras_vae.layers.replica_seed_generator import ReplicaSeedGenerator
from keras_vae.layers.residual_stack import ResidualStack
from keras_vae.layers.upsampling_conv2d import UpsamplingConv2D

__all__ = ["Chain", "ReplicaSeedGenerator", "ResidualStack", "UpsamplingConv2D"]
