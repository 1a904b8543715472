"""Families whose last axis is one variable: Dirichlet, and the elliptical ones with a full scale or one of low rank."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

import harness
from families import ask, gradients, numpy
from keras_vae.distributions import Dirichlet, EllipticalNormal, EllipticalStudentT, Parameterised
from keras_vae.ops import draw_noise

RNG = np.random.default_rng(0)
LOC = np.array([0.5, -1.0, 2.0], "float32")
TRIL = np.array([[0.5, 0, 0], [-0.3, 1.2, 0], [0.8, 0.4, 2.0]], "float32")
DIAGONAL, FACTOR = np.array([0.3, 1.0, 0.6], "float32"), RNG.normal(size=(3, 2)).astype("float32")
SCALES = {"full": {"scale_tril": TRIL}, "low rank": {"diagonal": DIAGONAL, "factor": FACTOR}}
COVARIANCE = {"full": TRIL @ TRIL.T, "low rank": np.diag(DIAGONAL**2) + FACTOR @ FACTOR.T}
CONCENTRATIONS = ([0.7, 2.0, 5.0], [1e-3, 1.0, 1e-3], [1e4, 2e4, 1e4], [1e4, 1e-3, 1.0])


def answers(q, z):
    """All that a family says of vectors z and of itself."""
    each = q.elementwise_log_prob(z)
    return q.log_prob(z), q.entropy(), q.mean, q.mode, q.variance, each


def draws(q, noise):
    return q.sample_from(noise)


def sampled(q):
    return q.sample(seed=3)


def drawn(q, shape):
    """A draw of q from noise that is NumPy's."""
    return ask(q, draws, draw_noise(q.noise_spec(shape[1:]), np.random.default_rng(0), shape[:1]))


def elliptical(cls, scale, rows=1, **others):
    parts = {name: np.repeat(part[None], rows, axis=0) for name, part in SCALES[scale].items()}
    return cls(loc=np.repeat(LOC[None], rows, axis=0), **parts, **others)


@pytest.mark.parametrize("scale", sorted(SCALES))
def test_normal_vectors_against_scipy(scale):
    q, z = elliptical(EllipticalNormal, scale, 5), RNG.normal(size=(5, 3)).astype("float32")
    frozen = stats.multivariate_normal(LOC, COVARIANCE[scale])
    log_prob, entropy, mean, mode, variance, each = ask(q, answers, z)
    np.testing.assert_allclose(log_prob, frozen.logpdf(z), rtol=2e-5)
    np.testing.assert_allclose(entropy, np.full(5, frozen.entropy()), rtol=1e-5)
    np.testing.assert_allclose(variance[0], np.diag(COVARIANCE[scale]), rtol=1e-5)
    np.testing.assert_array_equal(mean, mode)
    assert each.shape == (5, 1)


@pytest.mark.parametrize("df", [0.5, 3.0, 1e4])
@pytest.mark.parametrize("scale", sorted(SCALES))
def test_student_t_vectors_against_scipy(scale, df):
    q = elliptical(EllipticalStudentT, scale, 5, df=np.full(5, df, "float32"))
    z = RNG.normal(size=(5, 3)).astype("float32")
    frozen = stats.multivariate_t(LOC, COVARIANCE[scale], df)
    log_prob, entropy, _, _, variance, _ = ask(q, answers, z)
    np.testing.assert_allclose(log_prob, frozen.logpdf(z), rtol=3e-5)
    np.testing.assert_allclose(entropy[0], frozen.entropy(), rtol=1e-5)
    expected = np.diag(COVARIANCE[scale]) * df / (df - 2) if df > 2 else np.full(3, np.nan)
    np.testing.assert_allclose(variance[0], expected, rtol=1e-5)


@pytest.mark.parametrize("cls", [EllipticalNormal, EllipticalStudentT])
@pytest.mark.parametrize("scale", sorted(SCALES))
def test_draws_of_vectors_are_of_the_family(cls, scale):
    others = {} if cls is EllipticalNormal else {"df": 4.5}
    count = 100_000
    q = elliptical(cls, scale, count, **others)
    z = drawn(q, (count, 3)).astype("float64")
    squares = np.sum((z - LOC) * np.linalg.solve(COVARIANCE[scale], (z - LOC).T).T, axis=1)
    radius = stats.chi2(3) if cls is EllipticalNormal else stats.f(3, 4.5, scale=3)
    assert stats.kstest(squares, radius.cdf).pvalue > 1e-3
    marginal = stats.norm if cls is EllipticalNormal else stats.t(4.5)
    direction = np.array([0.6, -0.2, 0.7])
    along = (z - LOC) @ direction / np.sqrt(direction @ COVARIANCE[scale] @ direction)
    assert stats.kstest(along, marginal.cdf).pvalue > 1e-3
    second = ask(q, sampled)[:, 1]
    assert stats.kstest((second - LOC[1]) / np.sqrt(COVARIANCE[scale][1, 1]), marginal.cdf).pvalue > 1e-4


