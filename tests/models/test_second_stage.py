"""A prior put on a model, trained on its latents alone, then sampled, saved, loaded, exported and served."""

import itertools

import keras
import numpy as np
import pytest
from variants import CausalPrior, trained_code_vqvae

import harness
import keras_vae
from keras_vae.core import REGISTRY

X = harness.images(64)


@pytest.fixture(scope="module")
def vqvae():
    return trained_code_vqvae(X, epochs=3, batch_size=16)


@pytest.fixture(scope="module")
def fitted(vqvae):
    model = vqvae.with_prior(CausalPrior(8))
    before = harness.weights(vqvae)
    history = model.fit_prior(X, epochs=30, batch_size=16, optimizer=keras.optimizers.Adam(0.02), verbose=0)
    harness.assert_same_weights(before, harness.weights(vqvae))  # the model's own stay as they are
    return model, history.history


def test_the_parts_are_shared_and_the_prior_is_new(vqvae, fitted):
    model, _ = fitted
    assert model.encoder is vqvae.encoder and model.bottleneck is vqvae.bottleneck
    assert type(vqvae.prior).__name__ == "UniformCodes"
    np.testing.assert_array_equal(model.encode(X), vqvae.encode(X))
    assert int(model.step.value) == int(vqvae.step.value) == 12
    assert int(model.prior.step.value) == 30 * 4  # its own steps alone
    fresh = vqvae.with_prior(CausalPrior(8))
    harness.check_refuses(lambda: fresh.sample(2), "CausalPrior has not been trained")


def test_the_rate_is_that_of_the_prior_and_falls(vqvae, fitted):
    model, history = fitted
    assert history["rate"][-1] < 0.8 * history["rate"][0]
    assert history["bits_per_dim"][-1] == pytest.approx(history["rate"][-1] / (4 * np.log(2)), rel=1e-5)
    model.compile()
    rate = model.evaluate(X, verbose=0, return_dict=True)["rate"]
    by_hand = -harness.numpy(model.prior.log_prob(vqvae.encode(X))).mean()
    assert rate == pytest.approx(by_hand, rel=1e-5)
    vqvae.compile()
    assert rate < vqvae.evaluate(X, verbose=0, return_dict=True)["rate"] == pytest.approx(4 * np.log(8), rel=1e-5)


def test_probabilities_of_all_codes_sum_to_one(fitted):
    every = np.array(list(itertools.product(range(8), repeat=4)), "int32")
    assert np.exp(harness.numpy(fitted[0].prior.log_prob(every))).sum() == pytest.approx(1.0, rel=1e-4)


def test_draws_follow_the_probabilities(fitted):
    prior = fitted[0].prior
    drawn = prior.sample(4000, seed=1)
    np.testing.assert_array_equal(drawn, prior.sample(4000, seed=1))
    share = np.bincount(drawn[:, 0], minlength=8) / 4000
    first = np.zeros((8, 4), "int32")
    first[:, 0] = range(8)
    every = np.array(list(itertools.product(range(8), repeat=3)), "int32")
    whole = np.concatenate([np.repeat(first[:, :1], len(every), axis=0), np.tile(every, (8, 1))], axis=1)
    expected = np.exp(harness.numpy(prior.log_prob(whole))).reshape(8, -1).sum(axis=1)
    np.testing.assert_allclose(share, expected, atol=4 * np.sqrt(0.25 / 4000))


def test_samples_are_decoded_draws(fitted):
    model, _ = fitted
    assert model.previews == ("reconstructions", "samples")  # uniform codes would be no pictures
    codes = model.prior.sample(5, seed=3)
    np.testing.assert_allclose(model.sample(5, seed=3), model.decode(codes), atol=1e-6)


def test_saved_and_loaded(fitted, tmp_path):
    model, _ = fitted
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.sample(5, seed=3), model.sample(5, seed=3), atol=1e-6)
    assert not loaded.prior.trainable_variables  # `fit` leaves the prior alone


