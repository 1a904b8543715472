"""Closed divergences against the integral that defines them, and the estimate by draws against both."""

import numpy as np
import pytest
from keras import ops
from scipy import special, stats

from families import CASES, gradients, made, numpy
from keras_vae import distributions
from keras_vae.distributions import elementwise_kl_divergence, has_closed_form, kl_divergence, monte_carlo_kl
from keras_vae.distributions.kl import FORMS

PAIRS = sorted((a.__name__, b.__name__) for a, b in FORMS if {a.__name__, b.__name__} <= set(CASES))
LEVELS = (np.arange(200_000) + 0.5) / 200_000
# The integral over levels is slow to settle where log p(z) grows fast at the ends of q.
LOOSE = {("F", "Normal"): 0.03, ("StudentT", "Normal"): 0.02, ("F", "Exponential"): 5e-3, ("LogNormal", "Normal"): 5e-3}


@pytest.mark.parametrize(("q", "p"), PAIRS)
def test_closed_form_is_the_integral(q, p):
    point, other = CASES[q].usual, CASES[p].other
    frozen, reference = CASES[q].frozen(**point), CASES[p].frozen(**other)
    z = frozen.ppf(LEVELS)
    expected = np.mean(frozen.logpdf(z) - reference.logpdf(z))
    got = float(numpy(kl_divergence(made(q, point, 1), made(p, other, 1)))[0])
    assert abs(got - expected) < LOOSE.get((q, p), 1e-3) * max(1.0, expected)


@pytest.mark.parametrize("name", sorted(name for name in CASES if (name, name) in PAIRS))
def test_divergence_from_itself_is_zero_and_from_a_neighbour_half_of_fishers_information(name):
    case = CASES[name]
    parameters = {key: np.full((1, 1), value, "float32") for key, value in case.usual.items()}
    q = made(name, parameters)
    assert abs(float(numpy(kl_divergence(q, q))[0])) < 1e-6
    if name == "Uniform":
        return
    key = list(case.usual)[-1]
    step, h = 0.02, 1e-4
    moved = made(name, {**parameters, key: parameters[key] + np.float32(step)})
    got = float(numpy(kl_divergence(moved, q))[0])
    z = case.frozen(**case.usual).ppf(LEVELS[::10])
    sides = [case.frozen(**{**case.usual, key: case.usual[key] + s * h}).logpdf(z) for s in (1, -1)]
    fisher = np.mean(((sides[0] - sides[1]) / (2 * h)) ** 2)
    assert got == pytest.approx(0.5 * fisher * step**2, rel=0.08, abs=5e-7)


@pytest.mark.parametrize("name", ["Gamma", "Beta", "ChiSquared"])
@pytest.mark.parametrize("factor", [1.01, 3.0])
@pytest.mark.parametrize("a", [1e-3, 0.5, 9.0, 1e4])
def test_divergences_of_gammas_and_betas_at_extreme_concentrations(name, a, factor):
    first = {"Gamma": {"concentration": a, "scale": 1.5}, "Beta": {"a": a, "b": 3.0}, "ChiSquared": {"df": a}}[name]
    other = {key: factor * value for key, value in first.items()}
    first, other = (
        {key: float(np.float32(value)) for key, value in each.items()} for each in (first, other)
    )  # what the family is given
    got = float(numpy(kl_divergence(made(name, first, 1), made(name, other, 1)))[0])
    expected = exact_gamma(first, other) if name != "Beta" else exact_beta(first, other)
    assert got == pytest.approx(expected, rel=1e-4, abs=4e-6)


def exact_gamma(q, p):
    """In float64, as it is printed: Penny 2001, KL-divergences of Normal, Gamma, Dirichlet and Wishart densities."""
    (a, s), (b, t) = ((each.get("concentration", each.get("df", 0) / 2), each.get("scale", 2.0)) for each in (q, p))
    value = (a - b) * special.digamma(a) - special.gammaln(a) + special.gammaln(b)
    return value + b * (np.log(t) - np.log(s)) + a * (s / t - 1)


def exact_beta(q, p):
    (a, b), (c, d) = ((each["a"], each["b"]) for each in (q, p))
    value = special.betaln(c, d) - special.betaln(a, b) + (a - c) * special.digamma(a) + (b - d) * special.digamma(b)
    return value + (c - a + d - b) * special.digamma(a + b)


@pytest.mark.parametrize(("q", "p"), [pair for pair in PAIRS if "Uniform" not in pair])
def test_gradients_of_closed_forms_are_finite_where_parameters_end(q, p):
    edges = {"loc": 2.0, "mean": 2.0, "scale": 1e-6, "log_var": -27.0, "peak": 1e-4, "d2": 4.01, "df": 2.01}
    edges.update(dict.fromkeys(("concentration", "a", "b"), 1e-3))
    if q == "Weibull":
        edges["concentration"] = 0.1
    q_values = [np.full((1, 1), edges.get(key, 1e-3), "float32") for key in CASES[q].usual]
    p_values = [np.full((1, 1), value, "float32") for value in CASES[p].other.values()]

    def kl(*given):
        half = len(q_values)
        members = (getattr(distributions, name) for name in (q, p))
        q_, p_ = (
            cls(**dict(zip(cls.parameters, values, strict=True)))
            for cls, values in zip(members, (given[:half], given[half:]), strict=True)
        )
        return kl_divergence(q_, p_)

    assert np.isfinite(numpy(kl(*q_values, *p_values))).all()
    assert all(np.isfinite(one).all() for one in gradients(kl, *q_values, *p_values))


