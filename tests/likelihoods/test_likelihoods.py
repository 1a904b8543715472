"""Likelihoods against SciPy's densities, and what each says of the data it takes."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

import harness
import keras_vae
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
    told = r"`stddev` must be (a finite number > 0|in \[0\.00247875, 403\.429\])"
    harness.check_refuses(lambda: likelihood(stddev=stddev), told)


@pytest.mark.parametrize("stddev", [0.001, 1000.0])
def test_a_learned_standard_deviation_starts_inside_of_its_range(stddev):
    told = r"`stddev` must be in \[0\.00247875, 403\.429\]"
    harness.check_refuses(lambda: SharedVarianceGaussianLikelihood(stddev=stddev), told)


@pytest.mark.parametrize("log_var, x", [(-15.0, 1.0), (15.0, 0.0)])
def test_a_shared_variance_that_has_left_its_range_comes_back(log_var, x):
    encoder, decoder = keras.layers.Dense(1), keras.layers.Dense(2, kernel_initializer="zeros")
    likelihood = SharedVarianceGaussianLikelihood()
    model = keras_vae.VAE(encoder, decoder, latent_dim=1, likelihood=likelihood)
    model.build((None, 2))
    likelihood.log_var.assign(log_var)
    model.compile(keras.optimizers.SGD(1e-5))
    model.train_on_batch(np.full((4, 2), x, "float32"))
    assert np.sign(log_var) * (log_var - harness.numpy(likelihood.log_var.value)) > 0


def test_the_density_of_a_tiny_standard_deviation_keeps_its_digits():
    got = harness.numpy(GaussianLikelihood(stddev=1e-8).log_prob(PARAMS, X))
    expected = reference.normal_log_prob(X.astype("float64"), PARAMS.astype("float64"), 1e-8)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


@pytest.mark.parametrize("log_var", [-12.0, 12.0])
def test_parameters_of_half_precision_do_not_overflow_at_the_bounds(log_var):
    params = ops.convert_to_tensor(np.array([[0.5, log_var]], "float16"))
    got = PerPixelGaussianLikelihood().distribution(params).log_prob(np.array([[0.25]], "float32"))
    np.testing.assert_allclose(harness.numpy(got), stats.norm.logpdf(0.25, 0.5, np.exp(log_var / 2))[None], rtol=1e-5)


def test_an_unknown_activation_is_refused():
    harness.check_refuses(lambda: SquaredError(activation="tanh"), "`activation` must be one of 'linear', 'sigmoid'")


def test_a_likelihood_without_a_distribution_is_told_so():
    with pytest.raises(TypeError, match="Likelihood must define `distribution"):
        Likelihood().log_prob(PARAMS, X)


def test_a_sampled_squared_error_scores_draws():
    """Its mean is the squared error of the mean plus the variance, and a mask leaves values out."""
    x = np.array([[1.0, -0.5]], "float32")
    params = np.array([[0.4, 0.1, np.log(0.25), np.log(2.0)]], "float32")
    error = keras_vae.SampledSquaredError(seed=1)
    rows = [np.repeat(v, 20_000, axis=0) for v in (params, x)]
    scores = -harness.numpy(error.log_prob(*rows))
    expected = 0.6**2 + 0.6**2 + 0.25 + 2.0
    assert abs(scores.mean() - expected) < 3 * scores.std() / np.sqrt(len(scores))
    masked = -harness.numpy(error.log_prob(*rows, mask=np.repeat([[1, 0]], 20_000, axis=0)))
    assert abs(masked.mean() - 0.61) < 3 * masked.std() / np.sqrt(len(masked))
    np.testing.assert_allclose(harness.numpy(error.mean(params)), params[:, :2])
    gradient = harness.gradient(lambda p: -error.log_prob(p, rows[1]), rows[0]).mean(axis=0)
    np.testing.assert_allclose(gradient, [2 * (0.4 - 1), 2 * (0.1 + 0.5), 0.25, 2.0], atol=0.1)
    assert not error.has_density
    with pytest.raises(ValueError, match="`decoder` must return 2 numbers for each channel"):
        error.log_prob(np.zeros((1, 3), "float32"), np.zeros((1, 2), "float32"))
