"""Systematic resampling: how often each member comes."""

import numpy as np
import pytest

import harness
from keras_vae.ops import resampled

RNG = np.random.default_rng(0)


def counts(log_weights, uniform):
    log_weights = np.asarray(log_weights, "float32")
    found = harness.numpy(resampled(log_weights, np.float32(uniform)))
    assert (np.diff(found) >= 0).all()
    return np.bincount(found, minlength=len(log_weights))


@pytest.mark.parametrize("uniform", [0.0, 0.3, np.nextafter(np.float32(1), np.float32(0))])
def test_members_come_in_proportion_to_their_weights(uniform):
    log_weights = RNG.normal(size=50)
    share = 50 * np.exp(log_weights) / np.exp(log_weights).sum()
    found = counts(log_weights - 90.0, uniform)
    assert found.sum() == 50 and (np.abs(found - share) < 1 + 1e-4).all()


def test_the_mean_over_the_uniform_is_the_weight():
    log_weights = RNG.normal(size=5)
    share = 5 * np.exp(log_weights) / np.exp(log_weights).sum()
    found = np.mean([counts(log_weights, (i + 0.5) / 200) for i in range(200)], axis=0)
    np.testing.assert_allclose(found, share, atol=0.02)


@pytest.mark.parametrize("uniform", [0.001, 0.5, 0.999])
def test_equal_weights_keep_each_member_once(uniform):
    np.testing.assert_array_equal(counts(np.full(512, -7.0), uniform), 1)


def test_one_that_has_all_the_weight_is_all_there_is():
    np.testing.assert_array_equal(counts([-200.0, 0.0, -200.0], 0.999), [0, 3, 0])
