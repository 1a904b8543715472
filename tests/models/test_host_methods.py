"""encode, decode, reconstruct, sample, variations: what they return, and that seeds and threads repeat them."""

import concurrent.futures
import copy

import keras
import numpy as np
import pytest
from keras import ops

import harness
from keras_vae import VAE, VQVAE, MLPDecoder, MLPEncoder, VectorQuantizer, VQDecoder, VQEncoder
from keras_vae.bottlenecks import Bottleneck
from keras_vae.distributions import Deterministic, Distribution, Normal
from small_models import small

X = harness.images(9)


def test_encode_returns_the_posterior_in_four_forms(vae):
    mean, mode = vae.encode(X, output="mean"), vae.encode(X)
    posterior = vae.encode(X, output="distribution")
    assert isinstance(posterior, Normal) and mean.shape == (9, *vae.latent_shape) == (9, 3)
    np.testing.assert_array_equal(mean, mode)
    np.testing.assert_allclose(harness.numpy(posterior.mean), mean, rtol=1e-6)
    draws = np.stack([vae.encode(X[:1], output="sample", seed=s) for s in range(300)])
    stddev = np.exp(harness.numpy(posterior.log_var)[:1] / 2)
    assert np.abs(draws.mean(axis=0) - mean[:1]).max() < 5 * stddev.max() / np.sqrt(300)
    np.testing.assert_allclose(draws.std(axis=0), stddev, rtol=0.25)


def test_codes_are_integers_in_every_form(vqvae):
    codes = vqvae.encode(X)
    assert codes.dtype == np.int32 and codes.shape == (9, 4, 4) == (9, *vqvae.latent_shape)
    assert codes.min() >= 0 and codes.max() < 16
    for output in ("mean", "sample"):
        np.testing.assert_array_equal(vqvae.encode(X, output=output), codes)
    distribution = vqvae.encode(X, output="distribution")
    assert isinstance(distribution, Deterministic)
    np.testing.assert_array_equal(harness.numpy(distribution.mode), codes)


def test_discreteness_is_known(vae, vqvae, plain):
    assert (vae.is_discrete, vqvae.is_discrete, plain.is_discrete) == (False, True, False)
    assert vae.data_shape == vqvae.data_shape == (8, 8, 1)


