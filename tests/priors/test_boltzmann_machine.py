"""The restricted Boltzmann machine: against the sum over all states, and against its own draws; and in a model."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
import keras_vae
from densities import check_gradients, draws, gradients
from keras_vae.distributions import Bernoulli, Normal
from keras_vae.ops import boltzmann
from keras_vae.testing import check_model

RNG = np.random.default_rng(0)
X = (harness.images(16) > 0.5).astype("float32")
LARGE = (17, 17)  # beyond what is summed exactly


def machine(sizes, scale=1.0, seed=0, **options):
    """A built prior with couplings and biases of this scale; its chains know nothing of them."""
    rng = np.random.default_rng(seed)
    prior = keras_vae.BoltzmannMachine(sizes, seed=seed, **options)
    prior.build((None, sum(sizes)))
    prior.couplings.assign(scale * rng.normal(size=sizes))
    prior.biases.assign(scale * rng.normal(size=sum(sizes)))
    return prior


def states(n):
    return ((np.arange(2**n)[:, None] >> np.arange(n)) & 1).astype("float64")


def parts(prior):
    """W, c and d, float64."""
    couplings, biases = (harness.numpy(weight.value).astype("float64") for weight in (prior.couplings, prior.biases))
    return couplings, biases[: len(couplings)], biases[len(couplings) :]


def by_hand(prior):
    """Every state of a small machine and its probability, and log Z."""
    w, c, d = parts(prior)
    z = states(len(c) + len(d))
    a, b = z[:, : len(c)], z[:, len(c) :]
    logs = np.einsum("ni,ij,nj->n", a, w, b) + a @ c + b @ d
    log_z = np.logaddexp.reduce(logs)
    return z, np.exp(logs - log_z), log_z


def by_the_right_side(prior):
    """(log Z, E[a b^T]) of a larger machine, by every state of b."""
    w, c, d = parts(prior)
    b = states(len(d))
    logs = b @ d + np.logaddexp(0.0, b @ w.T + c).sum(axis=1)
    log_z = np.logaddexp.reduce(logs)
    return log_z, (np.exp(logs - log_z)[:, None] / (1.0 + np.exp(-b @ w.T - c))).T @ b


def log_z_of(prior):
    return float(harness.numpy(prior.current_log_partition()))


# exactly


@pytest.mark.parametrize("sizes", [(4, 4), (3, 5), (5, 3)])
def test_probabilities_of_all_states_sum_to_one(sizes):
    prior = machine(sizes)
    z, p, log_z = by_hand(prior)
    got = harness.numpy(prior.log_prob(z.astype("float32")))
    np.testing.assert_allclose(got, np.log(p), rtol=1e-5, atol=1e-5)
    assert np.exp(got.astype("float64")).sum() == pytest.approx(1.0, abs=1e-5)
    assert prior.exact_log_partition() == pytest.approx(log_z, rel=1e-6)
    assert prior.estimate_log_partition() == (prior.exact_log_partition(), 0.0)


def test_the_rate_of_independent_posteriors_is_exact():
    prior, logits = machine((4, 4)), 2 * RNG.normal(size=(5, 8)).astype("float32")
    z, p, _ = by_hand(prior)
    log_q = (z[None] * logits[:, None] - np.logaddexp(0.0, logits)[:, None]).sum(axis=-1)
    expected = (np.exp(log_q) * (log_q - np.log(p))).sum(axis=1)
    q, anything = Bernoulli(logits), np.zeros((5, 8), "float32")
    assert prior.has_closed_rate(q, anything) and not prior.has_closed_rate(Normal(logits, logits), anything)
    np.testing.assert_allclose(harness.numpy(prior.rate(q, anything)), expected, rtol=1e-4)
    np.testing.assert_allclose(harness.numpy(prior.elementwise_rate(q, anything))[:, 0], expected, rtol=1e-4)


def test_gradients_of_an_exact_machine():
    prior, z = machine((4, 3)), ops.convert_to_tensor((RNG.random((6, 7)) < 0.5).astype("float32"))
    check_gradients(lambda: ops.sum(prior.log_prob(z)), [prior.couplings, prior.biases])


def test_annealing_finds_the_exact_sum():
    prior = machine((10, 10))
    before = harness.weights(prior)
    estimate, error = prior.log_partition(400, 400, seed=1)
    assert 0 < error < 0.02
    assert abs(estimate - by_the_right_side(prior)[0]) < 3 * error
    again, fewer = prior.log_partition(400, 400, seed=1), prior.log_partition(400, 20, seed=1)
    assert again == (estimate, error) and fewer[1] > 2 * error
    harness.assert_same_weights(before, harness.weights(prior))


# draws


def test_draws_are_distributed_as_the_machine():
    prior, count = machine((3, 3), sweeps=40), 10_000
    z, p, _ = by_hand(prior)
    drawn = draws(prior, count, (6,))
    assert set(np.unique(drawn)) == {0.0, 1.0}
    found = np.bincount((drawn @ 2 ** np.arange(6)).astype(int), minlength=64)
    chi_squared = ((found - count * p) ** 2 / (count * p)).sum()
    assert chi_squared < 63 + 4 * np.sqrt(2 * 63)


def test_a_draw_is_block_gibbs_sampling_from_its_noise():
    prior, noise = machine((3, 4), sweeps=5), RNG.random((9, 5, 7)).astype("float32")
    assert prior.noise_spec((7,)).shape == (5, 7)
    (w, c, d), sigmoid = parts(prior), lambda x: 1 / (1 + np.exp(-x))
    b = np.broadcast_to(sigmoid(d), (9, 4))
    for i in range(5):
        a = (noise[:, i, :3] < sigmoid(b @ w.T + c)).astype("float64")
        b = (noise[:, i, 3:] < sigmoid(a @ w + d)).astype("float64")
    np.testing.assert_array_equal(harness.numpy(prior.sample_from(noise)), np.concatenate([a, b], axis=1))


# followed by chains


@pytest.fixture(scope="module")
def followed():
    """A machine whose weights grew from zero in five steps, each followed by an update."""
    prior = machine(LARGE, scale=0.0, num_chains=4000, sweeps_per_step=20)
    couplings, biases = 0.4 * RNG.normal(size=LARGE), 0.4 * RNG.normal(size=sum(LARGE))
    assert log_z_of(prior) == pytest.approx(34 * np.log(2.0), rel=1e-6)
    for step in range(1, 6):
        prior.couplings.assign(step / 5 * couplings)
        prior.biases.assign(step / 5 * biases)
        prior.update({})
    return prior


def test_chains_follow_log_z(followed):
    exact = by_the_right_side(followed)[0]
    assert exact - 34 * np.log(2.0) > 4  # a long way
    assert abs(log_z_of(followed) - exact) < 0.1


def test_chains_that_cannot_change_modes_are_resampled():
    prior = machine(LARGE, scale=0.0, num_chains=4000)
    for step in range(1, 6):  # all on or all off, at even odds
        prior.couplings.assign(np.full(LARGE, 0.1 * step))
        prior.biases.assign(np.full(34, -0.85 * step))
        prior.update({})
    for step in range(1, 6):  # and then on, at odds of e^6.8
        prior.biases.assign(np.full(34, -4.25 + 0.04 * step))
        prior.update({})
    assert (harness.numpy(prior.chains.value).mean(axis=1) > 0.5).mean() > 0.99
    assert abs(log_z_of(prior) - by_the_right_side(prior)[0]) < 0.3  # about two where they are not


def test_gradient_by_chains_is_that_of_log_z(followed):
    logits = RNG.normal(size=(1, 34)).astype("float32")
    q = Bernoulli(logits)
    (got,) = gradients(lambda: ops.sum(followed.rate(q, None)), [followed.couplings])
    means = 1 / (1 + np.exp(-logits[0]))
    expected = by_the_right_side(followed)[1] - np.outer(means[:17], means[17:])
    chains = harness.numpy(followed.chains.value)
    products = chains[:, :17, None] * chains[:, None, 17:]
    errors = (got - expected) / (products.std(axis=0) / np.sqrt(len(chains)))
    assert np.abs(errors).max() < 4.5 and np.sqrt((errors**2).mean()) < 1.25  # of 289 entries
    for direction in (np.ones(LARGE), np.sign(expected)):
        spread = (products * direction).sum(axis=(1, 2)).std() / np.sqrt(len(chains))
        assert abs(((got - expected) * direction).sum()) < 3 * spread


def test_between_updates_value_and_gradient_are_those_of_one_function(followed):
    kept = harness.numpy(followed.couplings.value).copy()
    followed.couplings.assign(kept + 0.02 * RNG.normal(size=LARGE))
    check_gradients(followed.current_log_partition, [followed.couplings, followed.biases])
    assert abs(log_z_of(followed) - by_the_right_side(followed)[0]) < 0.1
    followed.couplings.assign(kept)


def test_an_estimate_takes_the_place_of_the_followed_value():
    prior = machine(LARGE, scale=0.3, num_chains=8)
    exact = by_the_right_side(prior)[0]
    prior.followed_log_partition.assign_add(9.0)  # as if it had drifted
    assert abs(log_z_of(prior) - exact) > 1
    estimate, error = prior.estimate_log_partition(300, 300)
    assert error < 0.02 and abs(estimate - exact) < 3 * error
    assert log_z_of(prior) == pytest.approx(estimate, abs=1e-4)
    z = np.ones((1, 34), "float32")
    expected = sum(part.sum() for part in parts(prior)) - estimate
    assert float(harness.numpy(prior.log_prob(z))[0]) == pytest.approx(expected, abs=1e-3)


# in a model


def model_of(prior, latent_dim=34, **kwargs):
    nets = keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder(X.shape[1:], (16,))
    return keras_vae.DiscreteVAE(*nets, keras_vae.BernoulliBottleneck(latent_dim, seed=2), prior=prior, **kwargs)


def new_model():
    return model_of(keras_vae.BoltzmannMachine(sweeps=10, num_chains=256, seed=1))


@pytest.fixture(scope="module")
def fitted():
    keras.utils.set_random_seed(0)
    model = new_model()
    model.compile(keras.optimizers.Adam(0.01))
    model.build((None, *X.shape[1:]))
    before = harness.weights(model.prior)
    history = model.fit(X, batch_size=8, epochs=20, verbose=0).history
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert len(harness.changed(before, harness.weights(model.prior))) == 6  # two learn, four follow
    return model


def test_a_model_keeps_log_z_while_it_learns(fitted):
    couplings, biases = fitted.prior.weights_of_energy()
    exact = float(harness.numpy(boltzmann.log_partition(couplings, biases)))
    assert abs(exact - 34 * np.log(2.0)) > 0.2
    assert abs(log_z_of(fitted.prior) - exact) < 0.15


def test_chains_stay_where_nothing_is_trained(fitted):
    before = harness.weights(fitted.prior)
    fitted.evaluate(X, batch_size=8, verbose=0)
    fitted.sample(2, seed=0)
    fitted.log_likelihood(X, num_samples=5)
    harness.assert_same_weights(before, harness.weights(fitted.prior))
    outputs = fitted(X)
    terms = fitted.terms(X, X, outputs, False)
    harness.assert_same_weights(before, harness.weights(fitted.prior))
    fitted.prior.trainable = False
    fitted.update_state(outputs, terms)
    fitted.prior.trainable = True
    harness.assert_same_weights(before, harness.weights(fitted.prior))


def test_a_saved_model_goes_on_from_its_chains(fitted, tmp_path):
    fitted.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    harness.assert_same_weights(harness.weights(fitted.prior), harness.weights(loaded.prior))
    np.testing.assert_array_equal(loaded.sample(5, seed=3), fitted.sample(5, seed=3))
    z = draws(fitted.prior, 5, (34,), seed=3)
    np.testing.assert_allclose(fitted.sample(5, seed=3), fitted.decode(z), atol=1e-5)
    # Keras's files leave out the states of random seeds; those of `fit_resumable` do not.
    loaded.prior.seed_generator.state.assign(fitted.prior.seed_generator.state)
    for prior in (fitted.prior, loaded.prior):
        prior.update({})
    harness.assert_same_weights(harness.weights(fitted.prior), harness.weights(loaded.prior))


def test_the_laws_of_every_model(tmp_path):
    check_model(new_model, X[:8], tmp_path, serving=harness.BACKEND != "jax")


def test_mixed_precision_changes_nothing():
    z, q = (RNG.random((5, 34)) < 0.5).astype("float32"), Bernoulli(RNG.normal(size=(5, 34)).astype("float32"))
    expected = machine(LARGE, num_chains=8)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        prior = machine(LARGE, num_chains=8)
    finally:
        keras.config.set_dtype_policy("float32")
    for one in (expected, prior):
        one.update({})
    harness.assert_same_weights(harness.weights(expected), harness.weights(prior))
    assert {v.dtype for v in prior.variables if keras.backend.is_float_dtype(v.dtype)} == {"float32"}
    harness.assert_close((prior.log_prob(z), prior.rate(q, z)), (expected.log_prob(z), expected.rate(q, z)))


# refusals


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sizes": (3,)}, "`sizes` must be two integers"),
        ({"sizes": (3, 0)}, r"`sizes\[1\]` must be an integer >= 1"),
        ({"sweeps": 0}, "`sweeps` must be an integer >= 1"),
        ({"num_chains": 1}, "`num_chains` must be an integer >= 2"),
        ({"sweeps_per_step": 0}, "`sweeps_per_step` must be an integer >= 1"),
        ({"seed": -1}, "`seed` must be an integer >= 0"),
    ],
)
def test_arguments_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        keras_vae.BoltzmannMachine(**options)


def test_latents_that_do_not_fit():
    shape = (None, *X.shape[1:])
    with pytest.raises(ValueError, match="`sizes` must be given for an odd number of latents, 5"):
        model_of(keras_vae.BoltzmannMachine(), 5).build(shape)
    with pytest.raises(ValueError, match="`sizes` must add up to the number of latents, 6"):
        model_of(keras_vae.BoltzmannMachine((3, 4)), 6).build(shape)
    nets = keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder(X.shape[1:], (16,))
    categorical = keras_vae.CategoricalBottleneck(4, 3)
    with pytest.raises(ValueError, match="`prior` must be over one-hot latents, for a CategoricalBottleneck"):
        keras_vae.DiscreteVAE(*nets, categorical, prior=keras_vae.BoltzmannMachine()).build(shape)
    with pytest.raises(ValueError, match="takes vectors of two latents or more"):
        keras_vae.BoltzmannMachine().build((None, 2, 3))


def test_log_z_that_cannot_be_had():
    for method in ("log_partition", "exact_log_partition", "estimate_log_partition"):
        with pytest.raises(ValueError, match=f"`{method}` .* comes after its model is built"):
            getattr(keras_vae.BoltzmannMachine(), method)()
    with pytest.raises(ValueError, match="16 units or fewer on its smaller side"):
        machine(LARGE, num_chains=2).exact_log_partition()
    with pytest.raises(ValueError, match="`num_temperatures` must be an integer >= 1"):
        machine((2, 2)).log_partition(num_temperatures=0)
