"""What else is served: conditions, codes by level, sequences with a mask, learned priors, classifiers."""

import keras
import numpy as np
import pytest
from keras import layers
from scipy import stats
from variants import AutoregressiveDecoder, CausalPrior, SequenceVAE, TwoLevels, code_vqvae

import harness
import keras_vae
from harness import images, needs
from keras_vae.export import ExportError, export_saved_model, other_python
from keras_vae.ops import draw_noise

BACKEND = keras.backend.backend()
pytestmark = [needs("tensorflow")] + ([] if BACKEND == "tensorflow" else [pytest.mark.cross_backend])
X, RNG = images(4), np.random.default_rng(0)


def served(model, folder):
    """The signatures of the model's SavedModel, as functions of numpy."""
    import tensorflow as tf

    signatures = tf.saved_model.load(str(model.export(folder / "m" / "1"))).signatures

    def call(name, **given):
        return {
            key: value.numpy()
            for key, value in signatures[name](**{k: tf.constant(v) for k, v in given.items()}).items()
        }

    call.names, call.signatures = sorted(signatures), signatures
    return call


def test_a_conditional_model(tmp_path):
    import tensorflow as tf

    encoder = keras_vae.Conditioned(keras_vae.MLPEncoder((8,)), flatten=True)
    decoder = keras_vae.Conditioned(keras_vae.MLPDecoder((8, 8, 1), (8,)))
    prior = keras_vae.ConditionalNormal(2)
    model = keras_vae.ConditionalVAE(encoder, decoder, keras_vae.ClassCondition(3), latent_dim=2, prior=prior)
    model.build((None, 8, 8, 1))
    harness.set_weights(model, seed=1)
    call, labels = served(model, tmp_path), np.array([0, 2, 1, 1], "int32")
    assert call.names == ["decode", "encode", "sample", "serving_default"]
    z = call("encode", images=X, condition=labels)["z"]
    np.testing.assert_allclose(z, model.encode(X, condition=labels), atol=1e-5)
    np.testing.assert_allclose(
        call("decode", z=z, condition=labels)["images"], model.decode(z, condition=labels), atol=1e-5
    )
    found = call("serving_default", images=X, condition=labels)["reconstruction"]
    np.testing.assert_allclose(found, model.reconstruct(X, condition=labels), atol=1e-5)
    one, other = (call("sample", seed=np.array([5], "int32"), condition=np.array([c], "int32")) for c in (0, 1))
    assert np.abs(one["images"] - other["images"]).max() > 1e-3
    for bad, message in (
        ({"images": X, "condition": labels + 1}, r"`condition` must be in \[0, 2\] for labels of 3 classes"),
        ({"images": X, "condition": labels[:3]}, "`condition` must have as many rows as `images`"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            call("encode", **bad)


def test_a_prior_that_is_given_a_map(tmp_path):
    import tensorflow as tf

    net, given = keras_vae.PixelCNN(8, depth=1, stem_size=3), keras_vae.MapCondition((2, 2), 3, 4)
    prior = keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(5), net, condition=given)
    prior.build((None, 4, 4))
    harness.set_weights(prior, seed=1)
    prior.step.assign(1)
    rng, call = np.random.default_rng(0), served(prior, tmp_path)
    z, maps = rng.integers(0, 5, (3, 4, 4)).astype("int32"), rng.integers(0, 3, (3, 2, 2)).astype("int32")
    expected = harness.numpy(prior.log_prob(z, prior.embed(maps)))
    np.testing.assert_allclose(call("serving_default", z=z, condition=maps)["log_prob"], expected, rtol=1e-4)
    drawn = call("sample", seed=np.array([4, 7, 4], "int32"), condition=maps[[0, 1, 0]])["z"]
    np.testing.assert_array_equal(drawn[0], drawn[2])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"`condition` must be in \[0, 2\] for a map of 3 codes"):
        call("serving_default", z=z, condition=maps + 1)