def test_presets_of_the_model_and_of_the_prior_alone(fitted, tmp_path, monkeypatch):
    monkeypatch.setitem(REGISTRY, "CausalPrior", CausalPrior)
    model, _ = fitted
    given = {"recipe": "tests", "dataset": "discs", "licence": "CC0-1.0", "seed": 0, "metrics": {}}
    whole = keras_vae.load_pretrained(keras_vae.save_pretrained(model, tmp_path / "whole", **given))
    np.testing.assert_allclose(whole.sample(5, seed=3), model.sample(5, seed=3), atol=1e-6)
    folder = keras_vae.save_pretrained(model.prior, tmp_path / "prior", **given)
    assert keras_vae.presets.pretrained_metadata(folder)["latent_shape"] is None
    alone = keras_vae.load_pretrained(folder)
    np.testing.assert_array_equal(alone.sample(5, seed=3), model.prior.sample(5, seed=3))
    again = keras_vae.load_pretrained(tmp_path / "whole").with_prior(alone)
    np.testing.assert_allclose(again.sample(5, seed=3), model.sample(5, seed=3), atol=1e-6)


def test_training_goes_on_where_it_was_stopped(vqvae, tmp_path):
    def fresh():
        keras.utils.set_random_seed(3)
        return vqvae.with_prior(CausalPrior(8))

    options = {"batch_size": 16, "verbose": 0, "seed": 5}
    whole, parts = fresh(), fresh()
    whole.fit_prior(X, epochs=4, **options)
    parts.fit_prior(X, epochs=2, folder=tmp_path, **options)
    parts = fresh()
    history = parts.fit_prior(X, epochs=4, folder=tmp_path, **options)
    assert history.epoch == [2, 3]
    tolerance = 0 if keras.backend.backend() != "tensorflow" else 1e-6  # whose sums are not run to run the same
    for one, other in zip(whole.prior.trainable_variables, parts.prior.trainable_variables, strict=True):
        np.testing.assert_allclose(harness.numpy(one.value), harness.numpy(other.value), atol=tolerance, rtol=0)


def test_it_stops_early_with_the_best_weights(vqvae, tmp_path):
    keras.utils.set_random_seed(0)
    model = vqvae.with_prior(CausalPrior(8))
    options = {"validation_data": X[48:], "patience": 2, "folder": tmp_path, "verbose": 0, "batch_size": 16}
    optimizer = keras.optimizers.Adam(0.5)  # too high: the held-out codes get worse soon
    history = model.fit_prior(X[:48], epochs=60, optimizer=optimizer, **options).history["val_loss"]
    assert len(history) == int(np.argmin(history)) + 3 < 60
    rate = model.prior.evaluate(model.encode(X[48:]), verbose=0, return_dict=True)["rate"]
    assert rate == pytest.approx(min(history), rel=1e-5)
    again = vqvae.with_prior(CausalPrior(8)).fit_prior(
        X[:48], epochs=60, optimizer=keras.optimizers.Adam(0.5), **options
    )
    assert again.epoch == []  # it had stopped


def test_refusals(vqvae):
    harness.check_refuses(lambda: vqvae.fit_prior(X), "`fit_prior` needs a prior that is learned.*UniformCodes")
    harness.check_refuses(lambda: vqvae.with_prior("a prior"), "`prior` must be a keras_vae Prior", TypeError)
    model = vqvae.with_prior(CausalPrior(8))
    harness.check_refuses(lambda: model.fit_prior(X, patience=2), "`patience` needs `validation_data`")
    harness.check_refuses(lambda: model.fit_prior(X, epochs=0), "`epochs` must be an integer >= 1")
    model.prior.compile("adam")
    harness.check_refuses(lambda: model.prior.fit(np.full((4, 4), 9)), r"`x` must be in \[0, 7\] for CausalPrior")
    prior = CausalPrior(8)
    prior.compile("adam", metrics=["mse"])
    harness.check_refuses(lambda: prior.fit(vqvae.encode(X)), "`metrics` must be left out of `compile`")


