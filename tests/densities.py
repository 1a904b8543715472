"""What the tests of priors and flows share: draws from a seed, and gradients of the running backend."""

import keras
import numpy as np
import pytest

import harness
from keras_vae.ops import draw_noise


def gradients(loss, variables):
    """Of a scalar function without arguments, on the running backend."""
    if harness.BACKEND == "jax":
        import jax

        def function(values):
            with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
                return loss()

        return [np.asarray(g) for g in jax.grad(function)([v.value for v in variables])]
    if harness.BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            total = loss()
        return [np.asarray(g) for g in tape.gradient(total, [v.value for v in variables])]
    import torch

    return [g.numpy() for g in torch.autograd.grad(loss(), [v.value for v in variables])]


def check_gradients(loss, variables):
    """Raises unless the gradient by each weight is not zero, and is the slope along its signs: of all entries."""
    for variable, gradient in zip(variables, gradients(loss, variables), strict=True):
        start, sides = harness.numpy(variable.value).copy(), []
        for step in (1e-3, -1e-3):
            variable.assign(start + step * np.sign(gradient))
            sides.append(float(harness.numpy(loss())))
        variable.assign(start)
        assert np.abs(gradient).sum() == pytest.approx((sides[0] - sides[1]) / 2e-3, rel=0.02)
        assert np.abs(gradient).sum() > 0.1


def draws(prior, count, shape, seed=0):
    return harness.numpy(prior.sample_from(draw_noise(prior.noise_spec(shape), np.random.default_rng(seed), (count,))))
