"""Likelihoods against SciPy's densities, and what each says of the data it takes."""

import numpy as np
import pytest
from scipy import stats

import harness
import reference
from keras_vae.likelihoods import (
    BernoulliLikelihood,
    GaussianLikelihood,
    Likelihood,
    PerPixelGaussianLikelihood,
    SharedVarianceGaussianLikelihood,
    SquaredError,
)

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(3, 4, 4, 2)).astype("float32")
PARAMS = RNG.normal(size=X.shape).astype("float32")


def test_bernoulli_is_the_cross_entropy_summed_over_the_event():
    got = harness.numpy(BernoulliLikelihood().log_prob(PARAMS, X))
    np.testing.assert_allclose(got, reference.bernoulli_log_prob(X, PARAMS), rtol=1e-5)
    mean = harness.numpy(BernoulliLikelihood().mean(PARAMS))
    np.testing.assert_allclose(mean, 1 / (1 + np.exp(-PARAMS)), rtol=1e-5)


@pytest.mark.parametrize("likelihood", [GaussianLikelihood, SharedVarianceGaussianLikelihood])
@pytest.mark.parametrize("stddev", [1.0, 0.25, 3.0])
def test_gaussian_of_one_standard_deviation(likelihood, stddev):
    layer = likelihood(stddev=stddev)
    got = harness.numpy(layer.log_prob(PARAMS, X))
    np.testing.assert_allclose(got, reference.normal_log_prob(X, PARAMS, stddev), rtol=1e-5)
    np.testing.assert_array_equal(harness.numpy(layer.mean(PARAMS)), PARAMS)


def test_the_shared_variance_is_learned_and_the_fixed_one_is_not():
    assert GaussianLikelihood().trainable_variables == []
    layer = SharedVarianceGaussianLikelihood(stddev=2.0)
    (log_var,) = layer.trainable_variables
    assert float(harness.numpy(log_var.value)) == pytest.approx(np.log(4.0))
    log_var.assign(0.0)
    expected = reference.normal_log_prob(X, PARAMS, 1.0)
    np.testing.assert_allclose(harness.numpy(layer.log_prob(PARAMS, X)), expected, rtol=1e-5)


def test_per_pixel_gaussian_reads_means_then_log_variances():
    params = np.concatenate([PARAMS, PARAMS[::-1]], axis=-1)
    expected = reference.normal_log_prob(X, PARAMS, np.exp(PARAMS[::-1] / 2))
    layer = PerPixelGaussianLikelihood()
    np.testing.assert_allclose(harness.numpy(layer.log_prob(params, X)), expected, rtol=1e-5)
    np.testing.assert_array_equal(harness.numpy(layer.mean(params)), PARAMS)


@pytest.mark.parametrize("log_var", [-1e6, 1e6])
def test_per_pixel_gaussian_is_finite_at_zero_and_huge_variance(log_var):
    params = np.array([[0.5, log_var]], "float32")
    bound = np.exp(np.clip(log_var, -12, 12) / 2)
    got = harness.numpy(PerPixelGaussianLikelihood().log_prob(params, np.array([[0.5]], "float32")))
    np.testing.assert_allclose(got, stats.norm.logpdf(0.5, 0.5, bound)[None], rtol=1e-5)


@pytest.mark.parametrize("activation", ["linear", "sigmoid"])
def test_squared_error_is_summed_over_the_event(activation):
    layer = SquaredError(activation=activation)
    mean = 1 / (1 + np.exp(-PARAMS)) if activation == "sigmoid" else PARAMS
    expected = -((X - mean) ** 2).reshape(3, -1).sum(axis=1)
    np.testing.assert_allclose(harness.numpy(layer.log_prob(PARAMS, X)), expected, rtol=1e-5)
    np.testing.assert_allclose(harness.numpy(layer.mean(PARAMS)), mean, rtol=1e-5)


def test_only_the_squared_error_is_no_density():
    densities = BernoulliLikelihood, GaussianLikelihood, SharedVarianceGaussianLikelihood, PerPixelGaussianLikelihood
    assert all(cls().has_density for cls in densities) and not SquaredError().has_density


def test_bernoulli_asks_for_data_between_zero_and_one():
    assert BernoulliLikelihood().interval == (0.0, 1.0)
    assert GaussianLikelihood().interval is None


@pytest.mark.parametrize("likelihood", [GaussianLikelihood, SharedVarianceGaussianLikelihood])
@pytest.mark.parametrize("stddev", [0.0, -1.0, float("nan")])
def test_a_standard_deviation_that_is_not_positive_is_refused(likelihood, stddev):
    harness.check_refuses(lambda: likelihood(stddev=stddev), "`stddev` must be a finite number > 0")


def test_an_unknown_activation_is_refused():
    harness.check_refuses(lambda: SquaredError(activation="tanh"), "`activation` must be one of 'linear', 'sigmoid'")


def test_a_likelihood_without_a_distribution_is_told_so():
    with pytest.raises(TypeError, match="Likelihood must define `distribution"):
        Likelihood().log_prob(PARAMS, X)
