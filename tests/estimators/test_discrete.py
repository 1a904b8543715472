"""Gradients through discrete draws, against the enumeration of all of them."""

import functools
import itertools

import keras
import numpy as np
import pytest
from keras import ops
from variants import AutoregressiveDecoder, SequenceVAE

import harness
import keras_vae
from keras_vae.distributions import Bernoulli, OneHotCategorical, RelaxedBernoulli, RelaxedOneHotCategorical

ROWS = 40_000  # draws in every test
EVENTS = {"binary": (3,), "one-hot": (2, 3)}
VALUES = {
    "binary": np.array(list(itertools.product((0.0, 1.0), repeat=3))),
    "one-hot": np.eye(3)[np.array(list(itertools.product(range(3), repeat=2)))],
}
LOGITS = {"binary": np.array([0.8, -0.5, 0.2]), "one-hot": np.array([0.8, -0.5, 0.2, -0.3, 0.6, 0.0])}
TARGET = np.array([0.7, -0.4, 0.0, 0.0, 0.0, 0.0])


def weights(size):
    rng = np.random.default_rng(0)
    return rng.normal(0.0, 1.2, (size, 4)), rng.normal(size=(4, 2)), rng.normal(size=(size, 2))


class Cost(keras.layers.Layer):
    """A decoder that is no polynomial of z, or with `linear` one of the first degree: two columns and then zeros."""

    def __init__(self, size, linear=False, size_out=None):
        super().__init__()
        self.size, self.linear, self.size_out = size, linear, size_out or size
        self.w, self.v, self.b = (part.astype("float32") for part in weights(size))

    def call(self, z):
        z = ops.reshape(z, (-1, self.size))
        out = ops.matmul(z, self.b)
        if not self.linear:
            out = out + ops.matmul(ops.tanh(ops.matmul(z, self.w)), self.v)
        return ops.pad(out, [(0, 0), (0, self.size_out - 2)])


def told(kind, estimator, linear=False, cls=keras_vae.DiscreteVAE, **kwargs):
    """A model whose logits are the data themselves."""
    size = len(LOGITS[kind])
    if kind == "binary":
        parts = {"bottleneck": keras_vae.BernoulliBottleneck(3, estimator, seed=1), "prior": keras_vae.BernoulliPrior()}
    else:
        bottleneck = keras_vae.CategoricalBottleneck(2, 3, estimator, seed=1)
        parts = {"bottleneck": bottleneck, "prior": keras_vae.CategoricalPrior()}
    likelihood = keras_vae.GaussianLikelihood(1.0)
    model = cls(keras.layers.Identity(), Cost(size, linear), likelihood=likelihood, **parts, **kwargs)
    model.build((None, size))
    model.bottleneck.head.kernel.assign(np.eye(size))
    return model


def losses(model, parameters):
    y = ops.broadcast_to(ops.convert_to_tensor(TARGET[: parameters.shape[1]].astype("float32")), ops.shape(parameters))
    return model.terms(parameters, y, model(parameters, training=True), True)["loss"]


@functools.cache
def found(kind, name, linear=False, **kwargs):
    """One estimate of d loss / d logits of each row."""
    model = told(kind, ESTIMATORS[name](), linear, **kwargs)
    rows = np.repeat(LOGITS[kind][None].astype("float32"), ROWS, axis=0)
    return harness.gradient(lambda x: losses(model, x), rows).astype("float64")


ESTIMATORS = {
    "score": keras_vae.ScoreFunction,
    "mu prop": keras_vae.MuProp,
    "straight-through": keras_vae.StraightThrough,
    "steep": lambda: keras_vae.StraightThrough(slope=3.0),
    "reinmax": keras_vae.ReinMax,
    "darn": keras_vae.DARN,
    "gumbel": lambda: keras_vae.GumbelSoftmax(0.05),
    "warm gumbel": lambda: keras_vae.GumbelSoftmax(2.0),
    "hard gumbel": lambda: keras_vae.GumbelSoftmax(0.05, hard=True),
    "vimco": keras_vae.VIMCO,
}


