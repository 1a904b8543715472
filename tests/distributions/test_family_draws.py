"""Draws: their distribution, gradients, density by the change of variables, and the same on every backend."""

import json
import pathlib

import numpy as np
import pytest
from keras import ops
from scipy import stats

from families import CASES, drawn, gradients, ks, made, numpy
from keras_vae import distributions
from keras_vae.ops import Noise, draw_noise, random_noise
from keras_vae.ops.gamma import LOG_LEAST, gamma_draw, gamma_noise

ALL = sorted(CASES)
STORED = pathlib.Path(__file__).with_name("draws.json")  # of `stored_draws`, written on torch
INVERSES = [name for name in ALL if issubclass(getattr(distributions, name), distributions.InverseCDF)]
INVERSES.remove("StudentT")
OF_ONE_NOISE = [*INVERSES, "Normal", "LogNormal"]
SHAPE = (400, 8)  # one for many tests: JAX compiles each operation for each shape
SEVERAL = ("Laplace", "Triangular", "Gamma")  # of what the base class does for all
UNIFORMS = np.array([[0.003, 0.1, 0.29, 0.47, 0.62, 0.9, 0.997]], "float32")


def made_of(name, parameters):
    cls = getattr(distributions, name)
    return cls(**dict(zip(cls.parameters, parameters, strict=True)))


@pytest.mark.parametrize("name", ALL)
def test_draws_are_of_the_family(name):
    p, away = ks(name, CASES[name].usual)
    assert p > 1e-3 and away < 4


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("Gamma", {"concentration": 0.1, "scale": 2.0}),
        ("Gamma", {"concentration": 50.0, "scale": 0.1}),
        ("Gamma", {"concentration": 1e4, "scale": 1.0}),
        ("Beta", {"a": 0.3, "b": 0.6}),
        ("Beta", {"a": 300.0, "b": 4.0}),
        ("StudentT", {"loc": 0.0, "scale": 1.0, "df": 2.1}),
        ("StudentT", {"loc": 0.0, "scale": 1.0, "df": 1e4}),
        ("F", {"d1": 1.0, "d2": 5.0}),
        ("Weibull", {"concentration": 0.4, "scale": 3.0}),
        ("Kumaraswamy", {"a": 0.2, "b": 5.0}),
    ],
)
def test_draws_are_of_the_family_far_from_the_usual(name, parameters):
    p, away = ks(name, parameters, seed=1)
    assert p > 1e-3 and (away < 4 or name == "StudentT")  # whose mean settles slowly at df = 2.1


def test_tiny_concentrations_leave_the_mass_that_float32_cannot_hold_at_the_floor():
    count, a = 100_000, 1e-3
    z = numpy(drawn(made("Gamma", {"concentration": a, "scale": 1.0}, count), (count, 1)))
    share, expected = (z <= 1.0001e-30).mean(), stats.gamma.cdf(1e-30, a)
    assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / count)
    held = z[z > 1.0001e-30].astype("float64")
    assert stats.kstest(held, lambda x: (stats.gamma.cdf(x, a) - expected) / (1 - expected)).pvalue > 1e-3


@pytest.mark.parametrize("name", OF_ONE_NOISE)
def test_the_gradient_of_a_draw_is_that_of_the_quantile_function(name):
    case, p = CASES[name], UNIFORMS.astype("float64")
    noise = stats.norm.ppf(p).astype("float32") if getattr(distributions, name).noise == "normal" else UNIFORMS
    p = stats.norm.cdf(noise.astype("float64")) if noise is not UNIFORMS else p
    for point in (case.usual, case.other):
        parameters = [np.full(noise.shape, value, "float32") for value in point.values()]
        got = gradients(lambda *given: made_of(name, given).sample_from(noise), *parameters)
        for key, one in zip(point, got, strict=True):
            h = 1e-5 * max(1.0, abs(point[key]))
            sides = [case.frozen(**{**point, key: float(np.float32(point[key])) + s * h}).ppf(p) for s in (1, -1)]
            expected = (sides[0] - sides[1]) / (2 * h)
            np.testing.assert_allclose(one, expected, rtol=2e-4, atol=2e-5, err_msg=key)


