"""Penalties of a batch by hand: weighted means, free bits, the discrepancy of two samples, distance of parameters."""

import numpy as np
import pytest
from keras import ops

import harness
from keras_vae import _backend
from keras_vae.losses import free_bits, mmd, parameter_distance
from keras_vae.losses.mmd import SCALES
from keras_vae.ops import batch_mean

RNG = np.random.default_rng(0)
X = RNG.normal(size=(7, 3)).astype("float32")
Y = RNG.normal(size=(5, 3)).astype("float32") + 0.5


def kernel(a, b):
    widths = 2 * len(a) * np.array(SCALES)
    return np.sum(widths / (widths + np.sum((a.astype("float64") - b) ** 2)))


def within(v):
    return np.mean([kernel(a, b) for i, a in enumerate(v) for j, b in enumerate(v) if i != j])


def mmd_by_hand(x, y):
    """Gretton et al. 2012, eq. 3, pair by pair."""
    return within(x) + within(y) - 2 * np.mean([kernel(a, b) for a in x for b in y])


def test_mmd_is_the_u_statistic():
    assert float(mmd(X, Y)) == pytest.approx(mmd_by_hand(X, Y), abs=1e-5)


def test_an_example_without_weight_is_not_there_and_one_of_two_counts_twice():
    weights = np.array([1, 0, 1, 1, 0, 1, 1], "float32")
    assert float(mmd(X, Y, weights)) == pytest.approx(mmd_by_hand(X[weights > 0], Y), abs=1e-5)
    weights = np.array([2, 2, 1, 1, 1, 1, 1])
    pairs = [(weights[i] * weights[j], kernel(X[i], X[j])) for i in range(7) for j in range(7) if i != j]
    own = np.average([k for _, k in pairs], weights=[w for w, _ in pairs])
    across = np.average([[kernel(a, b) for b in Y] for a in X], axis=0, weights=weights).mean()
    assert float(mmd(X, Y, weights.astype("float32"))) == pytest.approx(own + within(Y) - 2 * across, abs=1e-5)


def test_mmd_is_unbiased():
    """Of equal distributions its mean is zero, and it is negative about as often as positive; of others it is not."""
    draws = RNG.normal(size=(2, 144, 6, 2)).astype("float32")
    equal = [float(mmd(x, y)) for x, y in zip(*draws, strict=True)]
    assert abs(np.mean(equal)) < 3 * np.std(equal) / 12
    assert 0.3 < np.mean(np.array(equal) < 0) < 0.8
    assert np.mean([float(mmd(x + 2, y)) for x, y in zip(*draws[:, :20], strict=True)]) > 4 * np.std(equal)


def test_the_gradient_of_mmd_pulls_towards_the_other_sample():
    gradient = harness.gradient(lambda x: mmd(x, Y), X)
    expected, step = np.zeros_like(X), 1e-3
    for place in np.ndindex(X.shape):
        shift = np.zeros_like(X)
        shift[place] = step
        expected[place] = (mmd_by_hand(X + shift, Y) - mmd_by_hand(X - shift, Y)) / (2 * step)
    np.testing.assert_allclose(gradient, expected, rtol=2e-3, atol=1e-5)


def test_free_bits_stop_the_gradient_below_the_floor():
    rates = np.array([[0.1, 2.0, 0.4], [1.0, 0.2, 0.7]], "float32")
    np.testing.assert_allclose(harness.numpy(free_bits(rates, 0.5)), [0.5 + 2.0 + 0.5, 1.0 + 0.5 + 0.7], rtol=1e-6)
    assert float(free_bits(rates.mean(axis=0), 0.5)) == pytest.approx(0.55 + 1.1 + 0.55)
    gradient = harness.gradient(lambda r: free_bits(r, 0.5), rates)
    np.testing.assert_array_equal(gradient, rates > 0.5)


def test_the_distance_of_parameters():
    mean, stddev = np.array([[1.0, -2.0], [0.0, 0.0]]), np.array([[0.5, 1.0], [1.0, 3.0]])
    np.testing.assert_allclose(harness.numpy(parameter_distance(mean, stddev)), [1 + 4 + 0.25, 4.0], rtol=1e-6)


def test_a_batch_mean_is_that_of_all_replicas_and_its_gradient_that_of_one(monkeypatch):
    """Two replicas: this one has X with weights, the other holds values whose weighted sum and weight are known."""
    weights = np.array([1, 2, 0, 1, 0, 3, 1], "float32")
    other_sum, other_weight = np.array([4.0, -2.0, 6.0], "float32"), np.float32(5)

    def cross_replica_sum(value):
        other = other_sum if len(value.shape) else other_weight
        return ops.stop_gradient(value) + ops.convert_to_tensor(other)

    monkeypatch.setattr(_backend, "replica", lambda: (0, 2))
    monkeypatch.setattr(_backend, "cross_replica_sum", cross_replica_sum)
    expected = (weights @ X + other_sum) / (weights.sum() + other_weight)
    np.testing.assert_allclose(harness.numpy(batch_mean(X, weights)), expected, rtol=1e-5)
    gradient = harness.gradient(lambda x: batch_mean(x, ops.convert_to_tensor(weights)), X)
    np.testing.assert_allclose(gradient, np.repeat(weights[:, None] / weights.sum(), 3, axis=1), rtol=1e-5)


def test_a_batch_without_weight_has_a_mean_of_zero():
    np.testing.assert_array_equal(harness.numpy(batch_mean(X, np.zeros(7, "float32"))), 0.0)
