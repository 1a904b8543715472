"""Smoothing transformations against the distributions that they are published as, and the three properties of each."""

import functools
import types

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special, stats

import harness
import keras_vae
from densities import gradients
from keras_vae.distributions import Bernoulli, OneHotCategorical
from keras_vae.estimators import Estimator, OverlappingMixture, Smoothing


def power(z, b):
    """CDF of z^(1/b - 1) / b."""
    return np.power(z, 1 / b)


def exponential(z, b):
    """CDF of b e^(-b z) / (1 - e^-b)."""
    return -np.expm1(-b * z) / -np.expm1(-b)


def gaussian(z, b):
    """CDF of N(0, 1/b), good to the last digit in its lower tail."""
    return special.ndtr(np.sqrt(b) * z)


def spike(below):
    """CDF of: zero, or one smoothed by the mirror image of a component."""
    return lambda z, p, b: np.where(z < 0, 0.0, (1 - p) + p * (1 - below(1 - z, b)))


def overlapping(below):
    return lambda z, p, b: (1 - p) * below(z, b) + p * (1 - below(1 - z, b))


def symmetric(z, p, b):
    """CDF of z: eps where it is z, by either half."""
    zero = z < 1 - p
    safe = np.where(zero, z, 0.0), np.where(zero, 1.0, z)
    return np.where(zero, (1 - p) * power(safe[0] / (1 - p), b), 1 - p * power((1 - safe[1]) / p, b))