def test_uniform_that_leaves_another_is_infinitely_far():
    q = distributions.Uniform(np.array([[0.0, 0.5, -0.1]], "float32"), 1.0)
    p = distributions.Uniform(np.zeros((1, 3), "float32"), 1.5)
    np.testing.assert_allclose(numpy(elementwise_kl_divergence(q, p)), [[np.log(1.5), np.log(1.5), np.inf]], rtol=1e-6)


def test_categorical_and_bernoulli_by_hand():
    q = np.array([[[0.0, np.log(3.0), -np.inf]]], "float32")
    p = np.array([[[0.0, 0.0, np.log(2.0)]]], "float32")
    got = numpy(kl_divergence(distributions.Categorical(q), distributions.Categorical(p)))
    np.testing.assert_allclose(got, [0.25 * np.log(1.0) + 0.75 * np.log(3.0)], rtol=1e-6)
    logits = np.array([[-40.0, 0.5]], "float32"), np.array([[1.0, -0.3]], "float32")
    a, b = (special.expit(each.astype("float64")) for each in logits)
    expected = (special.rel_entr(a, b) + special.rel_entr(1 - a, 1 - b)).sum()
    got = numpy(kl_divergence(*map(distributions.Bernoulli, logits)))
    np.testing.assert_allclose(got, [expected], rtol=1e-5)


def dirichlets():
    return [distributions.Dirichlet(np.array([each], "float32")) for each in ([0.7, 2.0, 5.0], [1.5, 1.0, 3.0])]


def test_dirichlet_against_draws():
    q, p = dirichlets()
    z = np.random.default_rng(0).dirichlet([0.7, 2.0, 5.0], 200_000).T
    terms = stats.dirichlet.logpdf(z, [0.7, 2.0, 5.0]) - stats.dirichlet.logpdf(z, [1.5, 1.0, 3.0])
    got = float(numpy(kl_divergence(q, p))[0])
    assert abs(got - terms.mean()) < 4 * terms.std() / np.sqrt(len(terms))
    assert numpy(elementwise_kl_divergence(q, p)).shape == (1, 1)


def exact_normal(m, v, n, w):
    """Of N(m, v) from N(n, w), full covariances."""
    d, inverse = n - m, np.linalg.inv(w)
    trace = np.trace(inverse @ v) + d @ inverse @ d - len(m)
    return 0.5 * (trace + np.linalg.slogdet(w)[1] - np.linalg.slogdet(v)[1])


def test_normal_vectors_of_full_and_of_low_rank_scale():
    rng = np.random.default_rng(0)
    tril = np.tril(rng.normal(size=(3, 3))).astype("float32")
    tril[np.arange(3), np.arange(3)] = [0.5, 1.0, 2.0]
    diagonal, factor = np.array([0.3, 1.0, 0.6], "float32"), rng.normal(size=(3, 2)).astype("float32")
    loc, other = rng.normal(size=(2, 3)).astype("float32")
    full = distributions.EllipticalNormal(loc[None], tril[None])
    low = distributions.EllipticalNormal(other[None], diagonal=diagonal[None], factor=factor[None])
    v, w = tril @ tril.T, np.diag(diagonal**2) + factor @ factor.T
    for (q, m, a), (p, n, b) in (((full, loc, v), (low, other, w)), ((low, other, w), (full, loc, v))):
        got = float(numpy(kl_divergence(q, p))[0])
        assert got == pytest.approx(exact_normal(m.astype("float64"), a.astype("float64"), n, b), rel=1e-4)
    plain = distributions.Normal(np.zeros((1, 3), "float32"), np.full((1, 3), 0.5, "float32"))
    expected = exact_normal(loc.astype("float64"), v.astype("float64"), np.zeros(3), np.exp(0.5) * np.eye(3))
    assert float(numpy(kl_divergence(full, plain))[0]) == pytest.approx(expected, rel=1e-5)
    assert numpy(elementwise_kl_divergence(full, plain)).shape == (1, 1)


@pytest.mark.parametrize(("q", "p"), [("Logistic", "Logistic"), ("Triangular", "Laplace"), ("Kumaraswamy", "Beta")])
def test_pairs_without_a_form_are_estimated_with_an_error(q, p):
    point, other = CASES[q].usual, CASES[p].other
    members = made(q, point, 2), made(p, other, 2)
    assert not has_closed_form(*members)
    estimate, error = (numpy(each) for each in monte_carlo_kl(*members, 20_000, seed=0))
    frozen, reference = CASES[q].frozen(**point), CASES[p].frozen(**other)
    z = frozen.ppf(LEVELS)
    terms = frozen.logpdf(z) - reference.logpdf(z)
    np.testing.assert_allclose(error, terms.std() / np.sqrt(20_000), rtol=0.1)
    assert (np.abs(estimate - terms.mean()) < 4 * error).all()
    assert estimate[0] != estimate[1]  # each example has its own draws


def test_the_estimate_is_differentiable_and_refuses_one_draw():
    zero = ops.zeros((1, 1))
    with pytest.raises(ValueError, match=r"`num_samples` must be an integer >= 2. Received: num_samples=1."):
        monte_carlo_kl(distributions.Laplace(zero, 1.0), distributions.Laplace(zero, 1.0), 1)

    def kl(loc):
        return monte_carlo_kl(distributions.Laplace(loc, 1.0), distributions.Normal(zero, zero), 4000, seed=1)[0]

    (slope,) = gradients(kl, np.full((1, 1), 0.7))
    assert slope[0, 0] == pytest.approx(0.7, abs=0.1)  # of (variance + loc^2) / 2
