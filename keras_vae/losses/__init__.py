"""Penalties as pure functions."""

from keras_vae.losses.sparsity import bernoulli_kl, mean_activation

__all__ = ["bernoulli_kl", "mean_activation"]
