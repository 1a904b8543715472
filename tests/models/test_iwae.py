"""The importance-weighted bound of k draws and its three gradients, against a model whose answers are known."""

from unittest import mock

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

import harness
import keras_vae
from toys import Told

STDDEV, WEIGHTS, TARGET = 0.6, np.array([[0.9, -0.5]]), np.array([1.2, 0.3])  # z ~ N(0, 1), x ~ N(z WEIGHTS, STDDEV^2)
PRECISION = 1 + np.square(WEIGHTS).sum() / STDDEV**2
EXACT = np.array([float((WEIGHTS @ TARGET)[0]) / STDDEV**2 / PRECISION, -np.log(PRECISION)])  # mean, log_var of p(z|x)
EVIDENCE = stats.multivariate_normal(np.zeros(2), np.eye(2) * STDDEV**2 + WEIGHTS.T @ WEIGHTS).logpdf(TARGET)
COUNT = 20_000  # examples, in every test: JAX compiles each shape anew
WRONG = EXACT + [0.5, 0.7]  # of a q that is not the posterior


def toy(num_samples, estimator="iwae", cls=keras_vae.IWAE):
    decoder = keras.layers.Dense(2, use_bias=False)
    extra = {} if cls is keras_vae.VAE else {"estimator": estimator}
    likelihood = keras_vae.GaussianLikelihood(STDDEV)
    parts = {"bottleneck": Told(), "likelihood": likelihood, "num_samples": num_samples}
    model = cls(keras.layers.Identity(), decoder, **parts, **extra)
    model.build((None, 2))
    decoder.kernel.assign(WEIGHTS)
    return model


def terms(model, parameters, training=False):
    y = ops.convert_to_tensor(np.broadcast_to(TARGET, parameters.shape).astype("float32"))
    return model.terms(parameters, y, model(parameters, training=training), training)


def rows(parameters, count=COUNT):
    return np.repeat(np.asarray([parameters], "float32"), count, axis=0)


def expected_bound(k, parameters, nodes=48):
    """E[log (w_1 + ... + w_k) / k] for k = 1 or 2, by quadrature."""
    e, weight = np.polynomial.hermite_e.hermegauss(nodes)
    weight = weight / weight.sum()
    z = parameters[0] + np.exp(parameters[1] / 2) * e
    log_x = stats.norm.logpdf(TARGET, z[:, None] @ WEIGHTS, STDDEV).sum(axis=1)
    log_w = log_x + stats.norm.logpdf(z) - stats.norm.logpdf(e) + parameters[1] / 2
    if k == 1:
        return weight @ log_w
    return weight @ (np.logaddexp(log_w[:, None], log_w[None]) - np.log(2)) @ weight


def expected_gradient(k, parameters):
    """Of the loss, minus the bound."""
    steps = 1e-4 * np.eye(2)
    return np.array([-(expected_bound(k, parameters + s) - expected_bound(k, parameters - s)) / 2e-4 for s in steps])


def gradients(num_samples, estimator, parameters):
    """One estimate of d loss / d (mean, log_var) of each of `COUNT` rows."""
    model = toy(num_samples, estimator)
    return harness.gradient(lambda x: terms(model, x, training=True)["loss"], rows(parameters)).astype("float64")


def standard_error(values):
    return values.std(axis=0) / np.sqrt(len(values))


def test_with_the_exact_posterior_every_draw_gives_the_evidence():
    got = harness.numpy(terms(toy(8), rows(EXACT)))
    np.testing.assert_allclose(got["iwae_bound"], EVIDENCE, rtol=1e-5)
    np.testing.assert_allclose(got["loss"], -got["iwae_bound"], rtol=1e-6)


def test_one_draw_is_the_elbo_and_more_are_tighter():
    """Within three standard errors: IWAE(1) = ELBO, IWAE(2) as by quadrature, and the bound rises with k."""
    bounds = {}
    for k in (1, 2, 8):
        got = harness.numpy(terms(toy(k), rows(WRONG)))
        bounds[k] = got["iwae_bound"].mean(), standard_error(got["iwae_bound"])
        elbo = got["elbo"].mean()
        assert abs(elbo - expected_bound(1, WRONG)) < 3 * standard_error(got["elbo"])  # whatever k is
    for k in (1, 2):
        assert abs(bounds[k][0] - expected_bound(k, WRONG)) < 3 * bounds[k][1]
    for low, high in ((1, 2), (2, 8)):
        assert bounds[high][0] - bounds[low][0] > 3 * np.hypot(bounds[high][1], bounds[low][1])
    assert bounds[8][0] < EVIDENCE and EVIDENCE - bounds[8][0] < 0.1