def test_the_density_of_vectors_is_that_of_their_noise_by_the_change_of_variables():
    noise = RNG.normal(size=(1, 3)).astype("float32")
    q = elliptical(EllipticalNormal, "full")
    jacobian = [gradients(lambda n, i=i: q.sample_from(n)[:, i], noise, whole=True)[0][0] for i in range(3)]
    expected = stats.norm.logpdf(noise).sum() - np.linalg.slogdet(np.array(jacobian))[1]
    got = ask(q, lambda q, noise: q.log_prob(q.sample_from(noise)), noise)
    np.testing.assert_allclose(got, [expected], rtol=1e-5)


@pytest.mark.parametrize("scale", sorted(SCALES))
def test_gradients_of_draws_of_vectors_are_differences(scale):
    parts = {"loc": LOC[None], "df": np.array([5.0], "float32"), **{k: v[None] for k, v in SCALES[scale].items()}}
    noise = draw_noise(EllipticalStudentT(**parts).noise_spec((3,)), np.random.default_rng(1), (1,))

    def draw(*given):
        return EllipticalStudentT(**dict(zip(parts, given, strict=True))).sample_from(noise)

    got = gradients(draw, *parts.values(), whole=True)
    direction = noise["direction"]
    named = dict(zip(parts, got, strict=True))
    z = ask(EllipticalStudentT(**parts), draws, noise) - LOC
    np.testing.assert_allclose(named["loc"], np.ones((1, 3)), rtol=1e-6)
    times = (
        TRIL @ direction[0]
        if scale == "full"
        else DIAGONAL * direction["diagonal"][0] + FACTOR @ direction["factor"][0]
    )
    radius = (z / times)[0, 0]
    if scale == "full":
        np.testing.assert_allclose(named["scale_tril"][0], radius * np.tile(direction, (3, 1)), rtol=1e-4)
    else:
        np.testing.assert_allclose(named["diagonal"], radius * direction["diagonal"], rtol=1e-4)
        np.testing.assert_allclose(named["factor"][0], radius * np.tile(direction["factor"], (3, 1)), rtol=1e-4)
    g = 2.5 / radius**2  # df / (2 radius^2), at a fixed quantile of Gamma(df / 2)
    p, h = stats.gamma.cdf(g, 2.5), 1e-4
    sides = [np.sqrt((5 + s * h) / 2 / stats.gamma.ppf(p, (5 + s * h) / 2)) for s in (1, -1)]
    np.testing.assert_allclose(named["df"], [(sides[0] - sides[1]) / (2 * h) * times.sum()], rtol=5e-3)


@pytest.mark.parametrize("concentration", CONCENTRATIONS)
def test_dirichlet_against_scipy(concentration):
    concentration = np.array(concentration, "float32").astype("float64")
    z = RNG.dirichlet(np.clip(concentration, 0.5, None), 40)
    z = np.clip(z, 1e-6, None).astype("float32").astype("float64")
    z[:, -1] = 1 - z[:, :-1].sum(axis=1)
    z = z[z[:, -1] > 0][:20]  # as many for each, so that JAX compiles once
    assert len(z) == 20
    q = Dirichlet(np.repeat(concentration[None], len(z), axis=0).astype("float32"))
    expected = stats.dirichlet(concentration).logpdf(z.T)
    log_prob, entropy, mean, _, variance, _ = ask(q, answers, z.astype("float32"))
    np.testing.assert_allclose(log_prob, expected, rtol=2e-5, atol=2e-3)
    np.testing.assert_allclose(entropy[0], stats.dirichlet(concentration).entropy(), rtol=1e-5)
    np.testing.assert_allclose(mean[0], concentration / concentration.sum(), rtol=1e-5)
    np.testing.assert_allclose(variance[0], stats.dirichlet(concentration).var(), rtol=3e-4)


def test_modes_of_dirichlets():
    rows = np.array([[2.0, 3.0, 1.0], [0.5, 0.9, 0.2], [1.0, 4.0, 0.1]], "float32")
    np.testing.assert_allclose(
        ask(Dirichlet(rows), lambda q: q.mode), [[1 / 3, 2 / 3, 0], [0, 1, 0], [0, 1, 0]], rtol=1e-6
    )


def test_draws_of_a_dirichlet_have_beta_marginals_and_sum_to_one():
    concentration, count = np.array([0.7, 2.0, 5.0], "float32"), 100_000
    q = Dirichlet(np.repeat(concentration[None], count, axis=0))
    z = drawn(q, (count, 3)).astype("float64")
    np.testing.assert_allclose(z.sum(axis=1), 1.0, atol=1e-6)
    for k in range(3):
        assert stats.kstest(z[:, k], stats.beta(concentration[k], 7.7 - concentration[k]).cdf).pvalue > 1e-3
    assert np.cov(z.T)[0, 2] == pytest.approx(-0.7 * 5 / (7.7**2 * 8.7), rel=0.05)


