"""Penalties as pure functions."""

from keras_vae.losses.encoder_jacobian import encoder_squared_jacobian
from keras_vae.losses.jacobian import hutchinson_squared_jacobian, sigmoid_squared_jacobian, squared_jacobian
from keras_vae.losses.sparsity import bernoulli_kl, mean_activation

__all__ = [
    "bernoulli_kl",
    "encoder_squared_jacobian",
    "hutchinson_squared_jacobian",
    "mean_activation",
    "sigmoid_squared_jacobian",
    "squared_jacobian",
]
