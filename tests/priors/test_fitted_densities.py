"""Densities fitted to latents afterwards: against SciPy and scikit-learn, and the generators that they make."""

import sys

import keras
import numpy as np
import pytest
from scipy import stats

import harness
import keras_vae
from densities import draws
from keras_vae.testing import check_serving
from small_models import facts, small

RNG = np.random.default_rng(0)
CENTRES = np.array([[-3.0, 0.0, 1.0], [0.0, 3.0, -1.0], [3.0, -3.0, 0.0]])
FACTORS = 0.5 * RNG.normal(size=(3, 3, 3))
WHICH = RNG.choice(3, 600, p=[0.2, 0.3, 0.5])
Z = (CENTRES[WHICH] + np.einsum("nij,nj->ni", FACTORS[WHICH], RNG.normal(size=(600, 3)))).astype("float32")
X = harness.images(64)


def test_a_gaussian_is_the_maximum_likelihood_fit():
    prior = keras_vae.FittedGaussian(regularization=0.0)
    history = prior.fit(Z[:500], validation_data=Z[500:]).history
    mean, covariance = Z[:500].mean(axis=0, dtype="float64"), np.cov(Z[:500].T.astype("float64"), bias=True)
    expected = stats.multivariate_normal.logpdf(Z.astype("float64"), mean, covariance)
    np.testing.assert_allclose(harness.numpy(prior.log_prob(Z)), expected, rtol=1e-4)
    assert history["loss"] == history["rate"] == [pytest.approx(-expected[:500].mean(), rel=1e-5)]
    assert history["val_rate"] == [pytest.approx(-expected[500:].mean(), rel=1e-5)]
    assert history["bits_per_dim"] == [pytest.approx(history["rate"][0] / (3 * np.log(2)), rel=1e-6)]
    z = draws(prior, 50_000, (3,))
    np.testing.assert_allclose(z.mean(axis=0), mean, atol=5 * np.sqrt(covariance.max() / len(z)))
    np.testing.assert_allclose(np.cov(z.T), covariance, atol=0.05 * covariance.max())


def test_a_density_that_is_fitted_again_scores_what_it_has_become():
    prior = keras_vae.FittedGaussian()
    for z in (Z[:300], 3.0 * Z[:70] + 5.0):  # the score is compiled for the first, and of other numbers of rows
        history = prior.fit(z, validation_data=z[:11]).history
        for key, part in (("rate", z), ("val_rate", z[:11])):
            assert history[key] == [pytest.approx(-harness.numpy(prior.log_prob(part)).mean(), rel=1e-5)]


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_a_mixture_scores_as_scikit_learn_does(covariance):
    sklearn = pytest.importorskip("sklearn.mixture")
    theirs = sklearn.GaussianMixture(3, covariance_type=covariance, random_state=5, max_iter=1000)
    theirs.fit(Z.astype("float64"))
    prior = keras_vae.FittedMixture(3, covariance=covariance, seed=5)
    history = prior.fit(Z).history
    expected = theirs.score_samples(Z.astype("float64"))
    np.testing.assert_allclose(harness.numpy(prior.log_prob(Z)), expected, rtol=1e-4, atol=1e-4)
    assert history["rate"] == [pytest.approx(-expected.mean(), rel=1e-5)]
    np.testing.assert_allclose(harness.numpy(prior.responsibilities(Z)), theirs.predict_proba(Z), atol=1e-4)


