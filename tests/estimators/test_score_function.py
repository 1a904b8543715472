"""The score function beside the reparameterised gradient, on a toy whose gradient is known; its baselines by hand."""

import functools

import keras
import numpy as np
import pytest
from keras import ops
from scipy import integrate, stats
from variants import SequenceVAE

import harness
import keras_vae
from keras_vae.distributions import FAMILIES, Parameterised
from keras_vae.estimators import Baseline
from keras_vae.ops import draw_noise

STDDEV, WEIGHT, TARGET, COUNT = 0.8, 0.9, 1.3, 20_000  # x ~ N(WEIGHT z, STDDEV^2); COUNT examples in every test
DENSITIES = {  # posterior and prior; those of Gamma and Laplace have no closed-form rate here, the Gaussian's has
    "Normal": (lambda a, b: stats.norm(a, np.exp(b / 2)), stats.norm(), "Normal"),
    "Laplace": (lambda a, b: stats.laplace(a, np.exp(b)), stats.norm(), "Normal"),
    "Gamma": (lambda a, b: stats.gamma(np.exp(a), scale=np.exp(b)), stats.lognorm(1.0), "LogNormal"),
}
RAW = np.array([0.7, -0.4])


class Known(Baseline):
    """A baseline that is told what to say: 3 nats."""

    def call(self, features):
        return {"distortion": 3.0 + 0.0 * features[:, 0], "rate": 0.0 * features[:, 0]}


def told(family, estimator=None, cls=keras_vae.VAE, seed=1, **kwargs):
    """A model of one latent whose posterior's raw parameters are the data themselves."""
    bottleneck = keras_vae.Reparameterised(family, 1, seed=seed, estimator=estimator)
    decoder = keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(WEIGHT))
    likelihood = keras_vae.GaussianLikelihood(STDDEV)
    prior = keras_vae.FamilyPrior(DENSITIES[family][2])
    parts = {"bottleneck": bottleneck, "likelihood": likelihood, "prior": prior}
    model = cls(keras.layers.Identity(), FirstColumn(decoder), **parts, **kwargs)
    model.build((None, 2))
    bottleneck.head.kernel.assign(np.eye(2))
    return model


