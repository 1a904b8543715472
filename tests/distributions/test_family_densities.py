"""Log-density, entropy, mean, mode and variance of every family against SciPy's, and what happens at the limits."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special as exact
from scipy import stats

import families
from families import CASES, gradients, made, numpy
from keras_vae import distributions
from keras_vae.ops import special

ALL = sorted(CASES)
LOG_PROB = {"LogNormal": 3e-5}  # of a narrow one the rounding of log z counts, times 1 / scale
EDGES = {"loc": (0.0, 3.0), "mean": (0.0, 3.0), "scale": (1e-6, 1e3), "log_var": (-27.0, 14.0), "peak": (1e-4, 0.9999)}
SHAPE_EDGES = (1e-3, 1e4)


def test_the_table_has_every_family_of_independent_dimensions():
    ours = {name: cls for name, cls in distributions.FAMILIES.items() if cls.__module__.startswith("keras_vae.")}
    assert set(CASES) | {name for name, cls in ours.items() if cls.joint} == set(ours)


@pytest.mark.parametrize("name", ALL)
def test_log_prob_is_scipys(name):
    worst, compared = families.log_prob_error(name)
    assert compared >= 0.4 * CASES[name].points()[next(iter(CASES[name].grid))].size * len(families.QUANTILES)
    assert worst < LOG_PROB.get(name, 5e-6)


@pytest.mark.parametrize("name", ALL)
def test_entropy_is_scipys(name):
    assert families.entropy_error(name) < 3e-5


@pytest.mark.parametrize("name", [name for name in ALL if getattr(distributions, name).has_mean])
def test_mean_is_scipys(name):
    if name != "StudentT":  # whose mean does not exist up to df = 1, where SciPy calls it infinite
        assert families.mean_error(name) < 1e-5
    case = CASES[name]
    expected = case.frozen(**case.usual).mean(), case.frozen(**case.usual).var()
    q = made(name, case.usual, rows=1)
    np.testing.assert_allclose([numpy(q.mean)[0, 0], numpy(q.variance)[0, 0]], expected, rtol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_mode_is_where_the_density_is_highest(name):
    case, error = CASES[name], families.mode_error(name)
    assert error is None or error < 3e-6
    q = made(name, case.usual, rows=1)
    frozen, mode = case.frozen(**case.usual), float(numpy(q.mode)[0, 0])
    around = frozen.logpdf(np.array([0.99, 1.01]) * mode + np.array([-0.01, 0.01]))
    assert (frozen.logpdf(mode) >= around).all() or name == "Exponential"


def test_what_does_not_exist_is_said_so():
    q = distributions.StudentT(np.zeros((1, 3), "float32"), 1.0, np.array([[0.5, 1.5, 3.0]], "float32"))
    assert np.isnan(numpy(q.mean)).tolist() == [[True, False, False]]
    np.testing.assert_allclose(numpy(q.variance), [[np.nan, np.inf, 3.0]])
    f = distributions.F(np.ones((1, 3), "float32"), np.array([[2.0, 4.0, 6.0]], "float32"))
    np.testing.assert_allclose(numpy(f.mean), [[np.inf, 2.0, 1.5]])
    np.testing.assert_allclose(numpy(f.variance)[0], [np.inf, np.inf, stats.f.var(1, 6)], rtol=1e-5)
    for name in ("mean", "variance"):
        with pytest.raises(TypeError, match=f"`{name}` is not defined for Cauchy"):
            getattr(distributions.Cauchy(np.zeros((1, 1), "float32"), 1.0), name)


@pytest.mark.parametrize("name", [n for n in ALL if np.isfinite(getattr(distributions, n).support).any()])
def test_outside_of_the_support_the_density_is_zero_and_its_gradient_none(name):
    low, high = getattr(distributions, name).support
    outside = [low - 1.0, low if getattr(distributions, name).open_ends else low - 1e-3]
    outside += [high + 1.0, high] if np.isfinite(high) else [low - 2.0, low - 3.0]
    usual = {key: np.full((1, len(outside)), value, "float32") for key, value in CASES[name].usual.items()}
    value = np.array([outside], "float32")
    assert (numpy(made(name, usual).elementwise_log_prob(value)) == -np.inf).all()

    def log_prob(value, *parameters):
        each = made_of(name, parameters).elementwise_log_prob(value)
        return ops.where(ops.isfinite(each), each, 0.0)

    assert all((one == 0).all() for one in gradients(log_prob, value, *usual.values()))


@pytest.mark.parametrize("cls", [distributions.Uniform, distributions.Triangular])
def test_the_support_of_an_interval_moves_with_its_parameters(cls):
    more = {"peak": 0.25} if cls is distributions.Triangular else {}
    q = cls(np.full((1, 3), 2.0, "float32"), 3.0, **more)
    assert np.isfinite(numpy(q.elementwise_log_prob(np.array([[1.9, 3.0, 5.1]], "float32")))).tolist() == [[0, 1, 0]]


def made_of(name, parameters):
    cls = getattr(distributions, name)
    return cls(**dict(zip(cls.parameters, parameters, strict=True)))


def edges(name):
    """Every combination of the smallest and the largest values of the parameters: arrays (1, combinations)."""
    names = list(CASES[name].grid)
    grids = np.meshgrid(*[EDGES.get(key, SHAPE_EDGES) for key in names], indexing="ij")
    return [np.resize(grid, (1, 8)).astype("float32") for grid in grids]


@pytest.mark.parametrize("name", ALL)
def test_at_the_limits_draws_and_densities_are_finite_with_their_gradients(name):
    parameters = edges(name)
    draws, few = 400, parameters[0].size
    rng = np.random.default_rng(0)
    spec = made_of(name, parameters).noise_spec((few,))
    noise = distributions_noise(spec, rng, draws)
    repeated = [parameter.repeat(draws, 0) for parameter in parameters]

    def loss(*given):
        q = made_of(name, given)
        z = q.sample_from(noise)
        return q.elementwise_log_prob(z) + 1e-3 * q.elementwise_entropy() + 1e-9 * z / ops.stop_gradient(1 + ops.abs(z))

    q = made_of(name, repeated)
    z = q.sample_from(noise)
    assert np.isfinite(numpy(z)).all()
    assert np.isfinite(numpy(q.log_prob(z))).all() and np.isfinite(numpy(q.entropy())).all()
    for one in gradients(loss, *repeated):
        assert np.isfinite(one).all()


def distributions_noise(spec, rng, rows):
    """Noise with the ends of what a generator gives in its first rows: zero and the number before one."""

    def draw(leaf):
        if leaf.kind == "normal":
            return rng.standard_normal((rows, *leaf.shape), dtype="float32")
        values = rng.random((rows, *leaf.shape), dtype="float32")
        values[0], values[1] = 0.0, 1.0 - 2.0**-24
        return values

    return keras.tree.map_structure(draw, spec)


@pytest.mark.parametrize("name", ["Laplace", "Triangular", "Gamma"])  # the base class does it for all
def test_each_member_is_scored_against_each_value(name):
    case = CASES[name]
    rows = {key: np.array([[case.usual[key]], [case.other[key]]], "float32") for key in case.usual}
    q = made(name, rows)
    z = ops.concatenate([q.mean, q.mode[:1]], axis=0)
    got = numpy(q.pairwise_log_prob(z))
    for j in range(2):
        alone = made(name, {key: value[j : j + 1] for key, value in rows.items()})
        expected = [float(numpy(alone.log_prob(z[i : i + 1]))[0]) for i in range(3)]
        np.testing.assert_allclose(got[:, j], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("a", [1e-3, 0.5, 7.9, 8.1, 100.0, 1e4])
def test_what_stirling_leaves_of_the_gamma_function(a):
    a32 = ops.convert_to_tensor(np.float32(a))
    a = float(np.float32(a))
    left = exact.gammaln(a) - ((a - 0.5) * np.log(a) - a + 0.5 * np.log(2 * np.pi))
    slope = exact.digamma(a) - np.log(a) + 0.5 / a
    assert abs(float(special.stirling(a32)) - left) < 2e-6 * max(1, abs(left))
    assert abs(float(special.stirling_slope(a32)) - slope) < 2e-6 * max(1, abs(slope))


@pytest.mark.parametrize("ratio", [1e-30, 1e-3, 0.4999, 0.5001, 0.99, 0.9999, 1.0, 1.001, 1.499, 1.501, 1e6])
def test_log_excess_keeps_its_digits(ratio):
    ratio = float(np.float32(ratio))
    expected = np.log(ratio) - (ratio - 1) if abs(ratio - 1) > 0.1 else np.log1p(ratio - 1) - (ratio - 1)
    got = float(special.log_excess(ops.convert_to_tensor(np.float32(ratio))))
    assert got <= 0 and abs(got - expected) <= 3e-7 * abs(expected) + 1e-12
