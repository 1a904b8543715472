"""Priors: densities, rates in closed form and by one sample, and noise turned into latents."""

import numpy as np
import pytest
from keras import ops

import harness
import reference
from keras_vae.distributions import Deterministic, Normal
from keras_vae.priors import Prior, StandardNormal, UniformCodes

RNG = np.random.default_rng(0)
MEAN, LOG_VAR = RNG.normal(size=(4, 6)).astype("float32"), RNG.uniform(-2, 1, (4, 6)).astype("float32")


def test_standard_normal_density():
    z = RNG.normal(size=(4, 6)).astype("float32")
    expected = reference.normal_log_prob(z, 0.0, 1.0)
    np.testing.assert_allclose(harness.numpy(StandardNormal().log_prob(z)), expected, rtol=1e-5)


def test_standard_normal_rate_is_closed_form_and_free_of_the_sample():
    posterior = Normal(MEAN, LOG_VAR)
    expected = reference.kl_normal(MEAN, np.exp(LOG_VAR))
    for z in (MEAN, MEAN + 100):
        np.testing.assert_allclose(harness.numpy(StandardNormal().rate(posterior, z)), expected, rtol=1e-5)


def test_rate_of_the_prior_itself_is_zero():
    zeros = np.zeros((3, 5), "float32")
    np.testing.assert_array_equal(harness.numpy(StandardNormal().rate(Normal(zeros, zeros), zeros)), 0.0)


def test_rate_without_a_closed_form_is_the_sample_estimate():
    class Opaque(StandardNormal):
        """A standard normal whose form is not known."""

        def distribution(self, like):
            return None

        def log_prob(self, z):
            return StandardNormal().log_prob(z)

    z = RNG.normal(size=(4, 6)).astype("float32")
    expected = reference.normal_log_prob(z, MEAN, np.exp(LOG_VAR / 2)) - reference.normal_log_prob(z, 0.0, 1.0)
    np.testing.assert_allclose(harness.numpy(Opaque().rate(Normal(MEAN, LOG_VAR), z)), expected, rtol=1e-4)


def test_uniform_codes_cost_ln_k_each():
    codes = RNG.integers(0, 16, (3, 4, 5))
    prior = UniformCodes(codebook_size=16)
    np.testing.assert_allclose(harness.numpy(prior.log_prob(codes)), -20 * np.log(16), rtol=1e-6)
    np.testing.assert_allclose(harness.numpy(prior.rate(Deterministic(codes), None)), 20 * np.log(16), rtol=1e-6)


def test_any_prior_over_codes_rates_them_by_its_density():
    class Skewed(Prior):
        """Code k costs k nats."""

        def log_prob(self, z):
            return -ops.sum(ops.cast(z, "float32"), axis=-1)

    codes = np.array([[0, 3], [2, 2]])
    features = np.zeros((2, 2, 5), "float32")  # what a quantizer hands to its decoder is not what the prior scores
    np.testing.assert_allclose(harness.numpy(Skewed().rate(Deterministic(codes), features)), [3.0, 4.0])


def test_uniform_codes_of_noise_are_uniform_and_in_range():
    prior = UniformCodes(codebook_size=7)
    noise = RNG.random((1, 70_000), dtype="float32")
    noise[0, :2] = 0.0, np.nextafter(np.float32(1), np.float32(0))
    codes = harness.numpy(prior.sample_from(noise))
    assert codes[0, 0] == 0 and codes[0, 1] == 6
    np.testing.assert_allclose(np.bincount(codes[0], minlength=7) / 70_000, 1 / 7, atol=0.005)


def test_standard_normal_takes_noise_as_it_comes():
    np.testing.assert_array_equal(harness.numpy(StandardNormal().sample_from(MEAN)), MEAN)
    assert (StandardNormal.noise, UniformCodes.noise) == ("normal", "uniform")


def test_a_codebook_of_one_is_refused():
    harness.check_refuses(lambda: UniformCodes(codebook_size=1), "`codebook_size` must be an integer >= 2")


def test_a_prior_without_samples_is_told_so():
    with pytest.raises(TypeError, match="Prior must define `sample_from"):
        Prior().sample_from(MEAN)