def test_codes_by_level(tmp_path):
    model = code_vqvae(TwoLevels({"top": 4, "bottom": 16}, 2))
    model.build((None, 8, 8, 1))
    call = served(model, tmp_path)
    codes = call("encode", images=X)
    expected = model.encode(X)
    for level in ("top", "bottom"):
        np.testing.assert_array_equal(codes[f"indices_{level}"], expected[level])
    np.testing.assert_allclose(call("decode", **codes)["images"], model.reconstruct(X), atol=1e-5)
    drawn = call("sample", seed=np.arange(3, dtype="int32"))
    assert drawn["indices_top"].max() < 4 <= drawn["indices_bottom"].max()


QUANTIZERS = {
    "residual": lambda: keras_vae.ResidualVectorQuantizer(
        [keras_vae.VectorQuantizerEMA(8, 4, seed=1), keras_vae.VectorQuantizer(8, 4, seed=2)], dropout=0.5
    ),
    "FSQ": lambda: keras_vae.FSQ([4, 5, 3, 3]),
    "LFQ": lambda: keras_vae.LFQ(4),
}


@pytest.mark.parametrize("name", QUANTIZERS)
def test_codes_of_quantizers(name, tmp_path):
    model = code_vqvae(QUANTIZERS[name]())
    model.build((None, 8, 8, 1))
    call = served(model, tmp_path)
    codes = call("encode", images=X)["indices"]
    np.testing.assert_array_equal(codes, model.encode(X))
    np.testing.assert_allclose(call("decode", indices=codes)["images"], model.reconstruct(X), atol=1e-5)


def test_sequences_of_any_length(tmp_path):
    likelihood = keras_vae.GaussianLikelihood(0.3)
    model = SequenceVAE(layers.Dense(4), layers.Dense(2), latent_dim=2, likelihood=likelihood)
    model.build((None, None, 2))
    call = served(model, tmp_path)
    for time in (3, 7):
        x = np.random.default_rng(0).normal(size=(2, time, 2)).astype("float32")
        given = {"x": x, "mask": np.ones((2, time), "float32")}
        np.testing.assert_allclose(call("encode", **given)["z"], model.encode(given), atol=1e-5)
        found = call("serving_default", **given)["reconstruction"]
        np.testing.assert_allclose(found, model.reconstruct(given), atol=1e-5)


def test_a_model_with_a_learned_prior_and_the_prior_alone(tmp_path):
    model = code_vqvae()
    model.build((None, 8, 8, 1))
    model = model.with_prior(CausalPrior(8))
    harness.set_weights(model.prior, seed=2)
    call = served(model, tmp_path)
    drawn = call("sample", seed=np.arange(6, dtype="int32"))
    np.testing.assert_allclose(drawn["images"], model.decode(drawn["indices"]), atol=1e-5)
    again = call("sample", seed=np.array([3], "int32"))
    np.testing.assert_array_equal(again["indices"][0], drawn["indices"][3])
    alone = served(model.prior, tmp_path / "prior")
    assert alone.names == ["sample", "serving_default"]
    found = alone("serving_default", z=drawn["indices"])["log_prob"]
    np.testing.assert_allclose(found, harness.numpy(model.prior.log_prob(drawn["indices"])), rtol=1e-4)


def test_a_decoder_that_draws(tmp_path):
    model = keras_vae.VAE(keras_vae.MLPEncoder((6,)), AutoregressiveDecoder(5), latent_dim=5)
    model.build((None, 5))
    harness.set_weights(model, seed=4)
    call = served(model, tmp_path)
    assert call.names == ["encode", "sample", "serving_default"]  # decoding would need a seed
    drawn = call("sample", seed=np.arange(400, dtype="int32"))
    assert set(np.unique(drawn["images"])) == {0.0, 1.0}
    logits = harness.numpy(model.decode_params(drawn["z"], target=drawn["images"]))
    wrong = drawn["images"] - 1 / (1 + np.exp(-logits))  # what is left when the density has been told: no bias,
    assert np.abs(wrong.mean(axis=0)).max() < 4 * 0.5 / 20
    for z, left in zip(drawn["z"].T, wrong.T, strict=True):  # and nothing of the latents' own noise
        assert abs(np.corrcoef(z, left)[0, 1]) < 0.2


