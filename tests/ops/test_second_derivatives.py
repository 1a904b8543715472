"""Jacobians of activations whose derivatives a backend cannot differentiate by itself: values and their gradients."""

import keras
import numpy as np
import pytest

import harness
import keras_vae

X = np.random.default_rng(0).random((5, 6), dtype="float32")
KERNEL = np.random.default_rng(1).normal(size=(6, 8)) / 2
SLOPES = {  # d activation(a) / d a, (batch, codes, units)
    "softsign": lambda a: np.einsum("bj,jk->bkj", 1 / (1 + np.abs(a)) ** 2, np.eye(8)),
    "hard_sigmoid": lambda a: np.einsum("bj,jk->bkj", (np.abs(a) < 3) / 6, np.eye(8)),
    "glu": lambda a: np.concatenate(
        [
            np.einsum("bj,jk->bkj", sigmoid(a[:, 4:]), np.eye(4)),
            np.einsum("bj,jk->bkj", a[:, :4] * sigmoid(a[:, 4:]) * sigmoid(-a[:, 4:]), np.eye(4)),
        ],
        axis=-1,
    ),
}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def squared_norm(activation, kernel):
    """||dh/dx||_F^2 of activation(x kernel) at each of X, in float64."""
    slopes = SLOPES[activation](X.astype("float64") @ kernel)
    return np.square(np.einsum("bkj,ij->bki", slopes, kernel)).sum(axis=(1, 2))


@pytest.mark.parametrize("activation", sorted(SLOPES))
def test_the_norm_and_its_gradient_are_exact(activation):
    encoder = keras_vae.MLPEncoder((8,), activation)
    model = keras_vae.ContractiveAutoencoder(encoder, keras_vae.MLPDecoder((6,), ()), contraction_weight=1.0)
    model.build((None, 6))
    kernel = encoder.dense_layers()[0].kernel
    kernel.assign(KERNEL)
    for variable in model.decoder.weights:
        variable.assign(np.zeros(variable.shape))  # the distortion has no gradient in the encoder
    np.testing.assert_allclose(model.jacobian_norm(X) ** 2, squared_norm(activation, KERNEL), rtol=1e-5)

    model.compile(keras.optimizers.SGD(1.0))
    model.train_on_batch(X)
    expected = np.zeros_like(KERNEL)
    for place in np.ndindex(KERNEL.shape):
        step = np.zeros_like(KERNEL)
        step[place] = 1e-5
        up, down = (squared_norm(activation, KERNEL + sign * step).mean() for sign in (1, -1))
        expected[place] = (up - down) / 2e-5
    np.testing.assert_allclose(KERNEL - harness.numpy(kernel.value), expected, rtol=1e-3, atol=1e-5)
