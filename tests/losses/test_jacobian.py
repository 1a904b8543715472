"""Norms of Jacobians: closed form, exact and estimated agree, and the gradient through them is right."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
from keras_vae.losses import hutchinson_squared_jacobian, sigmoid_squared_jacobian, squared_jacobian

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4, 3)).astype("float32")
KERNEL = (0.5 * RNG.normal(size=(12, 6))).astype("float32")


def sigmoid_layer(x):
    return ops.sigmoid(ops.matmul(ops.reshape(x, (-1, 12)), KERNEL))


def test_closed_form_and_exact_norm_agree():
    closed = sigmoid_squared_jacobian(sigmoid_layer(ops.convert_to_tensor(X)), KERNEL)
    np.testing.assert_allclose(harness.numpy(closed), harness.numpy(squared_jacobian(sigmoid_layer, X)), rtol=1e-6)


def test_exact_norm_equals_finite_differences():
    def function(x):
        return np.tanh(x.reshape(len(x), -1) @ KERNEL.astype("float64")) ** 2

    total, step = np.zeros(len(X)), 1e-5
    for i in range(12):
        shift = np.zeros(12)
        shift[i] = step
        shift = shift.reshape(X.shape[1:])
        total += np.square((function(X + shift) - function(X - shift)) / (2 * step)).sum(axis=1)
    got = squared_jacobian(lambda x: ops.square(ops.tanh(ops.matmul(ops.reshape(x, (-1, 12)), KERNEL))), X)
    np.testing.assert_allclose(harness.numpy(got), total, rtol=1e-4)


def test_blocks_do_not_change_the_norm(monkeypatch):
    from keras_vae.losses import jacobian

    whole = harness.numpy(squared_jacobian(sigmoid_layer, X))
    monkeypatch.setattr(jacobian, "ROWS", 5 * 5)  # five directions at a time: the last block has two
    np.testing.assert_allclose(harness.numpy(squared_jacobian(sigmoid_layer, X)), whole, rtol=1e-6)


def test_the_estimate_is_unbiased():
    exact = harness.numpy(squared_jacobian(sigmoid_layer, X))
    seed = keras.random.SeedGenerator(1)
    estimates = harness.numpy(hutchinson_squared_jacobian(sigmoid_layer, X, 4000, seed))
    np.testing.assert_allclose(estimates, exact, rtol=0.1)
    one = harness.numpy(hutchinson_squared_jacobian(sigmoid_layer, X, 1, seed))
    other = harness.numpy(hutchinson_squared_jacobian(sigmoid_layer, X, 1, seed))
    assert not np.allclose(one, other)


@pytest.mark.parametrize("probes", [None, 3])
def test_shapes_of_any_rank_are_taken(probes):
    for shape in ((3, 5), (3, 2, 2, 2)):
        x = np.ones(shape, "float32")
        square = lambda t: t * t  # noqa: E731
        if probes is None:
            np.testing.assert_allclose(harness.numpy(squared_jacobian(square, x)), 4.0 * np.prod(shape[1:]))
        else:
            got = hutchinson_squared_jacobian(square, x, probes, keras.random.SeedGenerator(0))
            size = (3 * probes, *shape[1:])
            v = harness.numpy(keras.random.normal(size, seed=keras.random.SeedGenerator(0)))  # the same directions
            expected = 4.0 * np.square(v).reshape(3, probes, -1).sum(axis=-1).mean(axis=-1)  # the Jacobian is 2 I
            np.testing.assert_allclose(harness.numpy(got), expected, rtol=1e-5)
