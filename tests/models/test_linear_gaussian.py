"""Models whose likelihood is known exactly: bound, importance-weighted estimate and optimum against it."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
import reference
from keras_vae import VAE
from keras_vae.bottlenecks import GaussianBottleneck
from keras_vae.likelihoods import BernoulliLikelihood, GaussianLikelihood, SharedVarianceGaussianLikelihood

RNG = np.random.default_rng(0)
DIM, LATENT, STDDEV = 5, 2, 0.5
DIRECTIONS = np.linalg.qr(RNG.normal(size=(DIM, LATENT)))[0] * [1.5, 0.8]  # orthogonal: the posterior is diagonal
MEAN = RNG.normal(size=DIM)


def data(count):
    z = RNG.normal(size=(count, LATENT))
    return (z @ DIRECTIONS.T + MEAN + STDDEV * RNG.normal(size=(count, DIM))).astype("float32")


X = data(40)


def linear_gaussian(scale=1.0):
    """A VAE that is z ~ N(0, I), x ~ N(Wz + mean, stddev^2), whose posterior has `scale` times the exact variance."""
    head = GaussianBottleneck(LATENT)
    decoder = keras.layers.Dense(DIM)
    model = VAE(keras.layers.Identity(), decoder, bottleneck=head, likelihood=GaussianLikelihood(STDDEV))
    model.build((None, DIM))
    zero, covariance = reference.linear_gaussian_posterior(np.zeros((1, DIM)), DIRECTIONS, MEAN, STDDEV**2)
    ones, _ = reference.linear_gaussian_posterior(np.eye(DIM), DIRECTIONS, MEAN, STDDEV**2)
    kernel = np.concatenate([ones - zero, np.zeros((DIM, LATENT))], axis=1)
    head.head.kernel.assign(kernel)
    head.head.bias.assign(np.concatenate([zero[0], np.log(scale * np.diag(covariance))]))
    decoder.kernel.assign(DIRECTIONS.T)
    decoder.bias.assign(MEAN)
    return model


EXACT = reference.linear_gaussian_log_prob(X, DIRECTIONS, MEAN, STDDEV**2)


@pytest.mark.parametrize("num_samples, batch_size", [(1, 100), (3, 7), (250, 40)])
def test_log_likelihood_is_exact_with_the_exact_posterior(num_samples, batch_size):
    """All importance weights are then p(x) itself, whatever the number of samples."""
    got = linear_gaussian().log_likelihood(X, num_samples=num_samples, batch_size=batch_size)
    np.testing.assert_allclose(got, EXACT, atol=2e-3)


def test_log_likelihood_is_exact_in_the_limit_with_a_wrong_posterior():
    got = linear_gaussian(scale=2.0).log_likelihood(X, num_samples=20_000)
    np.testing.assert_allclose(got, EXACT, atol=0.05)
    assert abs(got.mean() - EXACT.mean()) < 0.01


def test_elbo_with_the_exact_posterior_is_the_log_likelihood():
    model = linear_gaussian()
    model.compile("sgd")
    x = np.repeat(X, 500, axis=0)
    elbo = model.evaluate(x, batch_size=2000, verbose=0, return_dict=True)["elbo"]
    assert elbo == pytest.approx(EXACT.mean(), abs=0.05)


def test_iwae_bound_rises_with_k_from_the_elbo_to_the_log_likelihood():
    model = linear_gaussian(scale=3.0)
    noise = np.random.default_rng(1).normal(size=(40, 4096, LATENT)).astype("float32")
    log_weights = harness.numpy(model.log_weights_tensors(ops.convert_to_tensor(X), ops.convert_to_tensor(noise)))
    bounds = [reference.iwae_bound(log_weights, k).mean() for k in (1, 4, 16, 64, 4096)]
    assert all(low < high for low, high in zip(bounds, bounds[1:], strict=False))
    assert bounds[0] < EXACT.mean() - 0.3 and abs(bounds[-1] - EXACT.mean()) < 0.05
    model.compile("sgd")
    elbo = model.evaluate(np.repeat(X, 500, axis=0), batch_size=2000, verbose=0, return_dict=True)["elbo"]
    assert elbo == pytest.approx(bounds[0], abs=0.1)  # IWAE(1) is the ELBO


def test_log_likelihood_of_more_samples_is_higher_and_repeats_with_its_seed():
    model = linear_gaussian(scale=3.0)
    one, many = (model.log_likelihood(X, num_samples=n).mean() for n in (1, 200))
    assert one < many
    np.testing.assert_array_equal(model.log_likelihood(X, 10, seed=4), model.log_likelihood(X, 10, seed=4))
    assert not np.array_equal(model.log_likelihood(X, 10, seed=4), model.log_likelihood(X, 10, seed=5))


@keras.saving.register_keras_serializable("tests")
class Sign(keras.layers.Layer):
    """+-30 by the sign of z: p(x = 1 | z) is one or nothing, so that importance weights can be counted."""

    def call(self, z):
        return 30.0 * ops.sign(z)


@pytest.mark.parametrize("num_samples", [1, 7, 250, 1001])
@pytest.mark.parametrize("rows", [5000, 96])
def test_every_one_of_num_samples_weights_is_counted(num_samples, rows, monkeypatch):
    """S exp(L) is the number of draws with z > 0: a whole number, about S / 2, for each S and each chunk size."""
    monkeypatch.setattr("keras_vae.models.measuring_methods.ROWS", rows)
    head = GaussianBottleneck(1)
    model = VAE(keras.layers.Identity(), Sign(), bottleneck=head, likelihood=BernoulliLikelihood())
    model.build((None, 1))
    head.head.kernel.assign(np.zeros((1, 2)))  # q(z|x) = N(0, 1) = p(z)
    count = num_samples * np.exp(model.log_likelihood(np.ones((9, 1), "float32"), num_samples, batch_size=4))
    np.testing.assert_allclose(count, np.round(count), atol=1e-3)
    assert (count <= num_samples + 1e-3).all()
    assert abs(count.mean() - num_samples / 2) < 0.5 + 3 * np.sqrt(num_samples / 4 / 9)


def test_a_linear_vae_reaches_the_likelihood_of_probabilistic_pca():
    x = data(600)
    weights, mean, variance = reference.ppca(x, LATENT)
    best = reference.linear_gaussian_log_prob(x, weights, mean, variance).mean()

    decoder, likelihood = keras.layers.Dense(DIM), SharedVarianceGaussianLikelihood()
    model = VAE(keras.layers.Identity(), decoder, latent_dim=LATENT, likelihood=likelihood)
    model.build((None, DIM))
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.05, 480)))
    model.fit(np.tile(x, (40, 1)), batch_size=200, epochs=4, verbose=0)  # 480 steps; few epochs, which cost more

    kernel, bias, log_var = harness.numpy([decoder.kernel.value, decoder.bias.value, likelihood.log_var.value])
    learned = reference.linear_gaussian_log_prob(x, kernel.T, bias, np.exp(log_var)).mean()
    assert learned <= best + 1e-6
    assert learned > best - 0.05
    assert model.log_likelihood(x[:100], 500).mean() == pytest.approx(
        reference.linear_gaussian_log_prob(x[:100], kernel.T, bias, np.exp(log_var)).mean(), abs=0.05
    )
