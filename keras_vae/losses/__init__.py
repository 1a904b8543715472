"""Penalties as pure functions."""

from keras_vae.core.moved import moved
from keras_vae.losses.encoder_jacobian import encoder_squared_jacobian
from keras_vae.losses.free_bits import free_bits
from keras_vae.losses.jacobian import hutchinson_squared_jacobian, sigmoid_squared_jacobian, squared_jacobian
from keras_vae.losses.mmd import mmd
from keras_vae.losses.parameter_distance import parameter_distance
from keras_vae.losses.sparsity import bernoulli_kl, mean_activation

__all__ = [
    "bernoulli_kl",
    "encoder_squared_jacobian",
    "free_bits",
    "hutchinson_squared_jacobian",
    "mean_activation",
    "mmd",
    "parameter_distance",
    "sigmoid_squared_jacobian",
    "squared_jacobian",
]

__getattr__ = moved(__name__, {"batch_mean": "keras_vae.ops"})
