"""Means and variances of gradients over steps, against NumPy, in a compiled fit that moves no weight."""

import keras
import numpy as np

import harness
from keras_vae.training import GradientMoments


def fitted(x, y, moments):
    dense = keras.layers.Dense(2, kernel_initializer=keras.initializers.Constant(0.3))
    model = keras.Sequential([keras.Input((3,)), dense])
    model.compile(moments, loss="mse")
    before = harness.weights(model)
    model.fit(x, y, batch_size=1, epochs=2, shuffle=False, verbose=0)
    harness.assert_same_weights(before, harness.weights(model))
    return dense


def test_against_numpy_and_beside_a_large_mean():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)).astype("float32"), (1000 + rng.normal(size=(20, 2))).astype("float32")
    moments = GradientMoments()
    dense = fitted(x, y, moments)
    errors = x @ np.full((3, 2), 0.3) - y.astype("float64")  # of which the bias's gradient is the mean of two
    expected = np.tile(errors, (2, 1))
    np.testing.assert_allclose(moments.mean(dense.bias), expected.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(moments.variance(dense.bias), expected.var(axis=0, ddof=1), rtol=1e-3)
    slopes = np.tile(x[:, :, None] * errors[:, None], (2, 1, 1))
    np.testing.assert_allclose(moments.mean(dense.kernel), slopes.mean(axis=0), rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(moments.variance(dense.kernel), slopes.var(axis=0, ddof=1), rtol=1e-4)
    assert moments.count == 40


def test_one_gradient_has_no_variance():
    moments = GradientMoments()
    weight = keras.Variable(np.zeros(2, "float32"))
    moments.build([weight])
    moments.apply([keras.ops.ones(2)], [weight])
    harness.check_refuses(lambda: moments.variance(weight), "two gradients or more")
    other = keras.Variable(np.zeros(2, "float32"))
    harness.check_refuses(lambda: moments.mean(other), "`variable` must be one")