def costs(kind, linear):
    """-log p(x|z) of every z."""
    size = len(LOGITS[kind])
    w, v, b = weights(size)
    z = VALUES[kind].reshape(len(VALUES[kind]), -1)
    out = z @ b if linear else z @ b + np.tanh(z @ w) @ v
    return 0.5 * np.square(TARGET[:2] - out).sum(axis=1) + 0.5 * size * np.log(2 * np.pi)


def log_q(kind, logits):
    shaped = logits.reshape(EVENTS[kind])
    if kind == "binary":
        return VALUES[kind] @ logits - np.logaddexp(0, logits).sum()
    log_p = shaped - np.log(np.exp(shaped).sum(axis=-1, keepdims=True))
    return (VALUES[kind] * log_p).sum(axis=(1, 2))


def slopes(function, at):
    steps = 1e-5 * np.eye(len(at))
    return np.array([(function(at + s) - function(at - s)) / 2e-5 for s in steps])


def exact(kind, linear=False, steep=1.0):
    """Of E_q[-log p(x|z)] + KL(q || uniform), by enumeration."""
    cost, log_p = costs(kind, linear), -np.log(len(VALUES[kind]))

    def objective(logits):
        log = log_q(kind, steep * logits)
        return np.exp(log) @ (cost + log - log_p)

    return slopes(objective, LOGITS[kind])


def off(got, expected):
    """How many standard errors the mean is off, of the entry that is off most."""
    return (np.abs(got.mean(axis=0) - expected) / (got.std(axis=0) / np.sqrt(len(got)) + 1e-6)).max()


@pytest.mark.parametrize("kind", sorted(EVENTS))
@pytest.mark.parametrize("name", ["score", "mu prop"])
def test_unbiased_estimators_agree_with_enumeration(kind, name):
    assert off(found(kind, name), exact(kind)) < 3.5


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_mu_prop_of_a_linear_decoder_varies_only_by_what_is_curved(kind):
    """Its control takes all of the first order off: the rest is that of the squares of the likelihood."""
    mu, score = (found(kind, name, linear=True) for name in ("mu prop", "score"))
    assert off(mu, exact(kind, linear=True)) < 3.5
    assert mu.var(axis=0).sum() < 0.2 * score.var(axis=0).sum()


def test_reinmax_is_exact_for_quadratic_costs_and_straight_through_is_not():
    """A linear decoder under squared error: it takes the mean of the slopes at both ends."""
    for kind in EVENTS:
        assert off(found(kind, "reinmax", linear=True), exact(kind, linear=True)) < 3.5
    assert off(found("one-hot", "straight-through", linear=True), exact("one-hot", linear=True)) > 20


def test_darn_is_reinmax_for_binary_latents_and_biased_for_classes():
    np.testing.assert_allclose(found("binary", "reinmax"), found("binary", "darn"), rtol=2e-3, atol=2e-4)
    assert off(found("one-hot", "darn", linear=True), exact("one-hot", linear=True)) > 20


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_straight_through_is_biased_as_its_definition_says(kind):
    """E_z[d cost(z)] times the slope of the probabilities, by enumeration; and that is not the gradient."""
    size = len(LOGITS[kind])
    w, v, b = weights(size)
    z = VALUES[kind].reshape(len(VALUES[kind]), -1)
    hidden = np.tanh(z @ w)
    wrong = (z @ b + hidden @ v - TARGET[:2]) @ np.concatenate([b]).T  # of the linear part
    wrong = wrong + (((z @ b + hidden @ v - TARGET[:2]) @ v.T) * (1 - hidden**2)) @ w.T

    def probabilities(logits):
        shaped = logits.reshape(EVENTS[kind])
        p = 1 / (1 + np.exp(-shaped)) if kind == "binary" else np.exp(shaped) / np.exp(shaped).sum(-1, keepdims=True)
        return p.ravel()

    for name, steep in (("straight-through", 1.0), ("steep", 3.0)):  # whose posterior is of three times the logits
        mean = np.exp(log_q(kind, steep * LOGITS[kind])) @ wrong
        slope = slopes(lambda x, mean=mean, steep=steep: probabilities(steep * x) @ mean, LOGITS[kind])
        distortion = slopes(lambda x, steep=steep: np.exp(log_q(kind, steep * x)) @ costs(kind, False), LOGITS[kind])
        expected = exact(kind, steep=steep)
        assert off(found(kind, name), slope + expected - distortion) < 3.5
        assert off(found(kind, name), expected) > 10


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_gumbel_softmax_comes_near_as_the_temperature_falls(kind):
    expected = exact(kind)
    cold, warm = (np.abs(found(kind, name).mean(axis=0) - expected).max() for name in ("gumbel", "warm gumbel"))
    assert warm > 0.1
    spread = found(kind, "gumbel").std(axis=0).max() / np.sqrt(ROWS)
    assert cold < 0.3 * warm + 3 * spread
    assert found(kind, "gumbel").var() > 5 * found(kind, "warm gumbel").var()