@pytest.mark.parametrize("k, estimator", [(1, "iwae"), (1, "stl"), (2, "iwae"), (2, "dreg")])
def test_the_gradient_is_unbiased(k, estimator):
    got = gradients(k, estimator, WRONG)
    assert (np.abs(got.mean(axis=0) - expected_gradient(k, WRONG)) < 3 * standard_error(got)).all()


def test_stl_is_biased_for_more_than_one_draw():
    got = gradients(2, "stl", WRONG)
    assert (np.abs(got.mean(axis=0) - expected_gradient(2, WRONG)) > 6 * standard_error(got)).any()


@pytest.mark.parametrize("k, estimator", [(1, "stl"), (2, "dreg"), (2, "stl")])
def test_the_variance_is_lower_near_the_posterior_and_zero_at_it(k, estimator):
    near = EXACT + [0.05, 0.05]
    plain, other = (gradients(k, name, near).var(axis=0) for name in ("iwae", estimator))
    assert (other < 0.1 * plain).all()
    assert gradients(k, estimator, EXACT).var() < 1e-8


def test_with_more_draws_dreg_tells_more_and_the_plain_gradient_less():
    """Rainforth et al. 2018: the ratio of mean and standard deviation of one estimate falls with k, and need not."""
    ratios = {}
    for k, name in ((2, "iwae"), (8, "iwae"), (2, "dreg"), (8, "dreg")):
        got = gradients(k, name, WRONG)
        ratios[k, name] = np.abs(got.mean(axis=0)) / got.std(axis=0)
    assert (ratios[8, "iwae"] < ratios[2, "iwae"]).all()
    assert (ratios[8, "dreg"] > 2 * ratios[8, "iwae"]).all()


def test_decoder_and_likelihood_learn_the_same_from_each_estimator():
    x, moved = harness.images(6), []
    for estimator in ("iwae", "stl", "dreg"):
        model = keras_vae.IWAE(
            keras_vae.MLPEncoder((5,), "tanh"),
            keras_vae.MLPDecoder((8, 8, 1), (5,), "tanh"),
            bottleneck=keras_vae.GaussianBottleneck(2, seed=3),
            likelihood=keras_vae.SharedVarianceGaussianLikelihood(),
            num_samples=4,
            estimator=estimator,
        )
        model.build((None, 8, 8, 1))
        harness.set_weights(model)
        model.compile(keras.optimizers.SGD(1e-3))
        model.train_on_batch(x)
        moved.append([harness.weights(part) for part in (model.decoder, model.likelihood, model.encoder)])
    for other in moved[1:]:
        for one, two in zip(moved[0][:2], other[:2], strict=True):
            harness.assert_close([v for _, v in two], [v for _, v in one], rtol=1e-4, atol=1e-6)
        different = [np.abs(a - b).max() for (_, a), (_, b) in zip(moved[0][2], other[2], strict=True)]
        assert max(different) > 1e-6


def test_the_weights_are_those_of_log_likelihood_with_a_condition_too():
    model = keras_vae.IWAE(
        keras_vae.Conditioned(keras_vae.MLPEncoder((5,), "tanh"), flatten=True),
        keras_vae.Conditioned(keras_vae.MLPDecoder((8, 8, 1), (5,), "tanh")),
        latent_dim=2,
        num_samples=3,
        condition=keras_vae.ClassCondition(4),
        prior=keras_vae.ConditionalNormal(2),
    )
    model.build((None, 8, 8, 1))
    harness.set_weights(model)
    x = {"x": harness.images(4), "condition": np.arange(4, dtype="int32")}
    outputs = model(x)
    stddev = np.exp(harness.numpy(outputs["z_log_var"]) / 2)[:, None]
    noise = (harness.numpy(outputs["draws"]["z"]) - harness.numpy(outputs["z_mean"])[:, None]) / stddev
    log_weights = harness.numpy(model.log_weights_tensors(x, ops.convert_to_tensor(noise)))
    for estimator in ("iwae", "dreg"):
        model.estimator = estimator
        got = harness.numpy(model.terms(x["x"], x["x"], outputs, True))
        expected = np.logaddexp.reduce(log_weights, axis=1) - np.log(3)
        np.testing.assert_allclose(got["iwae_bound"], expected, rtol=1e-5)


def test_it_goes_on_from_the_weights_of_a_vae(tmp_path):
    nets = lambda: (keras_vae.MLPEncoder((5,)), keras_vae.MLPDecoder((8, 8, 1), (5,)))  # noqa: E731
    x, vae, iwae = harness.images(4), keras_vae.VAE(*nets(), 2), keras_vae.IWAE(*nets(), 2)
    for model in (vae, iwae):
        model.build((None, 8, 8, 1))
    vae.save_weights(tmp_path / "vae.weights.h5")
    iwae.load_weights(tmp_path / "vae.weights.h5")
    np.testing.assert_array_equal(iwae.log_likelihood(x, num_samples=4), vae.log_likelihood(x, num_samples=4))