def test_a_vector_off_the_simplex_has_no_density():
    q = Dirichlet(np.ones((2, 2), "float32"))
    log_prob, *_ = ask(q, answers, np.array([[0.0, 1.0], [-0.5, 1.5]], "float32"))
    assert log_prob.tolist() == [-np.inf, -np.inf]


def test_maps_of_vectors_are_independent_at_their_places():
    concentration = RNG.uniform(0.5, 3, (2, 4, 3)).astype("float32")
    q = Dirichlet(concentration)
    z = drawn(q, (2, 4, 3))
    log_prob, *_, each = ask(q, answers, z)
    assert each.shape == (2, 4)
    alone, *_ = ask(Dirichlet(concentration.reshape(8, 3)), answers, z.reshape(8, 3))
    np.testing.assert_allclose(each.ravel(), alone, rtol=1e-6, atol=1e-6)  # compiled apart: rounded apart
    np.testing.assert_allclose(log_prob, each.sum(axis=1), rtol=1e-6)
    values = Parameterised("EllipticalStudentT").values(RNG.normal(size=(2, 4, 10)).astype("float32"))
    assert [tuple(value.shape) for value in values.values()] == [(2, 4, 3), (2, 4), (2, 4, 3, 3)]
    t = Parameterised("EllipticalStudentT").distribution(values, 3)
    z = drawn(t, (2, 4, 3))

    def every(t, z):
        return t.elementwise_log_prob(z), t.repeat(2).log_prob(ops.repeat(z, 2, axis=0)), t.pairwise_log_prob(z)

    each, repeated, pairs = ask(t, every, z)
    one = EllipticalStudentT(**{name: numpy(value)[1:, 2] for name, value in values.items()})
    np.testing.assert_allclose(ask(one, answers, z[1:, 2])[0], each[1:, 2], rtol=1e-5)
    np.testing.assert_allclose(repeated, each.sum(axis=1).repeat(2), rtol=1e-5)
    np.testing.assert_allclose(np.diag(pairs), each.sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "options"),
    [("EllipticalNormal", {}), ("EllipticalNormal", {"rank": 2}), ("EllipticalStudentT", {"rank": 1})],
)
def test_vectors_are_finite_with_their_gradients_whatever_a_network_says(name, options):
    family = Parameterised(name, options)
    numbers = np.repeat(np.array([-30.0, 0.0, 12.0], "float32"), 50)[:, None] + np.zeros((1, family.size(3)), "float32")
    numbers += RNG.normal(size=numbers.shape).astype("float32")
    noise = draw_noise(family.noise_spec((3,)), np.random.default_rng(0), (150,))

    def loss(given):
        q = family.distribution(family.values(given), 3)
        return q.log_prob(q.sample_from(noise)) + q.entropy()

    assert np.isfinite(numpy(harness.compiled(loss)(ops.convert_to_tensor(numbers)))).all()
    assert np.isfinite(gradients(loss, numbers, whole=True)[0]).all()


def test_dirichlets_are_finite_with_their_gradients_at_the_limits():
    given = np.repeat(np.array([1e-3, 1e4], "float32"), 300)[:, None] + np.zeros((1, 4), "float32")
    noise = draw_noise(Dirichlet(given).noise_spec((4,)), np.random.default_rng(0), (600,))

    def loss(a):
        q = Dirichlet(a)
        return q.log_prob(q.sample_from(noise)) + q.entropy()

    assert np.isfinite(numpy(harness.compiled(loss)(ops.convert_to_tensor(given)))).all()
    assert np.isfinite(gradients(loss, given, whole=True)[0]).all()


def test_a_scale_is_full_or_of_low_rank():
    harness.check_refuses(lambda: EllipticalNormal(LOC[None]), "`scale_tril` must be given, or both .* Received: none")
    parts = {name: part[None] for name, part in SCALES["low rank"].items()}
    del parts["factor"]
    harness.check_refuses(lambda: EllipticalNormal(LOC[None], **parts), "Received: diagonal")
    for matrix, message in (
        ([[1.0, 2.0], [0.0, 1.0]], "lower triangular"),
        ([[0.0, 0.0], [1.0, 1.0]], "positive diag"),
    ):
        harness.check_refuses(lambda matrix=matrix: Parameterised("EllipticalNormal", {"scale_tril": matrix}), message)
    harness.check_refuses(lambda: Parameterised("EllipticalNormal", {"rank": 0}), "`rank` must be an integer >= 1")


def test_raw_numbers_fill_a_triangle_row_by_row():
    raw = np.log(np.array([[1.0, 2.0, 3.0, 1.0, 1.0, 1.0]], "float32"))
    raw[:, 3:] = [4.0, 5.0, 6.0]
    family = Parameterised("EllipticalNormal", {"loc": 0.0})
    np.testing.assert_allclose(numpy(family.values(raw)["scale_tril"])[0], [[1, 0, 0], [4, 2, 0], [5, 6, 3]], rtol=1e-6)
    assert keras.backend.standardize_dtype(family.values(raw)["scale_tril"].dtype) == "float32"
