"""Mixtures: densities by hand, draws against them, gradients to every weight, and the models that learn them."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
import keras_vae
import reference
from densities import check_gradients, draws, gradients
from keras_vae.distributions import Normal
from keras_vae.ops import draw_noise
from keras_vae.testing import check_serving
from small_models import small

RNG = np.random.default_rng(0)
X = (harness.images(32) > 0.5).astype("float32")
SHAPE = (8, 8, 1)


def mixture(shape=(4,), num_components=3, seed=0):
    prior = keras_vae.MixtureOfGaussians(num_components)
    prior.build((None, *shape))
    return harness.set_weights(prior, seed)


def by_hand(prior):
    """Weights, means and covariances of a built MixtureOfGaussians."""
    means, log_vars, logits = (harness.numpy(v.value) for v in (prior.means, prior.log_vars, prior.logits))
    covariances = [np.diag(np.exp(v.ravel().astype("float64"))) for v in log_vars]
    return np.exp(logits) / np.exp(logits).sum(), means, covariances


def vamp_model(seed=0, **kwargs):
    keras.utils.set_random_seed(seed)
    prior = keras_vae.VampPrior(5, seed=1)
    model = keras_vae.VAE(keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder(SHAPE, (16,)), 2, prior=prior, **kwargs)
    model.build((None, *SHAPE))
    return harness.set_weights(model)


# every pair


def test_pairwise_density_of_normals_is_exact_where_variances_are_tiny():
    mean, log_var = RNG.normal(size=(5, 2, 3)).astype("float32"), RNG.uniform(-20, 14, (5, 2, 3)).astype("float32")
    z = np.concatenate([mean + 1e-4 * RNG.normal(size=mean.shape), RNG.normal(size=(4, 2, 3))]).astype("float32")
    got = harness.numpy(Normal(mean, log_var).pairwise_log_prob(z))
    wide = np.exp(log_var.astype("float64") / 2)
    expected = np.stack([reference.normal_log_prob(z, m, s) for m, s in zip(mean, wide, strict=True)], axis=1)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-3)


# the mixture of Gaussians


@pytest.mark.parametrize("shape", [(4,), (2, 3, 2)])
def test_density_of_a_mixture_of_gaussians(shape):
    prior, z = mixture(shape), RNG.normal(size=(6, *shape)).astype("float32")
    expected = reference.mixture_log_prob(z, *by_hand(prior))
    np.testing.assert_allclose(harness.numpy(prior.log_prob(z)), expected, rtol=1e-5)
    q = Normal(z + 0.1, 0 * z - 1)
    rate = reference.normal_log_prob(z, z + 0.1, np.exp(-0.5)) - expected
    np.testing.assert_allclose(harness.numpy(prior.rate(q, z)), rate, rtol=1e-4)


def test_responsibilities_are_bayes_rule():
    prior, z = mixture(), RNG.normal(size=(6, 4)).astype("float32")
    weights, means, covariances = by_hand(prior)
    whole = reference.mixture_log_prob(z, weights, means, covariances)
    first = reference.mixture_log_prob(z, weights[:1], means[:1], covariances[:1])
    np.testing.assert_allclose(harness.numpy(prior.responsibilities(z))[:, 0], np.exp(first - whole), rtol=1e-4)
    np.testing.assert_allclose(harness.numpy(prior.responsibilities(z)).sum(axis=1), 1.0, rtol=1e-6)


def test_draws_have_the_weights_and_moments_of_the_components():
    prior = mixture((2,))
    prior.means.assign([[-20.0, 0.0], [0.0, 20.0], [20.0, -20.0]])
    prior.logits.assign(np.log([0.2, 0.5, 0.3]))
    z, (weights, means, covariances) = draws(prior, 60_000, (2,)), by_hand(prior)
    nearest = np.argmin(((z[:, None] - means) ** 2).sum(axis=-1), axis=1)
    np.testing.assert_allclose(np.bincount(nearest) / len(z), weights, atol=4 * np.sqrt(0.25 / len(z)))
    for k in range(3):
        mine, var = z[nearest == k], np.diag(covariances[k])
        assert (np.abs(mine.mean(axis=0) - means[k]) < 5 * np.sqrt(var / len(mine))).all()
        np.testing.assert_allclose(mine.var(axis=0), var, rtol=5 * np.sqrt(2 / len(mine)))
    np.testing.assert_array_equal(z, draws(prior, 60_000, (2,)))


def test_the_ends_of_the_uniform_choose_the_first_and_the_last_component():
    prior = mixture((1,))
    uniform = np.array([0.0, np.nextafter(np.float32(1), np.float32(0))], "float32")
    z = prior.sample_from({"component": uniform, "value": np.zeros((2, 1), "float32")})
    np.testing.assert_array_equal(harness.numpy(z), harness.numpy(prior.means.value)[[0, 2]])


def test_a_new_mixture_is_spread_and_seeded():
    one, same, other = (keras_vae.MixtureOfGaussians(200, spread=2.0, seed=seed) for seed in (3, 3, 4))
    for prior in (one, same, other):
        prior.build((None, 10))
    np.testing.assert_array_equal(harness.numpy(one.means.value), harness.numpy(same.means.value))
    assert np.abs(harness.numpy(one.means.value) - harness.numpy(other.means.value)).max() > 1
    assert harness.numpy(one.means.value).std() == pytest.approx(2.0, rel=0.1)


def test_gradients_reach_every_weight_of_a_mixture():
    prior, z = mixture(), ops.convert_to_tensor(RNG.normal(size=(6, 4)).astype("float32"))
    check_gradients(lambda: ops.sum(prior.log_prob(z)), [prior.means, prior.log_vars, prior.logits])


def test_log_variances_at_their_limits_stay_finite_and_come_back():
    prior, z = mixture(), ops.convert_to_tensor(RNG.normal(size=(6, 4)).astype("float32"))
    for value in (-40.0, -20.0, 14.0, 40.0):
        prior.log_vars.assign(np.full((3, 4), value))
        harness.assert_finite(prior.log_prob(z))
        (gradient,) = gradients(lambda: ops.sum(prior.log_prob(z)), [prior.log_vars])
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


@pytest.fixture(scope="module")
def fitted():
    keras.utils.set_random_seed(0)
    nets = keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder(SHAPE, (16,))
    model = keras_vae.VAE(*nets, latent_dim=2, prior=keras_vae.MixtureOfGaussians(4))
    model.compile(keras.optimizers.Adam(0.01))
    model.build((None, *SHAPE))
    before = harness.weights(model.prior)
    history = model.fit(X, batch_size=16, epochs=12, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert len(harness.changed(before, harness.weights(model.prior))) == 3  # all of its weights learn
    return model


def test_a_vae_learns_its_mixture_and_keeps_it(fitted, tmp_path):
    fitted.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.sample(5, seed=3), fitted.sample(5, seed=3), atol=1e-6)
    z = draws(fitted.prior, 5, (2,), seed=3)
    np.testing.assert_allclose(fitted.sample(5, seed=3), fitted.decode(z), atol=1e-5)
    bound, nats = (fitted.log_likelihood(X, num_samples=n, seed=0).mean() for n in (1, 200))
    assert bound < nats < 0


# the VampPrior


def test_density_of_a_vamp_prior_by_hand():
    model, z = vamp_model(), RNG.normal(size=(6, 2)).astype("float32")
    weight = harness.numpy(model.prior.inputs.value)
    q = model.encode(1 / (1 + np.exp(-weight)), output="distribution")
    covariances = [np.diag(v) for v in np.exp(harness.numpy(q.log_var).astype("float64"))]
    expected = reference.mixture_log_prob(z, np.full(5, 0.2), harness.numpy(q.mean), covariances)
    np.testing.assert_allclose(harness.numpy(model.prior.log_prob(z)), expected, rtol=1e-5)


def test_draws_of_a_vamp_prior_are_those_of_its_pseudo_inputs():
    model = vamp_model()
    q = model.posterior(model.prior.pseudo_inputs())
    noise = draw_noise(model.prior.noise_spec((2,)), np.random.default_rng(5), (64,))
    chosen = np.floor(noise["component"] * 5).astype(int)
    expected = harness.numpy(q.mean)[chosen] + np.exp(harness.numpy(q.log_var)[chosen] / 2) * noise["value"]
    np.testing.assert_allclose(harness.numpy(model.prior.sample_from(noise)), expected, rtol=1e-4, atol=1e-5)
    assert set(chosen) == set(range(5))


def test_gradients_reach_pseudo_inputs_and_the_encoder():
    model, z = vamp_model(), ops.convert_to_tensor(RNG.normal(size=(6, 2)).astype("float32"))
    check_gradients(lambda: ops.sum(model.prior.log_prob(z)), [model.prior.inputs, model.bottleneck.head.kernel])


def test_pseudo_inputs_start_as_data_within_the_interval():
    model = vamp_model()
    model.prior.adapt(X, seed=2)
    u = harness.numpy(model.prior.pseudo_inputs())
    assert u.shape == (5, *SHAPE) and u.min() == pytest.approx(0.02, rel=1e-3) and u.max() < 0.981
    distances = np.abs(u[:, None] - X[None]).reshape(5, len(X), -1).max(axis=2)
    assert (distances.min(axis=1) < 0.021).all()
    assert len(set(distances.argmin(axis=1))) == 5
    harness.check_refuses(lambda: model.prior.adapt(X + 1), r"`x` must be in \[0, 1\] for VampPrior")
    unbounded = vamp_model(likelihood=keras_vae.GaussianLikelihood())
    unbounded.prior.adapt(3 * X - 1)
    assert set(np.unique(harness.numpy(unbounded.prior.pseudo_inputs()))) == {-1.0, 2.0}


def test_a_vae_learns_its_vamp_prior_and_keeps_it(tmp_path):
    model = vamp_model()
    model.prior.adapt(X)
    model.compile(keras.optimizers.Adam(0.01))
    before = harness.weights(model.prior)
    history = model.fit(X, batch_size=16, epochs=12, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert harness.changed(before, harness.weights(model.prior))
    if harness.BACKEND != "jax":  # where each signature is one more function to compile
        check_serving(model)
    facts = {"recipe": "tests", "dataset": "discs", "licence": "CC0-1.0", "seed": 0, "metrics": {}}
    preset = keras_vae.load_pretrained(keras_vae.save_pretrained(model, tmp_path / "preset", **facts))
    np.testing.assert_allclose(preset.sample(5, seed=3), model.sample(5, seed=3), atol=1e-6)
    one, other = (m.log_likelihood(X[:4], num_samples=20, seed=0) for m in (model, preset))
    np.testing.assert_allclose(one, other, rtol=1e-5)
    assert one.mean() > model.log_likelihood(X[:4], num_samples=1, seed=0).mean()


def test_a_vamp_prior_goes_where_its_encoder_goes():
    model = vamp_model()
    sibling = keras_vae.BetaVAE(model.encoder, model.decoder, bottleneck=model.bottleneck, prior=model.prior)
    sibling.build((None, *SHAPE))
    np.testing.assert_allclose(sibling.sample(3, seed=1), model.sample(3, seed=1), atol=1e-6)
    nets = keras_vae.MLPEncoder((4,)), keras_vae.MLPDecoder(SHAPE, ())
    stranger = keras_vae.VAE(*nets, latent_dim=2, prior=model.prior)
    harness.check_refuses(lambda: stranger.build((None, *SHAPE)), "`prior` must be new, or belong to a model")


def test_refusals():
    harness.check_refuses(lambda: keras_vae.MixtureOfGaussians(0), "`num_components` must be an integer >= 1")
    harness.check_refuses(lambda: keras_vae.MixtureOfGaussians(spread=-1.0), "`spread` must be a finite number >= 0")
    harness.check_refuses(lambda: keras_vae.VampPrior(0), "`num_pseudo_inputs` must be an integer >= 1")
    harness.check_refuses(lambda: keras_vae.VampPrior().adapt(X), "`adapt` of a VampPrior comes after the model")
    harness.check_refuses(lambda: keras_vae.VampPrior().build((None, 2)), "built by the model")
    harness.check_refuses(
        lambda: small("vqvae").with_prior(keras_vae.MixtureOfGaussians()), "`prior` must be one over codes"
    )
    plain = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder(SHAPE, ()))
    plain.build((None, *SHAPE))
    harness.check_refuses(lambda: plain.with_prior(keras_vae.VampPrior(3)), "needs a posterior that is a density")
    with pytest.raises(TypeError, match="does not factorise"):
        mixture().elementwise_rate(Normal(np.zeros((1, 4), "float32"), 0.0), np.zeros((1, 4), "float32"))
