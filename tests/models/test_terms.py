"""What each model minimises, against the formulas of the papers, and what it logs."""

import importlib

import keras
import numpy as np
import pytest

import harness
import reference
from keras_vae import VAE, VQVAE, BetaVAE, KSparseAutoencoder, PlainAutoencoder
from keras_vae.bottlenecks import VectorQuantizer, VectorQuantizerEMA
from keras_vae.likelihoods import BernoulliLikelihood, SquaredError
from keras_vae.nets import MLPDecoder, MLPEncoder

X = harness.images(12, size=4)
SHAPE = X.shape[1:]


def nets(features=6):
    return MLPEncoder((features,), activation="tanh"), MLPDecoder(SHAPE, (6,))


def built(model):
    model.build((None, *SHAPE))
    model.compile(keras.optimizers.SGD(0.0))
    return model


def evaluated(model, **kwargs):
    return model.evaluate(X, batch_size=len(X), verbose=0, return_dict=True, **kwargs)


@pytest.mark.parametrize("beta", [None, 3.0])
def test_vae_terms_are_the_papers(beta):
    model = built(VAE(*nets(), latent_dim=2) if beta is None else BetaVAE(*nets(), latent_dim=2, beta=beta))
    outputs = model(X)
    terms = harness.numpy(model.terms(X, X, outputs, False))
    outputs = harness.numpy(outputs)
    distortion = -reference.bernoulli_log_prob(X, outputs["params"])
    rate = reference.kl_normal(outputs["z_mean"], np.exp(outputs["z_log_var"].astype("float64")))
    np.testing.assert_allclose(terms["distortion"], distortion, rtol=1e-5)
    np.testing.assert_allclose(terms["rate"], rate, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(terms["elbo"], -(distortion + rate), rtol=1e-5)
    np.testing.assert_allclose(terms["loss"], distortion + (beta or 1.0) * rate, rtol=1e-5)
    assert all(value.shape == (12,) for value in terms.values())


def test_plain_loss_is_the_squared_error_and_there_is_no_elbo():
    model = built(PlainAutoencoder(*nets()))
    logs = evaluated(model)
    error = np.sum((X - model.reconstruct(X)) ** 2, axis=(1, 2, 3)).mean()
    assert logs == pytest.approx({"loss": error, "distortion": error}, rel=1e-5)


@pytest.mark.parametrize("quantizer", [VectorQuantizer, VectorQuantizerEMA])
def test_vqvae_terms_are_the_papers(quantizer):
    model = built(VQVAE(*nets(features=6), quantizer(8, 6), commitment_weight=0.4))
    features = harness.numpy(model.encoder(X))
    codebook = harness.numpy(model.bottleneck.codebook.value)
    quantized = codebook[reference.nearest(features, codebook)]
    params = harness.numpy(model.decoder(quantized))
    distortion = -reference.normal_log_prob(X, params, 0.25)
    commitment = reference.vq_losses(features, codebook)
    learned = 1.0 if quantizer is VectorQuantizer else 0.0
    logs = evaluated(model)
    assert logs["distortion"] == pytest.approx(distortion.mean(), rel=1e-4)
    assert logs["commitment"] == pytest.approx(commitment.mean(), rel=1e-4)
    assert logs["rate"] == pytest.approx(np.log(8), rel=1e-6)
    assert logs["elbo"] == pytest.approx(-(distortion.mean() + np.log(8)), rel=1e-4)
    assert logs["loss"] == pytest.approx((distortion + (0.4 + learned) * commitment).mean(), rel=1e-4)
    assert logs.get("codebook", learned * logs["commitment"]) == pytest.approx(learned * commitment.mean(), rel=1e-4)
    assert logs["perplexity"] == pytest.approx(reference.perplexity(reference.nearest(features, codebook), 8), rel=1e-4)


@pytest.mark.parametrize("name, value", [("beta", 7.0), ("commitment_weight", 3.0)])
def test_each_loss_weight_is_a_weight_that_moves_the_loss_without_a_new_trace(name, value):
    if name == "beta":
        model, term = built(BetaVAE(*nets(), latent_dim=2, beta=1.0)), "rate"
    else:
        model, term = built(VQVAE(*nets(), VectorQuantizer(8, 6), commitment_weight=1.0)), "commitment"
    first = model.fit(X, batch_size=12, verbose=0).history
    getattr(model, name).assign(value)
    second = model.fit(X, batch_size=12, verbose=0).history
    moved = second["loss"][0] - second["distortion"][0] - first["loss"][0] + first["distortion"][0]
    expected = value * second[term][0] - first[term][0]
    codebook = second.get("codebook", [0])[0] - first.get("codebook", [0])[0]
    assert moved == pytest.approx(expected + codebook, rel=1e-3, abs=1e-3)


def test_a_number_given_for_a_coefficient_reaches_the_compiled_step():
    model = built(BetaVAE(*nets(), latent_dim=2, beta=1.0))
    first = model.evaluate(X, return_dict=True, verbose=0)
    model.beta = 0.0
    second = model.evaluate(X, return_dict=True, verbose=0)
    assert second["loss"] == pytest.approx(second["distortion"]) and first["loss"] > first["distortion"]
    assert isinstance(model.beta, keras.Variable) and model.get_config()["beta"] == 0.0
    sparse = built(KSparseAutoencoder(MLPEncoder((6,), "linear"), k=5))
    sparse.k = 2
    assert (sparse.encode(X[:3]) != 0).sum(axis=1).tolist() == [2, 2, 2]


def test_beta_of_one_is_the_vae():
    rng = np.random.default_rng(0)
    models = built(VAE(*nets(), latent_dim=2)), built(BetaVAE(*nets(), latent_dim=2, beta=1.0))
    for one, other in zip(*(m.trainable_variables for m in models), strict=True):
        value = rng.normal(size=one.shape)
        one.assign(value)
        other.assign(value)
    harness.assert_close(*(m.log_likelihood(X, num_samples=20) for m in models))
    harness.assert_close(*(m.reconstruct(X) for m in models))


def test_sample_weight_is_honoured():
    model = built(PlainAutoencoder(*nets()))
    weight = np.arange(12, dtype="float32")
    error = np.sum((X - model.reconstruct(X)) ** 2, axis=(1, 2, 3))
    logs = evaluated(model, y=X, sample_weight=weight)
    assert logs["loss"] == pytest.approx(np.mean(weight * error), rel=1e-5)
    assert logs["distortion"] == pytest.approx(np.sum(weight * error) / weight.sum(), rel=1e-5)


@pytest.mark.parametrize("kind", ["plain", "vqvae"])
def test_loss_is_invariant_to_duplicating_the_batch(kind):
    if kind == "plain":
        model = built(PlainAutoencoder(*nets()))
    else:
        model = built(VQVAE(*nets(), VectorQuantizer(8, 6)))
    once = evaluated(model)
    twice = model.evaluate(np.concatenate([X, X]), batch_size=24, verbose=0, return_dict=True)
    assert twice == pytest.approx(once, rel=1e-5)


def test_vae_terms_of_each_example_do_not_depend_on_the_batch():
    model = built(VAE(*nets(), latent_dim=2))
    outputs = model(X)
    whole = harness.numpy(model.terms(X, X, outputs, False))
    part = {name: value[:5] for name, value in outputs.items()}
    half = harness.numpy(model.terms(X[:5], X[:5], part, False))
    for name, value in half.items():
        np.testing.assert_allclose(value, whole[name][:5], rtol=1e-6)


def test_a_target_other_than_the_input_is_what_the_distortion_compares_with():
    model = built(PlainAutoencoder(*nets()))
    logs = model.evaluate(X, 1 - X, batch_size=12, verbose=0, return_dict=True)
    error = np.sum((1 - X - model.reconstruct(X)) ** 2, axis=(1, 2, 3)).mean()
    assert logs["distortion"] == pytest.approx(error, rel=1e-5)


@pytest.mark.parametrize(
    "model, names", [("vae", {"loss", "distortion", "rate", "elbo"}), ("plain", {"loss", "distortion"})]
)
def test_logged_names(model, names, request):
    logs = request.getfixturevalue(model).evaluate(harness.images(4), verbose=0, return_dict=True)
    assert set(logs) == names
    assert logs["loss"] == pytest.approx(logs["distortion"] + logs.get("rate", 0.0), rel=1e-6)
    assert logs.get("elbo", -logs["loss"]) == pytest.approx(-logs["loss"], rel=1e-6)


def test_vqvae_logs_perplexity_and_usage_of_the_whole_epoch(vqvae):
    x = harness.images(32)
    whole = vqvae.evaluate(x, batch_size=32, verbose=0, return_dict=True)
    parts = vqvae.evaluate(x, batch_size=4, verbose=0, return_dict=True)
    codes = vqvae.encode(x)
    for logs in (whole, parts):
        assert logs["perplexity"] == pytest.approx(reference.perplexity(codes, 16), rel=1e-4)
        assert logs["codebook_usage"] == pytest.approx(len(np.unique(codes)) / 16, rel=1e-5)


def test_a_squared_error_vae_logs_no_elbo():
    model = built(VAE(*nets(), latent_dim=2, likelihood=SquaredError()))
    assert not model.has_density
    logs, outputs = evaluated(model), harness.numpy(model(X))
    rate = reference.kl_normal(outputs["z_mean"], np.exp(outputs["z_log_var"].astype("float64"))).mean()
    assert logs == pytest.approx({"loss": logs["distortion"] + rate, "distortion": logs["distortion"], "rate": rate})


def test_a_bernoulli_plain_autoencoder_minimises_the_cross_entropy():
    model = built(PlainAutoencoder(*nets(), likelihood=BernoulliLikelihood()))
    params = harness.numpy(model(X)["params"])
    assert evaluated(model)["loss"] == pytest.approx(-reference.bernoulli_log_prob(X, params).mean(), rel=1e-5)


def test_a_frozen_quantizer_keeps_its_codebook_in_training():
    model = built(VQVAE(*nets(), VectorQuantizerEMA(8, 6)))
    model.bottleneck.trainable = False
    model.compile("adam")
    before = harness.weights(model.bottleneck)
    model.fit(X, batch_size=4, verbose=0)
    harness.assert_same_weights(before, harness.weights(model.bottleneck))


def test_every_part_is_built_so_that_fit_traces_no_more_than_its_step():
    model = built(VAE(*nets(), latent_dim=2))
    assert model.likelihood.built and model.prior.built


@pytest.mark.skipif(harness.BACKEND != "tensorflow", reason="shapes without sizes are tf.data's")
def test_a_stream_that_does_not_say_its_sizes():
    tensorflow = importlib.import_module("tensorflow")
    told, silent = tensorflow.TensorSpec(SHAPE), tensorflow.TensorSpec((None, None, 1))
    losses = []
    for spec in (told, silent):
        keras.utils.set_random_seed(0)
        model = built(PlainAutoencoder(*nets()))
        stream = tensorflow.data.Dataset.from_generator(lambda: iter(X), output_signature=spec).batch(6)
        losses.append(model.fit(stream, verbose=0).history["loss"])
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def parts_of_a_users_own():
    """Nets whose layers behave otherwise while training."""
    encoder = keras.Sequential(
        [keras.layers.Flatten(), keras.layers.Dense(6), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5)]
    )
    decoder = keras.Sequential([keras.layers.BatchNormalization(), keras.layers.Dense(16), keras.layers.Reshape(SHAPE)])
    return encoder, decoder


def test_nets_are_in_training_mode_in_fit_and_in_no_other_method():
    encoder, decoder = parts_of_a_users_own()
    model = VAE(encoder, decoder, latent_dim=3)
    model.compile("adam")
    model.fit(X, batch_size=4, verbose=0)
    moved = [encoder.layers[2].moving_mean, decoder.layers[0].moving_mean]
    before = [harness.numpy(variable.value).copy() for variable in moved]
    assert all(np.abs(value).max() > 0 for value in before)  # batch statistics were taken, on JAX too
    logs = [model.evaluate(X, verbose=0, return_dict=True)["rate"] for _ in range(2)]
    assert logs[0] == logs[1]  # no dropout
    np.testing.assert_array_equal(model.encode(X), model.encode(X))
    model.reconstruct(X), model.sample(2), model.log_likelihood(X, 3)
    for variable, value in zip(moved, before, strict=True):
        np.testing.assert_array_equal(harness.numpy(variable.value), value)