@pytest.mark.parametrize("kind", sorted(EVENTS))
def test_without_an_estimator_the_encoder_gets_the_gradient_of_the_rate_alone(kind):
    """Why there are estimators: a step function has no slope."""

    class Step(keras_vae.estimators.Estimator):
        def draw(self, posterior, seed):
            return ops.stop_gradient(posterior.sample(seed))

    model = told(kind, Step())
    rows = np.repeat(LOGITS[kind][None].astype("float32"), 8, axis=0)
    got = harness.gradient(lambda x: losses(model, x), rows)

    def rate(logits):
        log = log_q(kind, logits)
        return np.exp(log) @ log

    np.testing.assert_allclose(got, np.tile(slopes(rate, LOGITS[kind]), (8, 1)), rtol=1e-3, atol=1e-5)


def test_vimco_is_unbiased_for_the_bound_of_two_draws():
    got = found("binary", "vimco", cls=keras_vae.IWAE, num_samples=2)
    cost = costs("binary", False)

    def bound(logits):
        log = log_q("binary", logits)
        log_w = -cost - 3 * np.log(2) - log
        pairs = np.logaddexp(log_w[:, None], log_w[None]) - np.log(2)
        return -np.exp(log) @ pairs @ np.exp(log)

    assert off(got, slopes(bound, LOGITS["binary"])) < 3.5
    score = found("binary", "score")
    assert got.var(axis=0).sum() < score.var(axis=0).sum()


@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - {"score", "mu prop", "vimco"}))
def test_a_constant_density_has_no_gradient_whatever_is_drawn(name):
    """log p(z) of the uniform prior, the same for every z, and through every draw."""
    prior = keras_vae.CategoricalPrior()
    prior.build((None, 2, 3))
    rows = np.repeat(LOGITS["one-hot"].reshape(1, 2, 3).astype("float32"), 50, axis=0)
    estimator = ESTIMATORS[name]()
    slope = harness.gradient(lambda x: prior.log_prob(estimator.draw(OneHotCategorical(x), 0)), rows)
    np.testing.assert_allclose(slope, 0.0, atol=2e-5)


def test_vimco_of_continuous_draws_is_the_score_function_of_the_bound():
    """Where a path gradient would be there to slip in: within three errors of the reparameterised one."""
    found = {}
    for name, estimator in (("path", None), ("vimco", keras_vae.VIMCO())):
        bottleneck = keras_vae.Reparameterised("Laplace", 1, seed=1, estimator=estimator)
        likelihood = keras_vae.GaussianLikelihood(1.0)
        model = keras_vae.IWAE(
            keras.layers.Identity(), Cost(1, size_out=2), bottleneck=bottleneck, likelihood=likelihood, num_samples=2
        )
        model.build((None, 2))
        bottleneck.head.kernel.assign(np.eye(2))
        rows = np.repeat(np.array([[0.5, -0.3]], "float32"), ROWS, axis=0)
        found[name] = harness.gradient(lambda x, model=model: losses(model, x), rows).astype("float64")
    spread = np.sqrt(sum(got.var(axis=0) for got in found.values()) / ROWS)
    assert (np.abs(found["path"].mean(axis=0) - found["vimco"].mean(axis=0)) < 3.5 * spread).all()


