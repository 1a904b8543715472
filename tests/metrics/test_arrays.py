"""Functions of arrays: hand figures, laws, and SciPy where it has the same function."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from keras_vae.metrics import (
    active_units,
    best_spearman,
    bits_per_dim,
    bits_per_image_of_codes,
    compression_ratio,
    per_dimension_rate,
)

RNG = np.random.default_rng(0)


def test_active_units_on_constructed_data():
    spread = np.array([0.0, 0.05, 0.2, 1.0])  # variances 0, 0.0025, 0.04, 1
    z = spread * np.tile([[1.0], [-1.0]], (50, 1)) + 7.0  # the mean does not matter
    assert active_units(z) == 2
    assert active_units(z, threshold=1e-3) == 3 and active_units(z, threshold=2.0) == 0
    assert active_units(z.reshape(100, 2, 2)) == 2  # every axis but the first is latent
    assert active_units(z, threshold=0.04) in (1, 2) and isinstance(active_units(z), int)


def test_per_dimension_rate_by_hand():
    mean, log_var = np.array([[0.0, 1.0], [0.0, 3.0]]), np.log([[1.0, 1.0], [4.0, 1.0]])
    expected = [0.5 * 0.5 * (4 - 1 - math.log(4)), 0.5 * (0.5 + 4.5)]
    np.testing.assert_allclose(per_dimension_rate(mean, log_var), expected, rtol=1e-12)


def test_per_dimension_rate_sums_to_the_rate_and_keeps_the_latents_shape():
    mean, log_var = RNG.normal(size=(2, 50, 3, 4))
    rate = per_dimension_rate(mean, log_var)
    assert rate.shape == (3, 4) and (rate > 0).all()
    total = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=(1, 2)).mean()
    assert rate.sum() == pytest.approx(total, rel=1e-12)


def test_per_dimension_rate_near_the_prior_keeps_its_digits():
    small = np.full((1, 1), 1e-7)  # KL = v^2 / 4 to first order
    assert per_dimension_rate(np.zeros((1, 1)), small)[0] == pytest.approx(2.5e-15, rel=0.05)


def test_bits_per_dim_by_hand():
    assert bits_per_dim(86.76, (784,)) == pytest.approx(0.15965, abs=1e-5)
    assert bits_per_dim(0.0, (8, 8, 3), bins=256) == 8.0  # a uniform density on [0, 1) is eight bits
    assert bits_per_dim(32 * 32 * 3 * math.log(2), (32, 32, 3), bins=256) == pytest.approx(9.0)
    np.testing.assert_allclose(bits_per_dim([math.log(2), 2 * math.log(2)], (1,)), [1.0, 2.0])


def test_bits_per_dim_of_a_density_is_that_of_the_bytes():
    """A discrete p(k), spread evenly inside each bin of [0, 1): the density's figure is the entropy in bits."""
    p = RNG.dirichlet(np.ones(16))
    nats = -(p * np.log(p * 16)).sum()  # E[-log density], the density of bin k being p_k * 16
    assert bits_per_dim(nats, (1,), bins=16) == pytest.approx(-(p * np.log2(p)).sum(), rel=1e-12)


def test_bits_of_codes():
    assert bits_per_image_of_codes((32, 32), 512) == 32 * 32 * 9
    assert bits_per_image_of_codes((16, 16), 512) == 2304
    assert compression_ratio((128, 128, 3), (32, 32), 512) == pytest.approx(42.67, abs=0.005)  # van den Oord 2017, 4.2
    assert compression_ratio((64, 64, 3), (16, 16), 512) == pytest.approx(42.67, abs=0.005)
    assert compression_ratio((28, 28, 1), (7, 7), 256, bits_per_value=1) == pytest.approx(2.0)


def test_spearman_equals_scipy_with_ties():
    latents, factors = RNG.normal(size=(200, 6)), RNG.integers(0, 4, (200, 3)).astype(float)
    latents[:, 4] += factors[:, 0]
    latents[:, 1] -= 2 * factors[:, 2]
    rho, latent = best_spearman(latents, factors)
    for i in range(3):
        assert rho[i] == pytest.approx(abs(stats.spearmanr(latents[:, latent[i]], factors[:, i]).statistic), abs=1e-12)
    assert latent[0] == 4 and latent[2] == 1


def test_spearman_of_monotonic_functions_is_one():
    factors = RNG.random((100, 3))
    latents = np.stack([np.exp(factors[:, 2]), RNG.normal(size=100), -factors[:, 0], factors[:, 1] ** 3], axis=1)
    rho, latent = best_spearman(latents, factors)
    np.testing.assert_allclose(rho, 1.0, atol=1e-12)
    assert latent.tolist() == [2, 3, 0] and (rho <= 1).all()


def test_no_latent_serves_two_factors():
    factor = RNG.random((100, 1))
    latents = np.concatenate([factor + 0.01 * RNG.random((100, 1)), RNG.normal(size=(100, 1))], axis=1)
    rho, latent = best_spearman(latents, np.concatenate([factor, factor**2], axis=1))
    assert sorted(latent.tolist()) == [0, 1] and rho.max() > 0.99 and rho.min() < 0.5


def test_a_constant_latent_has_no_correlation():
    factors = RNG.random((50, 1))
    rho, latent = best_spearman(np.ones((50, 1)), factors)
    assert rho.tolist() == [0.0] and latent.tolist() == [0]


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 5)])
def test_the_latents_chosen_are_the_best_of_all_choices(shape):
    count, width = shape
    for _ in range(5):
        factors = RNG.normal(size=(20, count))
        latents = factors @ RNG.normal(size=shape) + RNG.normal(size=(20, width))  # mixed: the largest rho may clash
        each = [[abs(stats.spearmanr(z, f).statistic) for z in latents.T] for f in factors.T]
        choices = itertools.permutations(range(width), count)
        best = max(sum(row[j] for row, j in zip(each, choice, strict=True)) for choice in choices)
        rho, latent = best_spearman(latents, factors)
        assert rho.sum() == pytest.approx(best, abs=1e-12) and len(set(latent.tolist())) == count


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: active_units(np.zeros((1, 3))), "`z_mean` must hold at least two examples"),
        (lambda: active_units(np.zeros(3)), r"`z_mean` must have shape \(batch, ...latent\), not empty"),
        (lambda: active_units([[np.nan], [1.0]]), "`z_mean` must be finite. Received: 1 NaN"),
        (lambda: active_units(np.zeros((2, 2)), threshold=-1), "`threshold` must be a finite number >= 0"),
        (lambda: per_dimension_rate(np.zeros((2, 2)), np.zeros((2, 3))), "`z_log_var` must have the shape of `z_mean`"),
        (lambda: per_dimension_rate(np.zeros((0, 2)), np.zeros((0, 2))), "not empty"),
        (lambda: bits_per_dim(1.0, (28, 0)), r"`shape\[1\]` must be an integer >= 1"),
        (lambda: bits_per_dim(1.0, (28,), bins=1), "`bins` must be an integer >= 2"),
        (lambda: bits_per_image_of_codes((4,), 1), "`codebook_size` must be an integer >= 2"),
        (lambda: compression_ratio((4,), (4,), 2, bits_per_value=0), "`bits_per_value` must be an integer >= 1"),
        (lambda: best_spearman(np.zeros((5, 2)), np.zeros((5, 3))), "`factors` must be at most as many as the latents"),
        (lambda: best_spearman(np.zeros((5, 2)), np.zeros((4, 2))), "must hold the same examples"),
        (lambda: best_spearman(np.zeros((5,)), np.zeros((5, 2))), r"`latents` must have shape \(batch, columns\)"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()
