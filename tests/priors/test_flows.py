"""Autoregressive flows, as posterior and as prior: volumes against the Jacobian, inverses, densities and models."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

import harness
import keras_vae
import reference
from densities import check_gradients, draws
from keras_vae.distributions import Flow, Normal
from small_models import SHAPE, small

RNG = np.random.default_rng(0)
X = (harness.images(32) > 0.5).astype("float32")
Z, CONTEXT = RNG.normal(size=(6, 4)).astype("float32"), RNG.normal(size=(6, 3)).astype("float32")
MEAN, LOG_VAR = RNG.normal(size=(6, 4)).astype("float32"), RNG.uniform(-2, 1, (6, 4)).astype("float32")


@pytest.fixture(scope="module")
def flow():
    layer = keras_vae.AutoregressiveFlow(num_steps=3, units=(16, 12))
    layer.build((None, 4), (None, 3))
    return harness.set_weights(layer)


@pytest.fixture(scope="module")
def posterior(flow):
    return Flow(Normal(MEAN, LOG_VAR), flow, CONTEXT)


def jacobian(function, x):
    """d function_j / dx_i of a function of a batch, at one x: [i, j]."""
    return harness.derivatives(function, x, np.eye(len(x)))


def repeated(context, rows):
    return ops.repeat(ops.convert_to_tensor(context[None]), rows, axis=0)


@pytest.mark.parametrize("units", [(16,), (3, 9), (1,)])
def test_outputs_of_a_made_see_earlier_inputs_alone(units):
    net = keras_vae.MADE(units, outputs=2)
    net.build((None, 5), (None, 3))
    harness.set_weights(net)
    slopes = jacobian(lambda x: net(x, repeated(CONTEXT[0], 5)), np.float32([0.3, -1.0, 0.5, 2.0, 0.1]))  # [i, d, out]
    seen = np.abs(slopes).max(axis=-1) > 0
    assert not np.tril(seen).any()  # output d of input i <= d
    if units == (16,):
        assert seen[np.triu_indices(5, 1)].all()
    of_context = jacobian(lambda c: net(repeated(np.ones(5, "float32"), 3), c), CONTEXT[0])
    assert (np.abs(of_context).max(axis=(0, 2)) > 0).all()  # the first one too, which sees no input


def test_the_volume_is_the_determinant_of_the_jacobian(flow):
    _, log_det = flow.transform(Z, CONTEXT)
    for row in range(2):
        slopes = jacobian(lambda z, row=row: flow.transform(z, repeated(CONTEXT[row], 4))[0], Z[row])
        expected = np.linalg.slogdet(slopes.astype("float64"))[1]
        assert harness.numpy(log_det)[row] == pytest.approx(expected, rel=1e-4)


def test_the_inverse_takes_back(flow):
    value, _ = flow.transform(Z, CONTEXT)
    np.testing.assert_allclose(harness.numpy(flow.inverse(value, CONTEXT)), Z, atol=1e-4)
    again, _ = flow.transform(flow.inverse(Z, CONTEXT), CONTEXT)
    np.testing.assert_allclose(harness.numpy(again), Z, atol=1e-4)


def test_a_new_flow_is_nearly_linear():
    layer = keras_vae.AutoregressiveFlow(num_steps=1, units=(16,))
    layer.build((None, 4))
    value, log_det = layer.transform(Z)
    gate = 1 / (1 + np.exp(-2.0))  # open
    np.testing.assert_allclose(harness.numpy(value), gate * Z, atol=0.1)
    np.testing.assert_allclose(harness.numpy(log_det), 4 * np.log(gate), atol=0.1)


# as a posterior


def test_the_density_of_a_draw_is_that_of_its_noise_over_the_volume(posterior, flow):
    z = posterior.sample_from(Z)
    start = MEAN + np.exp(LOG_VAR / 2) * Z
    expected = reference.normal_log_prob(start, MEAN, np.exp(LOG_VAR / 2))
    expected = expected - harness.numpy(flow.transform(start, CONTEXT)[1])
    np.testing.assert_allclose(harness.numpy(posterior.log_prob(z)), expected, rtol=1e-4)
    by_inverse = posterior.log_prob(harness.numpy(z))  # another tensor: not known as the draw
    np.testing.assert_allclose(harness.numpy(by_inverse), expected, rtol=1e-3, atol=1e-3)


def test_the_density_integrates_to_one():
    layer = keras_vae.AutoregressiveFlow(num_steps=2, units=(8,))
    layer.build((None, 2))
    harness.set_weights(layer, seed=3)
    axis = np.linspace(-8, 8, 161, dtype="float32")
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    q = Flow(Normal(np.zeros((1, 2), "float32"), 0.0), layer)
    assert np.exp(harness.numpy(q.repeat(len(grid)).log_prob(grid))).sum() * 0.1**2 == pytest.approx(1.0, abs=1e-3)


def test_every_value_under_every_member(posterior):
    values = Z[:3]
    got = harness.numpy(posterior.pairwise_log_prob(values))
    each = [harness.numpy(posterior.log_prob(np.repeat(value[None], 6, axis=0))) for value in values]
    np.testing.assert_allclose(got, each, rtol=1e-4)


def test_mean_and_mode_are_what_they_say(posterior):
    many = harness.numpy(posterior.repeat(4000).sample_from(RNG.normal(size=(24_000, 4)).astype("float32")))
    many = many.reshape(6, 4000, 4)
    assert (np.abs(harness.numpy(posterior.mean) - many.mean(axis=1)) < 4 * many.std(axis=1) / 8).all()
    np.testing.assert_allclose(
        harness.numpy(posterior.mode), harness.numpy(posterior.sample_from(np.zeros_like(Z))), rtol=1e-5, atol=1e-6
    )


def iaf_vae(prior=None):
    keras.utils.set_random_seed(0)
    bottleneck = keras_vae.InverseAutoregressiveFlow(2, keras_vae.AutoregressiveFlow(2, (8,)), context_dim=4)
    nets = keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder(SHAPE, (16,))
    model = keras_vae.VAE(*nets, bottleneck=bottleneck, prior=prior)
    model.build((None, *SHAPE))
    return model


def test_a_vae_learns_its_flow_and_keeps_it(tmp_path):
    model = iaf_vae()
    model.compile(keras.optimizers.Adam(0.01))
    before = harness.weights(model.bottleneck)
    history = model.fit(X, batch_size=16, epochs=12, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert len(harness.changed(before, harness.weights(model.bottleneck))) >= 2 + 2 * 5  # head, two nets
    bound, nats = (model.log_likelihood(X, num_samples=n, seed=0).mean() for n in (1, 200))
    assert bound < nats < 0
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.encode(X[:4], output="mean"), model.encode(X[:4], output="mean"), atol=1e-5)
    noise = np.random.default_rng(2).standard_normal((4, 2), dtype="float32")
    drawn = model.encode(X[:4], output="distribution").sample_from(noise)
    np.testing.assert_allclose(loaded.encode(X[:4], output="sample", seed=2), harness.numpy(drawn), atol=1e-5)


def test_the_rate_knows_the_draw_and_agrees_with_the_inverse():
    model = harness.set_weights(iaf_vae())
    outputs = model(X[:4])
    posterior = model.bottleneck.posterior(outputs)
    assert posterior.known[0] is outputs["z"]
    z = harness.numpy(outputs["z"])
    expected = harness.numpy(posterior.log_prob(z)) - reference.normal_log_prob(z, 0.0, 1.0)
    np.testing.assert_allclose(harness.numpy(model.rate(outputs)), expected, rtol=1e-3, atol=1e-3)


def test_a_vamp_prior_is_made_of_flows_too():
    model = harness.set_weights(iaf_vae(keras_vae.VampPrior(3)))
    each = model.encode(harness.numpy(model.prior.pseudo_inputs()), output="distribution")
    pairs = harness.numpy(each.pairwise_log_prob(Z[:, :2])).astype("float64")
    expected = np.log(np.exp(pairs).mean(axis=1))
    np.testing.assert_allclose(harness.numpy(model.prior.log_prob(Z[:, :2])), expected, rtol=1e-4)
    model.compile("adam")
    before = harness.weights(model.prior)
    model.fit(X, batch_size=16, verbose=0)  # through the inverse, compiled
    assert harness.changed(before, harness.weights(model.prior))


# as a prior


@pytest.fixture(scope="module")
def prior():
    made = keras_vae.AutoregressiveFlowPrior(keras_vae.AutoregressiveFlow(2, (16,)))
    made.build((None, 4))
    return harness.set_weights(made)


def test_the_prior_scores_by_change_of_variables(prior):
    def noise_of(z):
        return prior.flow.transform(z)[0]

    noise = harness.numpy(noise_of(Z))
    log_det = [np.linalg.slogdet(jacobian(noise_of, z).astype("float64"))[1] for z in Z[:2]]
    expected = stats.norm.logpdf(noise[:2]).sum(axis=1) + log_det
    np.testing.assert_allclose(harness.numpy(prior.log_prob(Z[:2])), expected, rtol=1e-4)


def test_draws_of_the_prior_become_its_noise(prior):
    z = draws(prior, 500, (4,), seed=1)
    noise = np.random.default_rng(1).standard_normal((500, 4), dtype="float32")
    np.testing.assert_allclose(harness.numpy(prior.flow.transform(z)[0]), noise, atol=1e-3)
    np.testing.assert_allclose(prior.sample(500, seed=1), z, atol=1e-4)


def test_gradients_reach_every_net_of_the_prior(prior):
    z = ops.convert_to_tensor(Z)
    check_gradients(lambda: ops.sum(prior.log_prob(z)), [step.kernels[0] for step in prior.flow.steps])


def test_a_prior_learns_with_its_vae_or_afterwards(tmp_path):
    nets = keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder(SHAPE, (16,))
    keras.utils.set_random_seed(0)
    prior = keras_vae.AutoregressiveFlowPrior(keras_vae.AutoregressiveFlow(1, (8,)))
    model = keras_vae.VAE(*nets, latent_dim=2, prior=prior)
    model.compile(keras.optimizers.Adam(0.01))
    history = model.fit(X, batch_size=16, epochs=12, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.sample(5, seed=3), model.sample(5, seed=3), atol=1e-5)

    generator = small("plain").with_prior(keras_vae.AutoregressiveFlowPrior(keras_vae.AutoregressiveFlow(1, (8,))))
    harness.check_refuses(lambda: generator.sample(2), "AutoregressiveFlowPrior has not been trained")
    history = generator.fit_prior(X, epochs=5, batch_size=16, optimizer=keras.optimizers.Adam(0.02), verbose=0).history
    assert history["rate"][-1] < history["rate"][0]
    assert generator.sample(3, seed=0).shape == (3, *SHAPE)


def test_refusals():
    harness.check_refuses(lambda: keras_vae.MADE(()), "`units` must be a sequence of 1 or more integers")
    harness.check_refuses(lambda: keras_vae.MADE((4,)).build((None, 2, 2)), "MADE takes vectors")
    harness.check_refuses(lambda: keras_vae.AutoregressiveFlow(0), "`num_steps` must be an integer >= 1")
    make = keras_vae.InverseAutoregressiveFlow
    harness.check_refuses(lambda: make(2, flow="flow"), "`flow` must be a keras_vae AutoregressiveFlow", TypeError)
    harness.check_refuses(lambda: make(2, context_dim=0), "`context_dim` must be an integer >= 1")
    harness.check_refuses(lambda: make(2).build((None, 3, 3, 2)), "takes vectors of features")
    prior = keras_vae.AutoregressiveFlowPrior()
    harness.check_refuses(lambda: prior.build((None, 2, 2, 3)), "AutoregressiveFlowPrior is over vectors")