def test_mu_prop_asks_nothing_more_of_a_condition():
    """The expansion holds the weights of what the decoder sees beside z: their gradient is the score function's."""
    slopes_of = {}
    for estimator in (keras_vae.ScoreFunction(), keras_vae.MuProp()):
        model = keras_vae.DiscreteVAE(
            keras_vae.MLPEncoder((6,), "tanh"),
            keras_vae.Conditioned(keras_vae.MLPDecoder((4, 4, 1), (6,), "tanh")),
            keras_vae.BernoulliBottleneck(3, estimator, seed=1),
            condition=keras_vae.ClassCondition(2, 3),
        )
        model.build((None, 4, 4, 1))
        harness.set_weights(model)
        moments = keras_vae.training.GradientMoments()
        model.compile(moments)
        x = {"x": harness.images(8, size=4), "condition": np.arange(8) % 2}
        model.train_on_batch(x)
        slopes_of[type(estimator)] = moments.mean(model.condition.trainable_variables[0])
    np.testing.assert_allclose(*slopes_of.values(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", sorted(EVENTS))
@pytest.mark.parametrize("name", sorted(set(ESTIMATORS) - {"vimco"}))
def test_evaluation_draws_hard_samples_and_tells_the_true_bound(kind, name):
    model = told(kind, ESTIMATORS[name]())
    x = np.repeat(LOGITS[kind][None].astype("float32"), 500, axis=0)
    outputs = model(x)
    z = harness.numpy(outputs["z"])
    assert set(np.unique(z)) == {0.0, 1.0} and (kind == "binary" or (z.sum(axis=-1) == 1).all())
    assert "beside" not in outputs
    y = np.broadcast_to(TARGET[: x.shape[1]], x.shape).astype("float32")
    terms = harness.numpy(model.terms(x, y, outputs, False))
    log = log_q(kind, LOGITS[kind] * (3.0 if name == "steep" else 1.0))  # the slope is part of the model
    rate = np.exp(log) @ (log + np.log(len(VALUES[kind])))
    np.testing.assert_allclose(terms["rate"], rate, rtol=1e-4)
    index = [int(np.flatnonzero((VALUES[kind] == row).reshape(len(VALUES[kind]), -1).all(axis=1))[0]) for row in z]
    np.testing.assert_allclose(terms["distortion"], costs(kind, False)[index], rtol=1e-4)


def test_log_likelihood_of_discrete_latents_is_the_enumerated_one():
    model = told("binary", keras_vae.GumbelSoftmax())
    x = LOGITS["binary"][None].astype("float32")
    w, v, b = weights(3)
    out = VALUES["binary"] @ b + np.tanh(VALUES["binary"] @ w) @ v
    squares = np.square(x - np.pad(out, ((0, 0), (0, 1)))).sum(axis=1)
    evidence = np.log(np.exp(-0.5 * squares).mean()) - 1.5 * np.log(2 * np.pi)
    assert model.log_likelihood(x, num_samples=100_000, seed=0)[0] == pytest.approx(evidence, abs=0.03)


@pytest.mark.parametrize(
    "family, relaxed", [(Bernoulli, RelaxedBernoulli), (OneHotCategorical, RelaxedOneHotCategorical)]
)
def test_relaxed_densities_are_those_of_their_draws(family, relaxed):
    """The density integrates to what a histogram of draws says, over halves of the space."""
    logits = np.array([[0.7, -0.3]], "float32") if relaxed is RelaxedOneHotCategorical else np.array([[0.7]], "float32")
    p = family(np.repeat(logits, 50_000, axis=0)).relaxed(0.7)
    draws = harness.numpy(p.sample_from(np.random.default_rng(0).random(p.logits.shape, "float32")))[:, 0]
    grid = (np.arange(20_000) + 0.5) / 20_000
    points = grid[:, None] if relaxed is RelaxedBernoulli else np.stack([grid, 1 - grid], axis=-1)
    density = np.exp(harness.numpy(relaxed(np.repeat(logits, 20_000, axis=0), 0.7).log_prob(points.astype("float32"))))
    assert density.mean() == pytest.approx(1.0, abs=2e-3)
    for cut in (0.1, 0.5, 0.9):
        assert density[grid < cut].sum() / 20_000 == pytest.approx((draws < cut).mean(), abs=0.01)


def test_as_many_variables_as_moments_are_no_latents_in_time():
    """The rate of the four variables of a sequence of four moments is all of it, wherever the sequence ends."""
    model = SequenceVAE(
        keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(5)]),
        keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(8), keras.layers.Reshape((4, 2))]),
        bottleneck=keras_vae.CategoricalBottleneck(4, 3, seed=1),
        prior=keras_vae.CategoricalPrior(),
        likelihood=keras_vae.GaussianLikelihood(0.5),
    )
    model.build({"x": (None, 4, 2), "mask": (None, 4)})
    x = np.random.default_rng(0).normal(size=(3, 4, 2)).astype("float32")
    rates = []
    for end in (4, 1):
        mask = np.repeat(np.arange(4)[None] < end, 3, axis=0)
        rates.append(harness.numpy(model.rate(model({"x": x, "mask": mask}))))
    np.testing.assert_allclose(*rates, rtol=1e-6)
    assert (rates[0] > 0).all()