class FirstColumn(keras.layers.Layer):
    """Two columns for one, as the parameters of the toy take two; the second is not looked at."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, z):
        out = self.layer(z)
        return ops.concatenate([out, ops.zeros_like(out)], axis=-1)


TARGETS = np.broadcast_to(np.array([[TARGET, 0.0]], "float32"), (COUNT, 2))


def losses(model, parameters):
    outputs = model(parameters, training=True)
    return model.terms(parameters, ops.convert_to_tensor(TARGETS), outputs, True)["loss"]


@functools.cache
def found(family, estimator, cls=keras_vae.VAE, **kwargs):
    """One estimate of d loss / d (raw parameters) of each example, and the loss."""
    model = told(family, ESTIMATORS[estimator](), cls, **kwargs)
    parameters = np.repeat(RAW[None].astype("float32"), COUNT, axis=0)
    return harness.gradient(lambda x: losses(model, x), parameters).astype("float64")


ESTIMATORS = {
    "reparameterised": lambda: None,
    "score": keras_vae.ScoreFunction,
    "with a baseline": lambda: keras_vae.ScoreFunction(Known()),
}


def objective(family, raw, beta=1.0):
    """E_q[-log p(x|z) + beta (log q(z) - log p(z))] by quadrature, the second column of the target included."""
    posterior, prior, _ = DENSITIES[family]
    q = posterior(*raw)

    def share(z):
        log_x = stats.norm.logpdf(TARGET, WEIGHT * z, STDDEV)
        return q.pdf(z) * (beta * (q.logpdf(z) - prior.logpdf(z)) - log_x)

    low, high = q.ppf(1e-14), q.ppf(1 - 1e-14)
    middle = q.mean()
    parts = [integrate.quad(share, *ends, limit=200, epsabs=1e-12)[0] for ends in ((low, middle), (middle, high))]
    return sum(parts) - stats.norm.logpdf(0, 0, STDDEV)


def exact(family, beta=1.0):
    steps = 1e-4 * np.eye(2)
    return np.array([(objective(family, RAW + s, beta) - objective(family, RAW - s, beta)) / 2e-4 for s in steps])


def within(got, expected, errors=3.0):
    return np.abs(got.mean(axis=0) - expected) < errors * got.std(axis=0) / np.sqrt(len(got))


@pytest.mark.parametrize("estimator", sorted(ESTIMATORS))
@pytest.mark.parametrize("family", sorted(DENSITIES))
def test_agrees_with_the_exact_gradient(family, estimator):
    assert within(found(family, estimator), exact(family)).all()


@pytest.mark.parametrize("family", sorted(DENSITIES))
def test_varies_more_than_the_reparameterised_gradient_and_less_with_a_baseline(family):
    path, score, based = (
        found(family, name).var(axis=0).sum() for name in ("reparameterised", "score", "with a baseline")
    )
    assert path < score
    if family == "Normal":  # whose distortion is about what the baseline says
        assert based < score


def test_the_weight_of_the_rate_weighs_its_part_too():
    got = found("Laplace", "score", keras_vae.BetaVAE, beta=3.0)
    assert within(got, exact("Laplace", 3.0)).all()
    assert not within(got, exact("Laplace")).all()


def test_several_draws_are_as_right_and_vary_less():
    got = found("Laplace", "score", num_samples=4)
    assert within(got, exact("Laplace")).all()
    assert got.var(axis=0).sum() < 0.5 * found("Laplace", "score").var(axis=0).sum()


SIBLINGS = [(keras_vae.GECO, {"tolerance": 2.0}), (keras_vae.CapacityVAE, {"capacity": 0.1})]


@pytest.mark.parametrize("cls, arguments", SIBLINGS)
def test_siblings_take_it(cls, arguments):
    """The gradient of what a sibling makes of distortion and rate, for which z carries none."""
    path, score = (found("Laplace", name, cls, **arguments) for name in ("reparameterised", "score"))
    spread = np.sqrt(path.var(axis=0) + score.var(axis=0))
    assert (np.abs(path.mean(axis=0) - score.mean(axis=0)) < 3 * spread / np.sqrt(COUNT)).all()


def test_adds_nothing_to_any_value():
    x = harness.images(6, size=4)
    terms = []
    for estimator in (None, keras_vae.ScoreFunction(keras_vae.InputDependentBaseline((4,)))):
        model = small(estimator)
        for part in (model.encoder, model.decoder, model.bottleneck.head):
            harness.set_weights(part)
        terms.append(harness.numpy(model.terms(x, x, model(x, training=True), True)))
    for name, value in terms[0].items():
        np.testing.assert_array_equal(terms[1][name], value)


def small(estimator, family="Laplace", cls=keras_vae.VAE, **kwargs):
    bottleneck = keras_vae.Reparameterised(family, 3, seed=1, estimator=estimator)
    nets = keras_vae.MLPEncoder((6,), "tanh"), keras_vae.MLPDecoder((4, 4, 1), (6,), "tanh")
    model = cls(*nets, bottleneck=bottleneck, **kwargs)
    model.build((None, 4, 4, 1))
    return model


def test_the_moving_average_by_hand_and_only_in_training():
    x, weights = harness.images(8, size=4), np.array([1.0, 3.0, 0, 0, 0, 0, 0, 0])
    baseline = keras_vae.MovingAverageBaseline(decay=0.5)
    model = small(keras_vae.ScoreFunction(baseline))
    model.compile(keras.optimizers.SGD(0.0))
    assert float(baseline(x)["distortion"][0]) == 0.0
    model.evaluate(x, verbose=0)
    assert float(baseline.mass) == 0.0
    seen = []
    for _ in range(2):
        logs = model.train_on_batch(x, sample_weight=weights, return_dict=True)
        seen.append([logs["distortion"], logs["rate"]])
        model.reset_metrics()
    expected = (0.25 * np.array(seen[0]) + 0.5 * np.array(seen[1])) / 0.75  # the logs are weighted means too
    got = baseline(x)
    np.testing.assert_allclose([float(got["distortion"][0]), float(got["rate"][0])], expected, rtol=1e-5)
    model.bottleneck.trainable = False  # frozen: what it knows of the past stays too
    model.compile(keras.optimizers.SGD(0.0))
    model.train_on_batch(x)
    assert float(baseline.mass) == 0.75


def test_the_input_dependent_baseline_learns_what_a_draw_costs_and_moves_nothing_else():
    x = np.concatenate([np.zeros((16, 4, 4, 1)), np.ones((16, 4, 4, 1))]).astype("float32")  # cheap, dear
    baseline = keras_vae.InputDependentBaseline((8,), decay=0.9)
    model = small(keras_vae.ScoreFunction(baseline))
    model.decoder.parts[-2].bias.assign(np.full(16, -3.0))
    frozen = keras.optimizers.SGD(0.0)
    model.compile(keras_vae.training.optimizers(model, frozen, bottleneck__estimator=keras.optimizers.Adam(0.05)))
    before = harness.weights(model.encoder), harness.weights(model.decoder), harness.weights(model.bottleneck.head)
    h = ops.convert_to_tensor(harness.numpy(model.encoder(x)))
    assert np.ptp(harness.numpy(baseline(h)["distortion"])) == 0.0  # the same for all, at the start
    model.fit(x, batch_size=32, epochs=150, verbose=0)
    predicted = harness.numpy(baseline(h)["distortion"])
    terms = harness.numpy(model.terms(x, x, model(x), False))["distortion"]
    for rows in (slice(16), slice(16, 32)):
        assert predicted[rows].mean() == pytest.approx(terms[rows].mean(), abs=2.0)
    assert terms[16:].mean() - terms[:16].mean() > 20
    for part, weights in zip((model.encoder, model.decoder, model.bottleneck.head), before, strict=True):
        harness.assert_same_weights(weights, harness.weights(part))


def test_the_baseline_learns_the_rate_whatever_the_loss_makes_of_it():
    """Below the capacity the loss rises as the rate falls: its error must not be weighed by that."""
    x = harness.images(32, size=4)
    bottleneck = keras_vae.Reparameterised(
        "Gamma", 2, seed=1, estimator=keras_vae.ScoreFunction(keras_vae.InputDependentBaseline((8,), decay=0.5))
    )
    nets = keras_vae.MLPEncoder((6,), "tanh"), keras_vae.MLPDecoder((4, 4, 1), (6,), "tanh")
    prior = keras_vae.FamilyPrior("LogNormal", loc=3.0)
    model = keras_vae.CapacityVAE(*nets, bottleneck=bottleneck, prior=prior, capacity=200.0, capacity_steps=1)
    model.build((None, 4, 4, 1))
    learning = keras.optimizers.Adam(0.02)
    model.compile(keras_vae.training.optimizers(model, keras.optimizers.SGD(0.0), bottleneck__estimator=learning))
    model.fit(x, batch_size=32, epochs=200, verbose=0)
    predicted = harness.numpy(bottleneck.estimator.baseline(model.encoder(x)))["rate"]
    rates = np.mean([harness.numpy(model.rate(model(x))) for _ in range(20)], axis=0)
    assert rates.mean() < 150
    assert np.abs(predicted - rates).mean() < 0.5 * rates.std() + 1.0


def test_the_average_of_the_input_dependent_baseline_is_of_what_its_net_is_wrong_by():
    baseline = keras_vae.InputDependentBaseline((4,), decay=0.0)
    h = np.ones((3, 5), "float32")
    baseline(h)
    baseline.parts[-1].bias.assign([5.0, 0.0])
    values = {"distortion": np.array([7.0, 8.0, 9.0], "float32"), "rate": np.zeros(3, "float32")}
    for _ in range(2):  # its net says 5: twice, for the average must not count itself
        baseline.update(values, baseline(h))
        np.testing.assert_allclose(harness.numpy(baseline(h)["distortion"]), 8.0)


def test_of_a_sequence_only_what_is_there_has_a_score():
    model = SequenceVAE(
        keras.layers.Dense(5),
        keras.layers.Dense(2),
        bottleneck=keras_vae.Reparameterised("Laplace", 2, seed=1, estimator=keras_vae.ScoreFunction()),
        likelihood=keras_vae.GaussianLikelihood(0.5),
    )
    model.build({"x": (None, 4, 2), "mask": (None, 4)})
    x, mask = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32"), np.ones((3, 4), bool)
    mask[:, 2:] = False
    outputs = model({"x": x, "mask": mask}, training=True)
    posterior = model.bottleneck.posterior(outputs)
    each = harness.numpy(posterior.elementwise_log_prob(outputs["z"])).reshape(3, 4, 2)
    np.testing.assert_allclose(harness.numpy(model.log_posterior(outputs)), each[:, :2].sum(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda b: keras_vae.IWAE(keras.layers.Identity(), keras.layers.Dense(4), bottleneck=b),
        lambda b: keras_vae.InfoVAE(keras.layers.Identity(), keras.layers.Dense(4), bottleneck=b),
        lambda b: keras_vae.WAE(keras.layers.Identity(), keras.layers.Dense(4), bottleneck=b),
        lambda b: keras_vae.PlainAutoencoder(keras.layers.Identity(), keras.layers.Dense(4), bottleneck=b),
    ],
)
def test_models_that_look_at_z_itself_refuse_it(make):
    bottleneck = keras_vae.Reparameterised("Normal", 2, estimator=keras_vae.ScoreFunction())
    harness.check_refuses(lambda: make(bottleneck), "`bottleneck` must draw z that carries the gradient")


@pytest.mark.parametrize("name", sorted(n for n, cls in FAMILIES.items() if cls.__module__.startswith("keras_vae.")))
def test_the_score_of_every_family_has_mean_zero(name):
    """The law behind it, E[d log q] = 0, at parameters that are not zero; but where the ends of the support move."""
    if not FAMILIES[name].has_score:
        refused = keras_vae.ScoreFunction()
        message = "`estimator` must draw z that carries"
        return harness.check_refuses(lambda: keras_vae.Reparameterised(name, 2, estimator=refused), message)
    family = Parameterised(name)
    raw = 0.3 * np.random.default_rng(0).normal(size=(1, family.size(2))).astype("float32") + 0.4
    raw = np.repeat(raw, COUNT, axis=0)
    q = family.distribution(family.values(raw), 2)
    z = q.sample_from(draw_noise(q.noise_spec((2,)), np.random.default_rng(1), (COUNT,)))
    score = harness.gradient(lambda raw: family.distribution(family.values(raw), 2).log_prob(z), raw).astype("float64")
    assert within(score, 0.0, 4.0).all() and (score.std(axis=0) > 0.01).any()


def test_wrong_arguments_are_refused_by_name():
    with pytest.raises(TypeError, match="`baseline` must be"):
        keras_vae.ScoreFunction("average")
    with pytest.raises(TypeError, match="`estimator` must be"):
        keras_vae.Reparameterised("Normal", 2, estimator=keras_vae.MovingAverageBaseline())
    harness.check_refuses(lambda: keras_vae.MovingAverageBaseline(1.0), "`decay` must be")
    harness.check_refuses(lambda: keras_vae.InputDependentBaseline((0,)), "`units")
    harness.check_refuses(lambda: keras_vae.InputDependentBaseline().build((None, None, 3)), "known sizes")


def test_is_saved_with_its_model_and_resumed(tmp_path):
    x = harness.images(8, size=4)
    model = small(keras_vae.ScoreFunction(keras_vae.InputDependentBaseline((4,))))
    model.compile("adam")
    model.fit(x, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    harness.assert_same_weights(harness.weights(model), harness.weights(loaded))
    assert float(loaded.bottleneck.estimator.baseline.average.mass) > 0
    path = keras_vae.save_pretrained(
        model, tmp_path / "preset", recipe="r", dataset="d", licence="l", seed=0, metrics={}, description="d"
    )
    again = keras_vae.load_pretrained(path)
    np.testing.assert_array_equal(again.encode(x), model.encode(x))