@pytest.mark.parametrize("a", [1e-3, 0.05, 0.5, 1.0, 3.0, 40.0, 299.0, 301.0, 1e4])
def test_the_gradient_of_a_gamma_draw_is_implicit(a):
    """At a fixed quantile, whatever the proposals: against a difference of SciPy's quantile function."""
    noise = draw_noise(gamma_noise(SHAPE[1:]), np.random.default_rng(0), SHAPE[:1])
    concentration = np.full(SHAPE, a, "float32")
    log_z = numpy(gamma_draw(ops.convert_to_tensor(concentration), noise)[1]).astype("float64")
    (got,) = gradients(lambda given: gamma_draw(given, noise)[1], concentration)
    (of_z,) = gradients(lambda given: gamma_draw(given, noise)[0], concentration)
    a = float(np.float32(a))
    z, h = np.exp(log_z), 1e-4 * a
    held = (z > 1e-290) if a < 0.5 else z > 1e-12
    p = stats.gamma.cdf(z, a)
    held &= (p > 1e-12) & (p < 1 - 1e-6)
    with np.errstate(divide="ignore", invalid="ignore"):
        sides = [np.log(stats.gamma.ppf(p, a + s * h)) for s in (1, -1)]
        expected = (sides[0] - sides[1]) / (2 * h)
    assert held.sum() > 20
    # torch's own function is an approximation, off by 1 % far out in the tail of small concentrations.
    difference = np.abs(got[held] - expected[held]) / expected[held]
    assert np.quantile(difference, 0.99) < 2e-3 and difference.max() < 2e-2
    np.testing.assert_allclose(of_z, np.where(log_z > LOG_LEAST, got * z, 0.0), rtol=1e-4, atol=1e-30)


def quantile_levels(a, noise):
    """The quantile levels of the Gamma draws that noise makes, float64: what an implicit gradient holds fixed."""
    z = numpy(gamma_draw(ops.convert_to_tensor(np.full(noise["boost"].shape, a, "float32")), noise)[0])
    return stats.gamma.cdf(z.astype("float64"), a)


def composed(name, noise):
    """name of a family of several Gammas -> a float64 function of its parameters, at the noise's quantile levels."""
    usual = CASES[name].usual
    if name == "Beta":
        levels = {key: quantile_levels(usual[key], noise[key]) for key in "ab"}

        def draw(a, b):
            g, h = stats.gamma.ppf(levels["a"], a), stats.gamma.ppf(levels["b"], b)
            return g / (g + h)

    elif name == "F":
        above, below = (
            quantile_levels(usual[key] / 2, noise[part]) for key, part in (("d1", "above"), ("d2", "below"))
        )

        def draw(d1, d2):
            return stats.gamma.ppf(above, d1 / 2) / d1 / (stats.gamma.ppf(below, d2 / 2) / d2)

    else:

        def draw(loc, scale, df):
            w, angle = noise["radius"].astype("float64"), 2 * np.pi * noise["angle"].astype("float64")
            return loc + scale * np.sqrt(df * (w ** (-2 / df) - 1)) * np.cos(angle)

    return draw


@pytest.mark.parametrize("name", ["Beta", "F", "StudentT"])
def test_the_gradient_of_what_is_made_of_several_draws(name):
    case = CASES[name]
    parameters = [np.full(SHAPE, value, "float32") for value in case.usual.values()]
    noise = draw_noise(made_of(name, parameters).noise_spec(SHAPE[1:]), np.random.default_rng(3), SHAPE[:1])
    got = gradients(lambda *given: made_of(name, given).sample_from(noise), *parameters)
    draw = composed(name, noise)
    np.testing.assert_allclose(
        numpy(made_of(name, parameters).sample_from(noise)), draw(**case.usual), rtol=1e-4, atol=1e-6
    )
    for key, one in zip(case.usual, got, strict=True):
        sides = [draw(**{**case.usual, key: case.usual[key] + s * 1e-4}) for s in (1, -1)]
        np.testing.assert_allclose(one, (sides[0] - sides[1]) / 2e-4, rtol=3e-3, atol=1e-4, err_msg=key)