class SequenceIWAE(keras_vae.IWAE):
    masked = True


def test_what_is_behind_the_end_of_a_sequence_counts_for_nothing():
    model = SequenceIWAE(keras.layers.Dense(3), keras.layers.Dense(2), latent_dim=1, num_samples=3, estimator="dreg")
    model.build((None, 5, 2))
    harness.set_weights(model)
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], "float32")
    x = np.random.default_rng(0).integers(0, 2, (2, 5, 2)).astype("float32")
    got = []
    for data in (x, np.where(mask[..., None] > 0, x, 1 - x)):
        model.bottleneck.seed_generator.state.assign(np.array([3, 0]))
        outputs = model({"x": data, "mask": mask})
        got.append(harness.numpy(model.terms(data, data, {**outputs, "mask": mask > 0}, True)))
    np.testing.assert_allclose(got[0]["iwae_bound"], got[1]["iwae_bound"], rtol=1e-6)
    assert got[0]["iwae_bound"].shape == (2,) and got[0]["rate"][0] != got[0]["rate"][1]


def test_several_draws_of_a_vae_are_averaged():
    """Each term is the mean over the draws, none of them the same, and the encoder sees each example once."""
    model, count = toy(8, cls=keras_vae.VAE), COUNT
    outputs = model(rows(WRONG))
    z = harness.numpy(outputs["draws"]["z"])  # (batch, draws, 1)
    assert z.shape == (count, 8, 1) and outputs["z_mean"].shape == (count, 1)
    assert len(np.unique(z)) > 0.95 * z.size
    np.testing.assert_array_equal(harness.numpy(outputs["z"]), z[:, 0])
    y = np.broadcast_to(TARGET, (count, 2)).astype("float32")
    got = harness.numpy(model.terms(y, y, outputs, True))
    distortion = -stats.norm.logpdf(TARGET, z @ WEIGHTS, STDDEV).sum(axis=-1).mean(axis=1)
    np.testing.assert_allclose(got["distortion"], distortion, rtol=1e-4)
    np.testing.assert_allclose(got["loss"], got["distortion"] + got["rate"], rtol=1e-6)
    one = harness.numpy(terms(toy(1, cls=keras_vae.VAE), rows(WRONG)))
    np.testing.assert_allclose(got["rate"], one["rate"], rtol=1e-5)
    assert one["distortion"].var() / got["distortion"].var() == pytest.approx(8, rel=0.1)


def test_bad_arguments():
    nets = lambda: (keras_vae.MLPEncoder((5,)), keras_vae.MLPDecoder((4,), ()), 2)  # noqa: E731
    harness.check_refuses(lambda: keras_vae.IWAE(*nets(), num_samples=0), "`num_samples` must be an integer >= 1")
    harness.check_refuses(lambda: keras_vae.VAE(*nets(), num_samples=0), "`num_samples` must be an integer >= 1")
    harness.check_refuses(lambda: keras_vae.IWAE(*nets(), estimator="path"), "`estimator` must be one of 'iwae'")
    likelihood = keras_vae.SquaredError()
    harness.check_refuses(lambda: keras_vae.IWAE(*nets(), likelihood=likelihood), "`likelihood` must be a density")


@pytest.mark.parametrize("cls, estimator", [(keras_vae.VAE, None), (keras_vae.IWAE, "iwae"), (keras_vae.IWAE, "stl")])
def test_the_density_of_a_flows_own_draws_takes_no_inversion(cls, estimator):
    """But for STL, whose q has no gradient where the draw has one: there the two are not the same."""
    flow = keras_vae.AutoregressiveFlow(num_steps=2, units=(8,))
    bottleneck = keras_vae.InverseAutoregressiveFlow(3, flow=flow, context_dim=4, seed=2)
    nets = keras_vae.MLPEncoder((6,), "tanh"), keras_vae.MLPDecoder((4, 4, 1), (6,), "tanh")
    model = cls(*nets, bottleneck=bottleneck, num_samples=3, **({"estimator": estimator} if estimator else {}))
    model.build((None, 4, 4, 1))
    harness.set_weights(model)
    x = harness.images(5, size=4)
    outputs = model(x, training=True)
    with mock.patch.object(flow, "inverse", wraps=flow.inverse) as inverse:
        rows = model.rows(outputs)
        got = harness.numpy(model.log_posterior(rows))
        harness.gradient(lambda x: model.terms(x, x, model(x, training=True), True)["loss"], x)
        assert bool(inverse.call_count) == (estimator == "stl")
    apart = {name: part for name, part in rows.items() if name not in ("drawn", "base")}
    np.testing.assert_allclose(got, harness.numpy(model.log_posterior(apart)), rtol=1e-4)