def test_logits_beyond_the_limit_keep_their_meaning():
    """What is held in range is the distribution: scores of 20 and 40 are no tie, and no shift changes anything."""
    bottleneck = keras_vae.CategoricalBottleneck(1, 3, seed=1)
    bottleneck.build((None, 2))
    scores = np.array([[20.0, 40.0, -20.0]], "float32")
    bottleneck.head.kernel.assign(np.concatenate([scores, np.ones((1, 3), "float32")]))
    for shift in (0.0, 1000.0):
        logits = harness.numpy(bottleneck.parameters(np.array([[1.0, shift]], "float32"))["z_logits"])
        np.testing.assert_allclose(logits[0, 0], [-15.0, 0.0, -15.0], atol=1e-4)


def test_what_does_not_fit_is_refused():
    nets = keras_vae.MLPEncoder((6,)), keras_vae.MLPDecoder((4, 4, 1), (6,))
    binary, classes = keras_vae.BernoulliBottleneck(3), keras_vae.CategoricalBottleneck(2, 3)
    harness.check_refuses(
        lambda: keras_vae.DiscreteVAE(*nets, keras_vae.GaussianBottleneck(3)), "`bottleneck` must be of"
    )
    harness.check_refuses(lambda: keras_vae.VAE(*nets, bottleneck=binary), "`prior` must be over binary latents")
    for prior in (keras_vae.BernoulliPrior(), keras_vae.UniformCodes(3), keras_vae.StandardNormal()):
        with pytest.raises(ValueError, match="`prior` must be over one-hot latents, for a CategoricalBottleneck"):
            keras_vae.DiscreteVAE(*nets, classes, prior)
    model = keras_vae.VAE(*nets, latent_dim=3)
    model.build((None, 4, 4, 1))
    harness.check_refuses(lambda: model.with_prior(keras_vae.BernoulliPrior()), "binary")
    made = keras_vae.DiscreteVAE(*nets, keras_vae.BernoulliBottleneck(3))
    made.build((None, 4, 4, 1))
    harness.check_refuses(lambda: made.as_classifier(2), "`as_classifier` needs continuous latents")
    for estimator in (keras_vae.StraightThrough(), keras_vae.DARN()):
        harness.check_refuses(
            lambda estimator=estimator: keras_vae.Reparameterised("Laplace", 2, estimator=estimator),
            "`estimator` must be for continuous latents",
        )
    smoothing = keras_vae.SymmetricPower(2.0)
    harness.check_refuses(lambda: keras_vae.CategoricalBottleneck(2, 3, smoothing), "`estimator` must be for one-hot")
    seeing = AutoregressiveDecoder(1)
    harness.check_refuses(
        lambda: keras_vae.DiscreteVAE(nets[0], seeing, keras_vae.BernoulliBottleneck(3, keras_vae.MuProp())),
        "`decoder` must not see the data",
    )
    harness.check_refuses(lambda: keras_vae.GumbelSoftmax(0.0), "`temperature` must be")
    harness.check_refuses(lambda: keras_vae.CategoricalBottleneck(2, 1), "`num_classes` must be")
    harness.check_refuses(lambda: binary.build((None, 4, 4, 3)), "takes vectors of features")
    vimco = keras_vae.BernoulliBottleneck(3, keras_vae.VIMCO())
    harness.check_refuses(lambda: keras_vae.DiscreteVAE(*nets, vimco), "VIMCO")
    harness.check_refuses(
        lambda: keras_vae.IWAE(*nets, bottleneck=vimco, prior=keras_vae.BernoulliPrior(), num_samples=1), "two draws"
    )