@pytest.mark.parametrize("name", OF_ONE_NOISE)
def test_the_density_of_a_draw_is_that_of_its_noise_by_the_change_of_variables(name):
    cls, case = getattr(distributions, name), CASES[name]
    noise = stats.norm.ppf(UNIFORMS).astype("float32") if cls.noise == "normal" else UNIFORMS
    log_noise = stats.norm.logpdf(noise) if cls.noise == "normal" else 0.0
    parameters = [np.full(noise.shape, value, "float32") for value in case.usual.values()]
    (slope,) = gradients(lambda given: made_of(name, parameters).sample_from(given), noise)
    q = made_of(name, parameters)
    got = numpy(q.elementwise_log_prob(q.sample_from(noise)))
    np.testing.assert_allclose(got, log_noise - np.log(np.abs(slope)), rtol=1e-4, atol=1e-4)


def stored_draws():
    """name -> draws at the usual parameters and at the other ones, from noise that is NumPy's."""
    found = {}
    for name in ALL:
        case = CASES[name]
        rows = {key: np.resize([[case.usual[key]] * 8, [case.other[key]] * 8], SHAPE) for key in case.usual}
        found[name] = first(drawn(made(name, rows), SHAPE, seed=7))
    for a in (1e-3, 0.2, 1e4):
        noise = draw_noise(gamma_noise(SHAPE[1:]), np.random.default_rng(8), SHAPE[:1])
        found[f"log Gamma({a:g})"] = first(gamma_draw(ops.convert_to_tensor(np.full(SHAPE, a, "float32")), noise)[1])
    return found


def first(draws):
    return [float(value) for value in numpy(draws)[:2, :3].ravel()]


def test_equal_noise_gives_equal_draws_on_every_backend():
    stored, got = json.loads(STORED.read_text()), stored_draws()
    assert sorted(stored) == sorted(got)
    for name, values in got.items():
        np.testing.assert_allclose(values, stored[name], rtol=2e-6, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("name", ALL)
def test_sample_draws_by_its_seed_and_each_example_apart(name):
    q = made(name, {key: np.full(SHAPE, value) for key, value in CASES[name].usual.items()})
    one, same, other = (numpy(q.sample(seed=seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert one.shape == SHAPE and not np.array_equal(one, other)
    assert stats.kstest(one.ravel(), CASES[name].frozen(**CASES[name].usual).cdf).pvalue > 1e-4


def test_one_seed_gives_each_part_of_the_noise_its_own_numbers():
    spec = {"a": Noise("uniform", (500,)), "b": Noise("uniform", (500,))}
    noise = {key: numpy(value)[0] for key, value in random_noise(spec, (1,), seed=3).items()}
    assert abs(np.corrcoef(noise["a"], noise["b"])[0, 1]) < 0.2
    again = random_noise(spec, (1,), seed=3)
    np.testing.assert_array_equal(numpy(again["b"])[0], noise["b"])


@pytest.mark.parametrize("name", SEVERAL)
def test_repeated_examples_stand_side_by_side(name):
    case = CASES[name]
    rows = {key: np.array([[case.usual[key]], [case.other[key]]], "float32") for key in case.usual}
    q = made(name, rows)
    z = q.mean
    expected = numpy(q.log_prob(z)).repeat(3)
    np.testing.assert_allclose(numpy(q.repeat(3).log_prob(ops.repeat(z, 3, axis=0))), expected, rtol=1e-6)
    assert set(q.served()) == {f"z_{key}" for key in case.usual}