@pytest.mark.parametrize("name", ["plain", "vae", "vqvae"])
def test_reconstruct_is_decode_of_encode(name, request):
    model = request.getfixturevalue(name)
    got = model.reconstruct(X)
    assert got.shape == X.shape and got.dtype == np.float32
    np.testing.assert_allclose(got, model.decode(model.encode(X)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["vae", "vqvae"])
@pytest.mark.parametrize("batch_size", [1, 4, 128])
def test_results_do_not_depend_on_the_batch_size(name, batch_size, request):
    model = request.getfixturevalue(name)
    np.testing.assert_allclose(model.reconstruct(X, batch_size=batch_size), model.reconstruct(X), rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:This VQVAE has no learned prior")
@pytest.mark.parametrize("name", ["vae", "vqvae"])
def test_samples_repeat_with_their_seed_only(name, request):
    model = request.getfixturevalue(name)
    np.testing.assert_array_equal(model.sample(5, seed=1), model.sample(5, seed=1))
    assert not np.array_equal(model.sample(5, seed=1), model.sample(5, seed=2))
    assert not np.array_equal(model.sample(5), model.sample(5))
    assert model.sample(5, seed=1).shape == (5, 8, 8, 1)


def test_samples_are_decoded_draws_of_the_prior(vae):
    noise = np.random.default_rng(7).standard_normal((6, 3), dtype="float32")
    np.testing.assert_allclose(vae.sample(6, seed=7), vae.decode(noise), rtol=1e-5, atol=1e-6)


def test_a_vqvae_without_a_prior_says_so_when_it_samples(vqvae):
    with pytest.warns(UserWarning, match="no learned prior: `sample` decodes uniform codes"):
        vqvae.sample(1, seed=0)


def test_variations_are_decoded_draws_of_the_posterior(vae):
    got = vae.variations(X[:2], n=5, seed=3)
    assert got.shape == (2, 5, 8, 8, 1)
    assert not np.allclose(got[:, 0], got[:, 1])
    np.testing.assert_array_equal(got, vae.variations(X[:2], n=5, seed=3))
    posterior = vae.encode(X[:2], output="distribution")
    noise = np.random.default_rng(3).standard_normal((10, 3), dtype="float32").reshape(2, 5, 3)
    z = harness.numpy(posterior.mean)[:, None] + np.exp(harness.numpy(posterior.log_var) / 2)[:, None] * noise
    np.testing.assert_allclose(got.reshape(10, 8, 8, 1), vae.decode(z.reshape(10, 3)), rtol=1e-4, atol=1e-5)


def test_variations_of_codes_are_copies_of_the_reconstruction(vqvae):
    got = vqvae.variations(X[:2], n=3)
    np.testing.assert_allclose(got, np.repeat(vqvae.reconstruct(X[:2])[:, None], 3, axis=1), rtol=1e-5, atol=1e-6)


class Logistic(Distribution):
    """A family that the library does not have: z = loc + logit(u), u uniform."""

    noise = "uniform"

    def __init__(self, loc):
        self.loc = ops.convert_to_tensor(loc)

    mode = mean = property(lambda self: self.loc)

    def sample_from(self, noise):
        noise = ops.clip(ops.convert_to_tensor(noise), 1e-6, 1 - 1e-6)
        return self.loc + ops.log(noise) - ops.log1p(-noise)

    def log_prob(self, value):
        centred = value - self.loc
        return -ops.sum(centred + 2.0 * ops.softplus(-centred), axis=-1)

    def repeat(self, n):
        return Logistic(ops.repeat(self.loc, n, axis=0))


class LogisticBottleneck(Bottleneck):
    noise = "uniform"

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.head = keras.layers.Dense(2)

    def parameters(self, h):
        return {"loc": self.head(h)}

    def posterior(self, outputs):
        return Logistic(outputs["loc"])

    def call(self, h, training=False):
        parameters = self.parameters(h)
        return {"z": self.posterior(parameters).sample_from(0.3), **parameters}


def test_any_posterior_of_a_users_own_is_drawn_from():
    model = VAE(MLPEncoder((8,)), MLPDecoder((8, 8, 1), (8,)), bottleneck=LogisticBottleneck())
    model.build((None, 8, 8, 1))
    harness.set_weights(model)
    posterior = model.encode(X, output="distribution")
    assert isinstance(posterior, Logistic)
    mean = harness.numpy(posterior.mean)
    np.testing.assert_allclose(model.encode(X), mean, rtol=1e-5, atol=1e-6)
    draws = model.encode(np.repeat(X[:1], 300, axis=0), output="sample", seed=2)
    assert np.abs(draws.mean(axis=0) - mean[:1]).max() < 5 * 1.814 / np.sqrt(300)
    np.testing.assert_allclose(draws.std(axis=0), 1.814, rtol=0.25)  # pi / sqrt(3)
    uniform = np.random.default_rng(3).random((9, 4, 2), dtype="float32").astype("float64")
    z = mean[:, None] + np.log(uniform) - np.log1p(-uniform)
    expected = model.decode(z.reshape(36, 2)).reshape(9, 4, 8, 8, 1)
    np.testing.assert_allclose(model.variations(X, n=4, seed=3, batch_size=10), expected, rtol=1e-4, atol=1e-5)
    # One decoder for all z: then p(x|z) is a constant, and log (1/S) sum p(z) / q(z) must come out near log 1.
    for weight in model.decoder.weights:
        weight.assign(np.zeros(weight.shape, "float32"))
    np.testing.assert_allclose(model.log_likelihood(X, num_samples=20_000), -64 * np.log(2.0), atol=0.1)


def test_quantized_is_lookup_of_indices(vqvae):
    outputs = vqvae(X)
    quantized = harness.numpy(vqvae.bottleneck.lookup(outputs["indices"]))
    np.testing.assert_allclose(harness.numpy(outputs["z"]), quantized, rtol=1e-5, atol=1e-6)


def test_using_a_model_changes_no_weight(vae):
    before = harness.weights(vae)
    vae.encode(X), vae.reconstruct(X), vae.sample(3), vae.variations(X[:1], 2), vae.log_likelihood(X[:2], 5)
    harness.assert_same_weights(before, harness.weights(vae))


def test_training_goes_on_after_sampling():
    """The compiled functions of a model see its present weights, and do not get in the way of `fit`."""
    model = small("vae")
    model.compile("sgd")
    first = model.reconstruct(X)
    model.fit(X, verbose=0)
    second = model.reconstruct(X)
    model.fit(X, verbose=0)
    assert not np.array_equal(first, second) and not np.array_equal(second, model.reconstruct(X))


def calls(model, z):
    """Name -> a call of each method that computes, its answer fixed by a seed."""
    found = {
        "encode": lambda: model.encode(X),
        "decode": lambda: model.decode(z),
        "reconstruct": lambda: model.reconstruct(X),
        "sample": lambda: model.sample(5, seed=1),
        "variations": lambda: model.variations(X, 3, seed=1),
    }
    if not model.is_discrete:
        found["draw"] = lambda: model.encode(X, output="sample", seed=1)
        found["posterior"] = lambda: harness.numpy(model.encode(X, output="distribution").mean)
        found["log_likelihood"] = lambda: model.log_likelihood(X, 20)
        found["jacobian_norm"] = lambda: model.jacobian_norm(X)
    return found


@pytest.mark.filterwarnings("ignore:This VQVAE has no learned prior")
@pytest.mark.parametrize("name", ["vae", "vqvae"])
def test_eight_threads_get_the_answers_of_one(name, request):
    """Of two copies, which have compiled nothing yet, so that samplers too are made by threads at once."""
    alone, shared = (copy.deepcopy(request.getfixturevalue(name)) for _ in range(2))
    z = alone.encode(X)
    expected = {name: call() for name, call in calls(alone, z).items()}
    threaded = calls(shared, z)
    names = list(threaded) * (500 // len(threaded))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda name: threaded[name](), names))
    wrong = [name for name, answer in zip(names, answers, strict=True) if not np.array_equal(answer, expected[name])]
    assert not wrong


def test_bits_of_codes(vqvae):
    assert vqvae.bits_per_image == 4 * 4 * 4
    assert vqvae.compression_ratio == pytest.approx(8 * 8 * 8 / 64)


def test_the_papers_vqvae_takes_42_67_times_fewer_bits():
    model = VQVAE(VQEncoder(), VQDecoder((128, 128, 3)), VectorQuantizer(512, 64))
    model.build((None, 128, 128, 3))
    assert model.latent_shape == (32, 32)
    assert model.bits_per_image == 32 * 32 * 9
    assert model.compression_ratio == pytest.approx(42.67, abs=0.005)
