"""A VQ-VAE with a PixelCNN on its codes: trained, sampled, in-painted, saved, loaded as a preset, served."""

import keras
import numpy as np
import pytest

import harness
import keras_vae

X = (harness.images(96) > 0.5).astype("float32")
K = 6
FACTS = {"recipe": "tests", "seed": 0, "metrics": {"bits": 1.0}}


def codes_prior(size=K):
    net = keras_vae.PixelCNN(8, depth=1, stem_size=3)
    return keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(size), net)


@pytest.fixture(scope="module")
def vqvae():
    keras.utils.set_random_seed(0)
    size = {"hidden": 8, "residual_hidden": 4, "levels": 1, "depth": 1}
    encoder, decoder = keras_vae.VQEncoder(4, **size), keras_vae.VQDecoder((8, 8, 1), **size)
    model = keras_vae.VQVAE(encoder, decoder, keras_vae.VectorQuantizerEMA(K, 4, seed=1))
    model.compile(keras.optimizers.Adam(5e-3))
    model.fit(X, epochs=6, batch_size=16, verbose=0)
    return model


@pytest.fixture(scope="module")
def fitted(vqvae):
    before = harness.weights(vqvae)
    model = vqvae.with_prior(codes_prior())
    model.fit_prior(X[:80], epochs=15, batch_size=16, optimizer=keras.optimizers.Adam(0.01), verbose=0)
    harness.assert_same_weights(before, harness.weights(vqvae))
    return model


def test_the_prior_knows_more_than_frequencies(vqvae, fitted):
    codes, held = (vqvae.encode(x).reshape(len(x), -1) for x in (X[:80], X[80:]))
    counts = np.bincount(codes.ravel(), minlength=K) + 1
    independent = -np.log(counts / counts.sum())[held].sum(axis=1).mean()
    fitted.compile()
    rate = fitted.evaluate(X[80:], verbose=0, return_dict=True)["rate"]
    assert rate < 0.8 * independent < 16 * np.log(K)


def test_code_length_is_what_the_prior_says_in_bits(vqvae, fitted):
    np.testing.assert_allclose(vqvae.code_length(X[:5]), 16 * np.log2(K), rtol=1e-5)
    bits = fitted.code_length(X[80:])
    np.testing.assert_allclose(bits, -harness.numpy(fitted.prior.log_prob(vqvae.encode(X[80:]))) / np.log(2), rtol=1e-4)
    fitted.compile()
    scores = fitted.evaluate(X[80:], verbose=0, return_dict=True)
    assert bits.mean() * np.log(2) == pytest.approx(scores["rate"], rel=1e-5)
    assert scores["elbo"] == pytest.approx(-scores["rate"] - scores["distortion"], rel=1e-5)


def test_neighbours_in_samples_are_those_of_the_data(vqvae, fitted):
    def pairs(codes):  # how often each code stands to the left of each
        return np.bincount((codes[:, :, :-1] * K + codes[:, :, 1:]).ravel(), minlength=K * K) / codes[:, :, 1:].size

    codes = vqvae.encode(X)
    independent = np.random.default_rng(0).permuted(codes.ravel()).reshape(codes.shape)
    drawn, loose = (np.abs(pairs(c) - pairs(codes)).sum() for c in (fitted.prior.sample(400, seed=0), independent))
    assert drawn < 0.6 * loose, (drawn, loose)


def test_known_codes_are_kept(vqvae, fitted):
    codes, mask = vqvae.encode(X[:3]), np.zeros((4, 4))
    mask[:2] = 1
    again = fitted.prior.sample(3, seed=4, known=codes, mask=mask)
    np.testing.assert_array_equal(again[:, :2], codes[:, :2])
    images = fitted.sample(3, seed=4, known=codes, mask=mask)
    np.testing.assert_allclose(images, vqvae.decode(again), atol=1e-5)
    assert np.abs(fitted.sample(3, seed=4, temperature=0.5) - fitted.sample(3, seed=4)).max() > 1e-3


def test_a_saved_model_and_a_preset_sample_the_same(fitted, tmp_path):
    expected = fitted.sample(4, seed=3, top_p=0.9)
    fitted.save(tmp_path / "model.keras")
    keras_vae.save_pretrained(fitted, tmp_path / "preset", dataset="discs", licence="none", **FACTS)
    for loaded in (keras.saving.load_model(tmp_path / "model.keras"), keras_vae.load_pretrained(tmp_path / "preset")):
        np.testing.assert_allclose(loaded.sample(4, seed=3, top_p=0.9), expected, atol=1e-5)
        assert loaded.prior.net.filters == 8


@harness.needs("tensorflow")
def test_a_served_model_samples_what_the_live_one_does(fitted, tmp_path):
    from keras_vae.export import export_saved_model

    if harness.BACKEND != "tensorflow":
        pytest.skip("the draws of a seed are those of the backend")
    import tensorflow as tf

    served = tf.saved_model.load(str(export_saved_model(fitted, tmp_path / "m" / "1"))).signatures["sample"]
    seeds = np.array([7, 8, 7], "int32")
    found = {key: value.numpy() for key, value in served(seed=tf.constant(seeds)).items()}
    live = harness.numpy(fitted.signatures()["sample"].function(seed=tf.constant(seeds)))
    np.testing.assert_array_equal(found["indices"], live["indices"])
    np.testing.assert_allclose(found["images"], live["images"], atol=1e-5)
    np.testing.assert_array_equal(found["indices"][0], found["indices"][2])
    assert (found["indices"][0] != found["indices"][1]).any()


def test_refused(vqvae, fitted):
    harness.check_refuses(
        lambda: vqvae.with_prior(codes_prior(K + 1)), "`prior` must be over the codes of `bottleneck`"
    )
    other = codes_prior()
    other.build((None, 4, 5))
    harness.check_refuses(lambda: vqvae.with_prior(other), r"`prior` must be over latents of shape \(4, 4\)")
    assert other.condition is None
    harness.check_refuses(lambda: vqvae.with_prior(codes_prior()).sample(), "has not been trained")
    harness.check_refuses(
        lambda: vqvae.sample(1, temperature=0.5), "`temperature` of `sample` is for priors", TypeError
    )
    harness.check_refuses(lambda: fitted.sample(1, top_k=0), "`top_k` must be")
    harness.check_refuses(lambda: fitted.decode(np.full((1, 4, 4), K)), "must be codes in")