CDF = {  # of z by p and sharpness, in float64
    "SpikeAndExponential": spike(exponential),
    "SpikeAndPower": spike(power),
    "SymmetricPower": symmetric,
    "OverlappingExponential": overlapping(exponential),
    "OverlappingPower": overlapping(power),
    "OverlappingGaussian": overlapping(gaussian),
}
NAMES = sorted(CDF)
BOUNDED = [name for name in NAMES if name != "OverlappingGaussian"]
SHARPNESS = {"OverlappingGaussian": 16.0, "OverlappingExponential": 9.0}
COUNT = 120  # values in most of the tests: JAX compiles each operation for each shape
P, EPS = (g.ravel() for g in np.meshgrid([0.001, 0.12, 0.5, 0.83, 0.999], np.linspace(0.0173, 0.9871, COUNT // 5)))


def quantile(name, eps, p, b):
    """The least z with F(z) >= eps: bisection in float64."""
    low, high = np.zeros_like(eps), np.ones_like(eps)
    if name == "OverlappingGaussian":
        low, high = low - 10 / np.sqrt(b), high + 10 / np.sqrt(b)
    for _ in range(100):
        middle = (low + high) / 2
        short = CDF[name](middle, p, b) < eps
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    return high


def made(name, sharpness=None):
    return getattr(keras_vae, name)(SHARPNESS.get(name, 3.0) if sharpness is None else sharpness)


def of_mean(p):
    """A binary posterior by its probabilities: logits do not tell one from 1 - 1e-9 in float32."""
    return types.SimpleNamespace(mean=ops.convert_to_tensor(p), binary=True)


def drawn(smoothing, p, eps):
    return harness.numpy(smoothing.draw_from(of_mean(np.asarray(p, "float32")), np.asarray(eps, "float32")))


def slopes(smoothing, p, eps):
    eps = ops.convert_to_tensor(np.asarray(eps, "float32"))
    return harness.gradient(lambda p: smoothing.draw_from(of_mean(p), eps), np.asarray(p, "float32"))


@pytest.mark.parametrize("name", NAMES)
def test_draws_have_the_published_distribution(name):
    smoothing, count = made(name, 2.0), 100_000  # sharper, float32 has no room for all that lies beside one
    eps = np.random.default_rng(0).random(count)
    for p in (0.001, 0.3, 0.5, 0.98):
        z, rounded = drawn(smoothing, np.full(count, p), eps), float(np.float32(p))
        if name.startswith("Spike"):
            ones = (z > 0).sum()
            assert stats.binomtest(int(ones), count, rounded).pvalue > 1e-3
            z, rounded = z[z > 0], 1.0  # of which there is no point mass
        assert stats.kstest(z.astype("float64"), lambda z: CDF[name](z, rounded, 2.0)).pvalue > 1e-3  # noqa: B023


@pytest.mark.parametrize("sharpness", [1.5, 6.0, 18.0, 25.0])
@pytest.mark.parametrize("name", NAMES)
def test_value_and_slope_are_those_of_the_inverse_cdf(name, sharpness):
    smoothing = made(name, sharpness)
    p, eps = P.astype("float32").astype("float64"), EPS.astype("float32").astype("float64")
    np.testing.assert_allclose(drawn(smoothing, p, eps), quantile(name, eps, p, sharpness), atol=4e-6)
    sides = [quantile(name, eps, p + step, sharpness) for step in (1e-7, -1e-7)]
    expected = (sides[0] - sides[1]) / 2e-7
    np.testing.assert_allclose(slopes(smoothing, p, eps), expected, rtol=5e-4, atol=1e-4 * sharpness)


@pytest.mark.parametrize("name", NAMES)
def test_is_non_decreasing_in_the_noise_from_zero_to_one(name):
    eps = np.concatenate([[0.0], np.sort(np.random.default_rng(0).random(500)), [1.0]]).astype("float32")
    p = np.array([0.001, 0.2, 0.5, 0.9, 0.999], "float32")
    p, eps = np.broadcast_arrays(p[:, None], eps)
    smoothing = made(name)
    for sharpness in (1.2, 5.0, 80.0, 1000.0):
        smoothing.sharpness = sharpness
        z = harness.numpy(smoothing.transform(ops.convert_to_tensor(p.copy()), ops.convert_to_tensor(eps.copy())))
        assert (np.diff(z) >= -1e-6).all()
        if name in BOUNDED:
            np.testing.assert_allclose(z[:, [0, -1]], np.broadcast_to([0.0, 1.0], (5, 2)), atol=2e-6)
            assert z.min() >= 0 and z.max() <= 1


@pytest.mark.parametrize("name", NAMES)
def test_tends_to_the_step_as_the_sharpness_grows(name):
    smoothing, step, away = made(name), EPS > 1 - P, []
    for sharpness in (10.0, 100.0, 1000.0):
        smoothing.sharpness = sharpness
        away.append(np.abs(drawn(smoothing, P, EPS) - step).mean())
    assert away[0] > 2 * away[1] > 4 * away[2]
    assert away[2] < 0.03  # of a Gaussian's standard deviation of 0.032


def test_a_gaussian_is_not_held_between_zero_and_one():
    z = drawn(made("OverlappingGaussian"), P, EPS)
    assert 0.4 < ((z < 0) | (z > 1)).mean() < 0.6


@pytest.mark.parametrize("name", NAMES)
def test_value_and_gradient_are_finite_however_sharp_and_sure(name):
    p = [0.0, 1e-9, 1e-7, 1e-4, 0.25, 0.5, 0.75, 1 - 1e-4, 1 - 1e-7, 1.0]
    eps = [0.0, 2.0**-24, 1e-7, 1e-4, 0.25, 0.4999999, 0.5, 0.5000001, 0.75, 1 - 1e-4, 1 - 2.0**-23, 1 - 2.0**-24]
    p, eps = (g.ravel().astype("float32") for g in np.meshgrid(p, eps))
    logits = special.logit(np.clip(p, 1e-12, 1 - 1e-7)).astype("float32")
    noise = ops.convert_to_tensor(eps)
    smoothing = made(name)
    for sharpness in (1e-2, 1.01, 19.9, 20.0, 200.0, 1000.0):
        if sharpness <= smoothing.least:
            continue
        smoothing.sharpness = sharpness
        z, slope = drawn(smoothing, p, eps), slopes(smoothing, p, eps)
        assert np.isfinite(z).all() and np.isfinite(slope).all()
        for x in (logits, np.full_like(p, 1e3), np.full_like(p, -1e3)):
            by_logits = harness.gradient(lambda x: smoothing.draw_from(Bernoulli(x), noise), x)
            assert np.isfinite(by_logits).all()
            assert (by_logits >= -1e-3).all()  # a likelier one is never drawn smaller


def test_a_sure_value_is_drawn_whatever_the_noise():
    eps = np.linspace(0.02, 0.98, COUNT)
    for name in NAMES:
        for p in (0.0, 1.0):
            assert np.abs(drawn(made(name, 400.0), np.full(COUNT, p), eps) - p).max() < 0.2


class Exponentials(OverlappingMixture):
    """The mixture that `OverlappingExponential` inverts in closed form."""

    def component(self, z):
        b = ops.convert_to_tensor(self.sharpness)
        return ops.expm1(-b * z) / ops.expm1(-b), -b * ops.exp(-b * z) / ops.expm1(-b)


def test_a_mixture_of_ones_own_is_inverted_as_the_closed_form_is():
    own, closed = Exponentials(9.0), made("OverlappingExponential", 9.0)
    np.testing.assert_allclose(drawn(own, P, EPS), drawn(closed, P, EPS), atol=4e-6)
    np.testing.assert_allclose(slopes(own, P, EPS), slopes(closed, P, EPS), rtol=5e-4, atol=1e-4)


class Concrete(Smoothing):
    """The relaxation of Gumbel-softmax, which has the three properties too."""

    def transform(self, probabilities, eps):
        logits = [ops.log(x) - ops.log1p(-x) for x in (probabilities, eps)]
        return ops.sigmoid(self.sharpness * (logits[0] + logits[1]))


class Step(Smoothing):
    """The step itself."""

    def transform(self, probabilities, eps):
        return ops.cast(eps > 1.0 - probabilities, "float32")


class Plain(Estimator):
    """A draw and nothing else."""

    def draw(self, posterior, seed):
        return ops.stop_gradient(posterior.sample(seed))


def test_a_smoothing_of_ones_own_plugs_in():
    posterior, seeds = Bernoulli(np.linspace(-3, 3, 12, dtype="float32")[None]), (7, 7)
    own, known = (
        estimator.draw(posterior, keras.random.SeedGenerator(seed))
        for estimator, seed in zip((Concrete(2.0), keras_vae.GumbelSoftmax(0.5)), seeds, strict=True)
    )
    harness.assert_close(own, known, rtol=1e-4)


X = (harness.images(4) > 0.5).astype("float32")


@functools.cache
def model_with(name):
    """A small model, built, its estimator by name."""
    estimators = {"Step": lambda: Step(1.0), "Plain": Plain, "Concrete": lambda: Concrete(2.0)}
    keras.utils.set_random_seed(0)
    model = keras_vae.DiscreteVAE(
        keras_vae.MLPEncoder((6,), "tanh"),
        keras_vae.MLPDecoder((8, 8, 1), ()),
        keras_vae.BernoulliBottleneck(5, estimator=estimators.get(name, lambda: made(name))(), seed=3),
    )
    model.build((None, 8, 8, 1))
    harness.set_weights(model)
    return model


def encoder_gradient(name, term):
    """Of the mean of a term in training, by the weights of the encoder."""
    model = model_with(name)
    x = ops.convert_to_tensor(X)

    def value():
        return ops.mean(model.terms(x, x, model(x, training=True), True)[term])

    return np.concatenate([g.ravel() for g in gradients(value, model.encoder.trainable_variables)])


@pytest.mark.parametrize("name", ["Plain", "Step"])
def test_through_a_step_the_encoder_learns_the_rate_alone(name):
    assert np.abs(encoder_gradient(name, "rate")).max() > 1e-3
    np.testing.assert_allclose(encoder_gradient(name, "loss"), encoder_gradient(name, "rate"), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", [*NAMES, "Concrete"])
def test_through_a_smoothing_the_encoder_learns_more(name):
    assert np.abs(encoder_gradient(name, "distortion")).max() > 1e-2


@pytest.mark.parametrize("name", NAMES)
def test_trains_smoothed_and_evaluates_binary(name):
    model = model_with(name)
    z = harness.numpy(model(X, training=True)["z"])
    assert not np.isin(z, (0.0, 1.0)).all()
    before = harness.weights(model.encoder)
    model.compile(keras.optimizers.SGD(0.1))
    model.train_on_batch(X)
    harness.assert_finite([w for _, w in harness.weights(model.encoder)])
    with pytest.raises(AssertionError, match="differ"):
        harness.assert_same_weights(before, harness.weights(model.encoder))
    assert np.isin(harness.numpy(model(X)["z"]), (0.0, 1.0)).all()


def test_the_sharpness_is_a_weight_that_a_callback_raises():
    model = model_with("Concrete")
    model.compile("sgd")
    schedule = keras_vae.callbacks.CoefficientSchedule("bottleneck.estimator.sharpness", lambda step: 3.0 + step)
    history = model.fit(X, batch_size=2, epochs=2, callbacks=[schedule], verbose=0).history
    assert history["sharpness"] == [4.0, 6.0]
    assert float(harness.numpy(model.bottleneck.estimator.sharpness)) == 6.0


@pytest.mark.parametrize("name", NAMES)
def test_refuses_a_sharpness_that_smooths_nothing(name):
    least = made(name).least
    for sharpness in (least, -1.0):
        with pytest.raises(ValueError, match=rf"`sharpness` must be in \({least:g}, inf\)"):
            made(name, sharpness)


def test_refuses_what_is_not_binary():
    message = "binary variables, as those of a BernoulliBottleneck. Received: posterior=OneHotCategorical"
    with pytest.raises(TypeError, match=message):
        made("SymmetricPower").draw(OneHotCategorical(np.zeros((2, 3, 4), "float32")), keras.random.SeedGenerator(0))


def test_refuses_a_subclass_that_says_no_transform():
    with pytest.raises(TypeError, match="Smoothing must define `transform"):
        drawn(Smoothing(1.0), [0.5], [0.5])
