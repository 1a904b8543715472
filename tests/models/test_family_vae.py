"""A VAE with any family in any place: it trains, says mean, mode and draws of its latents, and keeps its bound."""

import keras
import numpy as np
import pytest
from scipy import stats

import harness
import keras_vae
from keras_vae.distributions import FAMILIES
from keras_vae.likelihoods import FamilyLikelihood
from keras_vae.ops import draw_noise
from keras_vae.testing import check_mixed_precision, check_model

X = harness.images(8, size=4)
OURS = sorted(name for name, cls in FAMILIES.items() if cls.__module__.startswith("keras_vae."))


def vae(posterior, prior, likelihood=None, latent_dim=3, options=None, **kwargs):
    likelihood = likelihood or keras_vae.BernoulliLikelihood()
    return keras_vae.VAE(
        keras_vae.MLPEncoder((6,), "tanh"),
        keras_vae.MLPDecoder(likelihood.params_shape((4, 4, 1)), (6,), "tanh"),
        bottleneck=keras_vae.Reparameterised(posterior, latent_dim, options, seed=1),
        prior=prior,
        likelihood=likelihood,
        **kwargs,
    )


def gamma():
    return vae("Gamma", keras_vae.FamilyPrior("Gamma", concentration=[2.0, 1.0, 0.5]), FamilyLikelihood("Beta"))


def vectors():
    likelihood = FamilyLikelihood("Laplace", {"scale": 0.3})
    return vae("EllipticalStudentT", keras_vae.FamilyPrior("Normal"), likelihood, options={"rank": 1})


def simplex():
    prior = keras_vae.FamilyPrior("Dirichlet", concentration=0.7)
    return vae("Dirichlet", prior, FamilyLikelihood("StudentT"))


@pytest.mark.parametrize("make", [gamma, vectors, simplex])
def test_keeps_every_promise_of_a_model(make, tmp_path):
    check_model(make, X, tmp_path, serving=harness.BACKEND != "jax")


def test_half_precision_leaves_its_densities_alone():
    check_mixed_precision(gamma, X, None, "mixed_float16")


# A density on an interval that a network moves is no prior of another one, and no likelihood of data outside.
PLACES = {name: ("Normal", "Laplace") for name in ("Uniform", "Triangular")}
PLACES["Dirichlet"] = ("Dirichlet", "Laplace")  # one channel has no shares


@pytest.mark.parametrize("name", OURS)
def test_any_family_in_any_place_takes_a_step(name):
    prior, likelihood = PLACES.get(name, (name, name))
    model = vae(name, keras_vae.FamilyPrior(prior), FamilyLikelihood(likelihood))
    # JAX compiles an eager step operation by operation, which takes five times as long as the whole.
    model.compile(keras.optimizers.SGD(1e-3), run_eagerly=harness.BACKEND != "jax")
    model.build((None, 4, 4, 1))
    before = harness.weights(model)
    logs = model.train_on_batch(X, return_dict=True)
    assert all(np.isfinite(value) for value in logs.values())
    assert logs["elbo"] == pytest.approx(-(logs["distortion"] + logs["rate"]), rel=1e-5, abs=1e-4)
    pairs = zip(before, harness.weights(model), strict=True)
    moved = {path for (path, one), (_, other) in pairs if (one != other).any()}
    assert {weight.path for weight in model.trainable_weights} <= moved


@pytest.mark.parametrize("name", ["Uniform", "Triangular"])
def test_an_interval_is_a_prior_of_what_lies_inside(name):
    prior = keras_vae.FamilyPrior(name, loc=-0.5, scale=2.0)
    model = vae("Beta", prior)
    model.build((None, 4, 4, 1))
    noise = draw_noise(model.bottleneck.noise_spec((3,)), np.random.default_rng(0), (8,))

    def rate(x):
        posterior = model.posterior(x)
        return model.prior.rate(posterior, posterior.sample_from(noise))

    assert np.isfinite(harness.numpy(harness.compiled(rate)(X))).all()
    assert model.sample(4, seed=0).shape == (4, 4, 4, 1)


@pytest.mark.parametrize("name", ["Gamma", "LogNormal", "Gumbel", "Beta"])
def test_encode_gives_the_mean_the_mode_and_draws(name):
    model = vae(name, keras_vae.FamilyPrior(name))
    model.build((None, 4, 4, 1))
    harness.set_weights(model)
    posterior = model.encode(X, output="distribution")
    values = {key: harness.numpy(getattr(posterior, key)).astype("float64") for key in posterior.names}
    frozen = {
        "Gamma": lambda concentration, scale: stats.gamma(concentration, 0, scale),
        "LogNormal": lambda loc, scale: stats.lognorm(scale, 0, np.exp(loc)),
        "Gumbel": stats.gumbel_r,
        "Beta": stats.beta,
    }[name](**values)
    np.testing.assert_allclose(model.encode(X, output="mean"), frozen.mean(), rtol=1e-5)
    mode = model.encode(X, output="mode")
    np.testing.assert_array_equal(mode, model.encode(X))
    inside = (mode > 1e-3) & (mode < (0.98 if name == "Beta" else np.inf))
    with np.errstate(all="ignore"):
        around = np.maximum(frozen.logpdf(mode * 1.02), frozen.logpdf(mode * 0.98))
    assert (frozen.logpdf(mode) >= around)[inside].all()
    draws = np.stack([model.encode(X, output="sample", seed=seed) for seed in range(200)])
    assert stats.kstest(frozen.cdf(draws.astype("float64")).ravel(), "uniform").pvalue > 1e-3


def test_a_laplace_vae_is_the_gaussian_one_with_another_noise():
    """The same head, the rate of its own prior in closed form, and what a client of the served model sees."""
    model = vae("Laplace", keras_vae.FamilyPrior("Laplace", scale=2.0))
    model.build((None, 4, 4, 1))
    harness.set_weights(model)
    outputs = model(X)
    q_loc, q_scale = harness.numpy(outputs["z_loc"]), harness.numpy(outputs["z_scale"])
    distance = np.abs(q_loc)
    expected = distance / 2 + q_scale / 2 * np.exp(-distance / q_scale) - 1 + np.log(2 / q_scale)
    np.testing.assert_allclose(harness.numpy(model.rate(outputs)), expected.sum(axis=1), rtol=1e-5)
    each = harness.numpy(model.prior.elementwise_rate(model.posterior(X), outputs["z"]))
    np.testing.assert_allclose(each, expected, rtol=1e-4)
    served = model.signatures()["encode"].function(images=keras.ops.convert_to_tensor(X))
    assert sorted(served) == ["z", "z_loc", "z_scale"]


def test_a_prior_must_reach_wherever_the_posterior_draws():
    harness.check_refuses(
        lambda: vae("Normal", keras_vae.FamilyPrior("Gamma")), r"`prior` must be a density wherever .* on \(0, inf\)"
    )
    harness.check_refuses(
        lambda: keras_vae.VAE(
            keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4,), ()), 2, prior=keras_vae.FamilyPrior("Beta")
        ),
        r"`prior` must be a density .* Received: a FamilyPrior on \(0, 1\)",
    )
    vae("Beta", keras_vae.FamilyPrior("Exponential"))
    vae("Gamma", keras_vae.StandardNormal())