def test_a_conditional_prior_learns_what_belongs_to_a_class():
    keras.utils.set_random_seed(1)
    rng, labels = np.random.default_rng(0), np.arange(64) % 2
    codes = rng.integers(0, 4, (64, 4)) + 4 * labels[:, None]  # of one class 0 to 3, of the other 4 to 7
    prior = CausalPrior(8, condition=keras_vae.ClassCondition(2))
    prior.compile(keras.optimizers.Adam(0.05))
    prior.fit({"x": codes, "condition": labels}, epochs=40, batch_size=16, verbose=0)
    rates = [
        prior.evaluate({"x": codes, "condition": c}, verbose=0, return_dict=True)["rate"] for c in (labels, 1 - labels)
    ]
    assert rates[0] < 1.2 * 4 * np.log(4) < rates[1]
    assert (
        (prior.sample(100, seed=0, condition=0) < 4).mean() > 0.9 < (prior.sample(100, seed=0, condition=1) > 3).mean()
    )


def test_a_conditional_prior_makes_the_model_conditional(vqvae, tmp_path):
    labels = np.arange(64, dtype="int32") % 2
    model = vqvae.with_prior(CausalPrior(8, condition=keras_vae.ClassCondition(2)))
    model.fit_prior(X, epochs=2, condition=labels, verbose=0, batch_size=16)
    model.compile()
    rate = model.evaluate({"x": X, "condition": labels}, verbose=0, return_dict=True)["rate"]
    by_hand = model.prior.log_prob(vqvae.encode(X), model.embed(labels))
    assert rate == pytest.approx(-harness.numpy(by_hand).mean(), rel=1e-5)
    drawn = model.prior.sample(20, seed=0, condition=1)
    np.testing.assert_allclose(model.sample(20, seed=0, condition=1), model.decode(drawn, condition=1), atol=1e-6)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.sample(4, 0, condition=1), model.sample(4, 0, condition=1), atol=1e-6)


def test_what_a_condition_learns_belongs_to_who_sees_it(vqvae):
    labels = np.arange(64, dtype="int32") % 2
    condition = keras_vae.ClassCondition(2, embedding_dim=3)
    model = vqvae.with_prior(CausalPrior(8, condition=condition))  # the prior's alone: it learns with it
    before = harness.numpy(condition.embedding.embeddings.value).copy()
    model.fit_prior(X, epochs=1, condition=labels, verbose=0)
    assert np.abs(harness.numpy(condition.embedding.embeddings.value) - before).max() > 1e-4
    assert not condition.trainable

    condition = keras_vae.ClassCondition(2, embedding_dim=3)
    decoder = keras_vae.Conditioned(keras_vae.MLPDecoder((8, 8, 1), ()), flatten=True)
    relied = keras_vae.VQVAE(vqvae.encoder, decoder, vqvae.bottleneck, condition=condition)
    relied.build((None, 8, 8, 1))
    before = harness.numpy(condition.embedding.embeddings.value).copy()
    other = CausalPrior(9)
    harness.check_refuses(lambda: relied.with_prior(other), "`prior` must be over the codes of `bottleneck`")
    assert other.condition is None  # handed back as it came
    second = relied.with_prior(CausalPrior(8, condition=condition))
    assert condition.trainable and not second.prior.table.trainable
    second.fit_prior(X, epochs=1, condition=labels, verbose=0)
    np.testing.assert_array_equal(harness.numpy(condition.embedding.embeddings.value), before)
    assert condition.trainable


def test_a_plain_autoencoder_with_a_density_on_its_codes_has_no_rate():
    model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((2,), "linear"), keras_vae.MLPDecoder((8, 8, 1), ()))
    model.build((None, 8, 8, 1))
    generator = model.with_prior(keras_vae.StandardNormal())
    generator.compile("adam")
    assert set(generator.fit(X, verbose=0).history) == {"loss", "distortion"}  # a point mass has no finite rate
    z = np.random.default_rng(4).standard_normal((3, 2), dtype="float32")
    np.testing.assert_allclose(generator.sample(3, seed=4), model.decode(z), atol=1e-6)