def test_a_classifier(tmp_path):
    model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((6,)), keras_vae.MLPDecoder((8, 8, 1), ()))
    model.build((None, 8, 8, 1))
    classifier = model.as_classifier(3)
    call = served(classifier, tmp_path)
    assert call.names == ["serving_default"]
    expected = harness.numpy(classifier(X))
    np.testing.assert_allclose(call("serving_default", images=X)["probabilities"], expected, atol=1e-5)


FAMILIES = {
    "a Gamma": (("Gamma", 3), ("Gamma", {"concentration": [2.0, 1.0, 0.5]}), ("Beta", {})),
    "vectors": (("EllipticalStudentT", 3, {"rank": 1}), ("EllipticalStudentT", {"df": 4.0}), ("Laplace", {})),
    "shares": (("Dirichlet", 3), ("Dirichlet", {"concentration": 0.7}), ("StudentT", {"df": 3.0})),
    "an interval": (("Kumaraswamy", 3), ("Beta", {"a": 2.0, "b": 1.5}), ("Cauchy", {})),
}


@pytest.mark.parametrize("kind", FAMILIES)
def test_any_family_in_every_place(kind, tmp_path):
    """The prior's draws are made in the graph, by proposals where it is a Gamma: they follow its distribution."""
    bottleneck, (prior, given), (likelihood, options) = FAMILIES[kind]
    likelihood = keras_vae.FamilyLikelihood(likelihood, options)
    model = keras_vae.VAE(
        keras_vae.MLPEncoder((6,), "tanh"),
        keras_vae.MLPDecoder(likelihood.params_shape((8, 8, 1)), (6,), "tanh"),
        bottleneck=keras_vae.Reparameterised(*bottleneck, seed=1),
        prior=keras_vae.FamilyPrior(prior, **given),
        likelihood=likelihood,
    )
    model.build((None, 8, 8, 1))
    harness.set_weights(model, seed=3)
    call = served(model, tmp_path)
    assert call.names == ["decode", "encode", "sample", "serving_default"]
    encoded, posterior = call("encode", images=X), model.encode(X, output="distribution")
    assert set(encoded) == {"z", *posterior.served()}
    np.testing.assert_allclose(encoded["z"], model.encode(X), rtol=1e-4, atol=1e-5)
    for name, value in posterior.served().items():
        np.testing.assert_allclose(encoded[name], harness.numpy(value), rtol=1e-4, atol=1e-5)
    found = call("serving_default", images=X)["reconstruction"]
    np.testing.assert_allclose(found, model.reconstruct(X), rtol=1e-4, atol=1e-5)
    drawn = call("sample", seed=np.arange(1000, dtype="int32"))
    np.testing.assert_allclose(call("decode", z=drawn["z"])["images"], drawn["images"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(drawn["images"], model.decode(drawn["z"]), rtol=1e-4, atol=1e-5)
    alone = call("sample", seed=np.array([7], "int32"))
    np.testing.assert_allclose(alone["z"][0], drawn["z"][7], rtol=1e-6)
    own = harness.numpy(model.prior.sample_from(draw_noise(model.prior.noise_spec((3,)), RNG, (1000,))))
    for latent, other in zip(drawn["z"].T, own.T, strict=True):
        assert stats.ks_2samp(latent, other).pvalue > 1e-4


def test_a_model_that_answers_nothing_about_itself_is_refused(tmp_path):
    with pytest.raises(TypeError, match="`model` must be a model of keras_vae, with `signatures"):
        export_saved_model(keras.Sequential([layers.Dense(1)]), tmp_path)


def test_the_modules_of_own_classes_are_found():
    model = code_vqvae()
    model.build((None, 8, 8, 1))
    assert other_python.own_modules(keras.saving.serialize_keras_object(model)) == []
    config = keras.saving.serialize_keras_object(model.with_prior(CausalPrior(8)))
    assert other_python.own_modules(config) == ["variants"]
    with pytest.raises(ExportError, match="Mine is defined in the script that runs"):
        other_python.own_modules({"class_name": "Mine", "module": "__main__", "config": {}})
