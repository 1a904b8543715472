"""Corruptions: exact counts, moments of the noise, nothing outside of training, and what is reported as destroyed."""

import numpy as np
import pytest

import harness
from keras_vae import AdditiveGaussianNoise, BernoulliMask, MaskingNoise, SaltAndPepperNoise

X = np.random.default_rng(0).uniform(0.2, 0.8, (50, 6, 5, 2)).astype("float32")  # 60 values, none of them 0 or 1
NOISES = [MaskingNoise(0.3, seed=1), BernoulliMask(0.3, seed=1), AdditiveGaussianNoise(0.3, seed=1)]
NOISES.append(SaltAndPepperNoise(0.3, seed=1))


def corrupted(layer, x=X):
    noisy, destroyed = harness.numpy(layer.corrupt(x))
    return noisy, destroyed


@pytest.mark.parametrize("level, count", [(0.0, 0), (0.25, 15), (0.33, 20), (0.425, 26), (1.0, 60)])
@pytest.mark.parametrize("cls", [MaskingNoise, SaltAndPepperNoise])
def test_exactly_that_many_entries_are_destroyed(cls, level, count):
    noisy, destroyed = corrupted(cls(level, seed=3))
    assert (destroyed.reshape(50, -1).sum(axis=1) == count).all()
    np.testing.assert_array_equal(noisy != X, destroyed)
    np.testing.assert_array_equal(np.isin(noisy, (0.0, 1.0)), destroyed)


def test_masked_entries_are_spread_evenly_and_differ_between_examples():
    _, destroyed = corrupted(MaskingNoise(0.25, seed=0), np.ones((2000, 20), "float32"))
    share = destroyed.mean(axis=0)
    assert np.abs(share - 0.25).max() < 5 * np.sqrt(0.25 * 0.75 / 2000)
    assert len(np.unique(destroyed, axis=0)) > 1500


def test_a_bernoulli_mask_has_the_moments_of_a_binomial():
    _, destroyed = corrupted(BernoulliMask(0.3, seed=0), np.ones((3000, 40), "float32"))
    counts = destroyed.sum(axis=1)
    assert counts.mean() == pytest.approx(12.0, abs=5 * np.sqrt(8.4 / 3000))
    assert counts.var() == pytest.approx(8.4, rel=0.15)


def test_gaussian_noise_has_its_moments():
    noisy, destroyed = corrupted(AdditiveGaussianNoise(0.5, seed=0), np.full((200, 500), 2.0, "float32"))
    noise = noisy - 2.0
    assert abs(noise.mean()) < 5 * 0.5 / np.sqrt(noise.size) and noise.std() == pytest.approx(0.5, rel=0.02)
    assert destroyed.all()


def test_salt_and_pepper_are_equally_likely():
    noisy, destroyed = corrupted(SaltAndPepperNoise(0.5, low=-3.0, high=7.0, seed=0), np.zeros((500, 100), "float32"))
    values = noisy[destroyed]
    assert set(np.unique(values)) == {-3.0, 7.0}
    assert (values == 7.0).mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(values.size))


@pytest.mark.parametrize("layer", NOISES, ids=lambda layer: type(layer).__name__)
def test_nothing_happens_outside_of_training(layer):
    np.testing.assert_array_equal(harness.numpy(layer(X)), X)
    first, second = (harness.numpy(layer(X, training=True)) for _ in range(2))
    assert not np.array_equal(first, X) and not np.array_equal(first, second)


@pytest.mark.parametrize("cls", [MaskingNoise, BernoulliMask, SaltAndPepperNoise])
def test_levels_are_shares(cls):
    harness.check_refuses(lambda: cls(1.2), r"`corruption_level` must be in \[0, 1\]")
    harness.check_refuses(lambda: cls("much"), "`corruption_level` must be in", TypeError)


def test_integers_are_refused():
    for layer in NOISES:
        harness.check_refuses(lambda layer=layer: layer(np.ones((2, 3), "uint8")), "`x` must be floating", TypeError)


def test_other_arguments():
    harness.check_refuses(lambda: AdditiveGaussianNoise(-1.0), "`stddev` must be a finite number >= 0")
    harness.check_refuses(lambda: SaltAndPepperNoise(0.1, low=1.0, high=0.5), "`high` must be above `low`, 1")