def test_draws_of_a_mixture_fall_to_its_components():
    pytest.importorskip("sklearn")
    prior = keras_vae.FittedMixture(3)
    prior.fit(Z)
    z = draws(prior, 20_000, (3,))
    shares = harness.numpy(prior.responsibilities(z)).mean(axis=0)
    np.testing.assert_allclose(shares, harness.numpy(prior.shares.value), atol=0.02)
    np.testing.assert_allclose(z.mean(axis=0), Z.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(np.cov(z.T), np.cov(Z.T), atol=0.2)


def test_latents_of_any_shape_and_latents_that_never_move():
    maps = np.zeros((50, 2, 2, 1), "float32")
    maps[:, 0, 0, 0] = RNG.normal(size=50)
    prior = keras_vae.FittedGaussian(regularization=1e-4)
    prior.fit(maps)
    z = draws(prior, 2000, (2, 2, 1))
    assert z.shape == (2000, 2, 2, 1) and z[:, 0, 0].std() == pytest.approx(maps[:, 0, 0].std(), rel=0.1)
    assert z[:, 1].std() == pytest.approx(0.01, rel=0.1)  # the root of the regularization
    harness.assert_finite(prior.log_prob(maps))


@pytest.fixture(scope="module")
def generator():
    model = small("plain").with_prior(keras_vae.FittedGaussian())
    harness.check_refuses(lambda: model.sample(2), "FittedGaussian has not been fitted")
    model.fit_prior(X, verbose=0)
    return model


def test_a_plain_autoencoder_becomes_a_generator(generator, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)  # which a fitted model does not need
    codes = generator.encode(X)
    np.testing.assert_allclose(harness.numpy(generator.prior.means.value)[0], codes.mean(axis=0), rtol=1e-4, atol=1e-5)
    z = draws(generator.prior, 5, (3,), seed=3)
    np.testing.assert_allclose(generator.sample(5, seed=3), generator.decode(z), atol=1e-5)
    generator.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.sample(5, seed=3), generator.sample(5, seed=3), atol=1e-6)
    preset = keras_vae.load_pretrained(keras_vae.save_pretrained(generator, tmp_path / "preset", **facts()))
    np.testing.assert_allclose(preset.sample(5, seed=3), generator.sample(5, seed=3), atol=1e-6)
    assert generator.previews == ("reconstructions", "samples", "traversal")
    if harness.BACKEND != "jax":  # where each signature is one more function to compile
        check_serving(generator)
        assert "sample" in generator.signatures()


def test_a_mixture_is_nearer_to_the_latents_of_a_vae_than_its_prior(vae):
    pytest.importorskip("sklearn")
    model = vae.with_prior(keras_vae.FittedMixture(2, regularization=1e-4))
    history = model.fit_prior(X, validation_data=X[:16], seed=1, verbose=0).history
    assert set(history) >= {"loss", "rate", "val_rate"}
    z = vae.encode(X, output="sample", seed=9)
    fitted, given = (harness.numpy(m.prior.log_prob(z)).mean() for m in (model, vae))
    assert fitted > given + 0.05
    assert history["rate"] == [pytest.approx(-fitted, abs=0.5)]  # of other draws


def test_refusals(generator, monkeypatch):
    harness.check_refuses(lambda: keras_vae.FittedGaussian(-1.0), "`regularization` must be a finite number >= 0")
    harness.check_refuses(lambda: keras_vae.FittedMixture(0), "`num_components` must be an integer >= 1")
    harness.check_refuses(lambda: keras_vae.FittedMixture(covariance="round"), "`covariance` must be one of 'full'")
    harness.check_refuses(lambda: keras_vae.FittedMixture(9).fit(Z[:8]), "`z` must hold at least 9 examples")
    constant = np.ones((8, 2), "float32")
    singular = keras_vae.FittedGaussian(0.0)
    harness.check_refuses(lambda: singular.fit(constant), "`regularization` must be larger")
    harness.check_refuses(lambda: generator.prior.fit(Z[:, :2]), "`z` must have shape")
    harness.check_refuses(lambda: generator.fit_prior(X, patience=1), "`patience` and `callbacks` must be left out")
    harness.check_refuses(lambda: small("vqvae").with_prior(keras_vae.FittedGaussian()), "`prior` must be one over")
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.delitem(sys.modules, "sklearn.mixture", raising=False)
    with pytest.raises(ImportError, match=r"Fitting a mixture to latents needs `sklearn`.*keras_vae\[viz\]"):
        keras_vae.FittedMixture(2).fit(Z)
