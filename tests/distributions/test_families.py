"""Each family against SciPy's, and the laws that any distribution obeys."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import integrate, stats

import reference
from families import CASES, WIDTH, drawn, made
from keras_vae.distributions import (
    FAMILIES,
    Bernoulli,
    Categorical,
    Deterministic,
    Dirichlet,
    DiscretizedLogisticMixture,
    Distribution,
    Normal,
    Parameterised,
    has_closed_form,
    kl_divergence,
)


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def normal(shape=(3, 4, 2), seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=shape).astype("float32"), rng.uniform(-3, 1, size=shape).astype("float32")


def test_normal_log_prob_is_scipys():
    mean, log_var = normal()
    x = np.random.default_rng(1).normal(size=mean.shape).astype("float32")
    got = numpy(Normal(mean, log_var).log_prob(x))
    np.testing.assert_allclose(got, reference.normal_log_prob(x, mean, np.exp(log_var / 2)), rtol=1e-5)


def test_normal_sample_is_mean_plus_stddev_times_noise():
    q = Normal(np.array([[2.0]], "float32"), np.log(np.array([[9.0]], "float32")))
    np.testing.assert_allclose(numpy(q.sample_from(np.array([[-1.0]], "float32"))), [[-1.0]], rtol=1e-6)


def test_normal_sample_has_the_moments_of_the_family():
    q = Normal(np.full((20_000, 1), 3.0, "float32"), np.full((20_000, 1), np.log(4.0), "float32"))
    x = numpy(q.sample(seed=3))
    assert abs(x.mean() - 3.0) < 0.06 and abs(x.std() - 2.0) < 0.05


def test_normal_entropy_is_scipys():
    mean, log_var = normal((2, 3))
    expected = stats.norm.entropy(mean, np.exp(log_var / 2)).sum(axis=1)
    np.testing.assert_allclose(numpy(Normal(mean, log_var).entropy()), expected, rtol=1e-5)


def test_normal_mode_is_its_mean():
    mean, log_var = normal((2, 3))
    q = Normal(mean, log_var)
    np.testing.assert_array_equal(numpy(q.mode), mean)
    np.testing.assert_array_equal(numpy(q.mean), mean)


@pytest.mark.parametrize("x", [0.0, 1.0, 0.3])
def test_bernoulli_log_prob_is_the_cross_entropy(x):
    logits = np.array([[-30.0, -1.0, 0.0, 2.0, 30.0]], "float32")
    values = np.full_like(logits, x)
    got = numpy(Bernoulli(logits).log_prob(values))
    np.testing.assert_allclose(got, reference.bernoulli_log_prob(values, logits), rtol=1e-5)


def test_bernoulli_log_prob_is_finite_where_p_is_zero_or_one():
    logits = np.array([[-500.0, 500.0]], "float32")
    assert numpy(Bernoulli(logits).log_prob(np.array([[0.0, 1.0]], "float32")))[0] == 0.0
    assert numpy(Bernoulli(logits).log_prob(np.array([[1.0, 0.0]], "float32")))[0] == -1000.0


def test_bernoulli_mean_mode_and_samples():
    logits = np.log(np.array([[0.2, 0.9]], "float32") / np.array([[0.8, 0.1]], "float32"))
    p = Bernoulli(logits)
    np.testing.assert_allclose(numpy(p.mean), [[0.2, 0.9]], rtol=1e-6)
    np.testing.assert_array_equal(numpy(p.mode), [[0.0, 1.0]])
    np.testing.assert_array_equal(numpy(p.sample_from(np.array([[0.1999, 0.95]], "float32"))), [[1.0, 0.0]])
    draws = numpy(Bernoulli(np.repeat(logits, 20_000, axis=0)).sample(seed=5)).mean(axis=0)
    np.testing.assert_allclose(draws, [0.2, 0.9], atol=0.012)


def test_bernoulli_entropy_is_scipys():
    logits = np.array([[-2.0, 0.0, 3.0]], "float32")
    expected = stats.bernoulli.entropy(1 / (1 + np.exp(-logits))).sum(axis=1)
    np.testing.assert_allclose(numpy(Bernoulli(logits).entropy()), expected, rtol=1e-5)


def test_kl_of_normals_is_the_closed_form():
    (mean_q, log_var_q), (mean_p, log_var_p) = normal(seed=1), normal(seed=2)
    got = numpy(kl_divergence(Normal(mean_q, log_var_q), Normal(mean_p, log_var_p)))
    expected = reference.kl_normal(mean_q, np.exp(log_var_q), mean_p, np.exp(log_var_p))
    np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_kl_is_the_integral_that_defines_it():
    def integrand(x):
        log_q, log_p = stats.norm.logpdf(x, 0.5, 0.7), stats.norm.logpdf(x, -1.0, 1.5)
        return np.exp(log_q) * (log_q - log_p)

    expected = integrate.quad(integrand, -10, 10)[0]
    q = Normal(np.array([[0.5]], "float32"), 2 * np.log(np.array([[0.7]], "float32")))
    p = Normal(np.array([[-1.0]], "float32"), 2 * np.log(np.array([[1.5]], "float32")))
    assert abs(float(numpy(kl_divergence(q, p))[0]) - expected) < 1e-5


def test_kl_of_a_distribution_with_itself_is_zero():
    q = Normal(*normal())
    np.testing.assert_allclose(numpy(kl_divergence(q, q)), 0.0, atol=1e-5)


def test_kl_near_the_prior_is_never_negative_and_keeps_its_digits():
    rng = np.random.default_rng(0)
    log_var = (10.0 ** rng.uniform(-9, -1, (1000, 1)) * rng.choice([-1, 1], (1000, 1))).astype("float32")
    zeros = np.zeros_like(log_var)
    got = numpy(kl_divergence(Normal(zeros, log_var), Normal(zeros, zeros)))
    exact = 0.5 * (np.expm1(log_var.astype("float64")) - log_var)[:, 0]
    assert (got >= 0).all()
    far = np.abs(log_var[:, 0]) > 1e-4
    np.testing.assert_allclose(got[far], exact[far], rtol=5e-3)


def test_kl_refuses_a_pair_without_closed_form():
    logits = np.zeros((1, 1), "float32")
    assert has_closed_form(Normal(logits, logits), Normal(logits, logits))
    assert not has_closed_form(Bernoulli(logits), Normal(logits, logits))
    with pytest.raises(TypeError, match=r"`q`, `p` must be .* Received: \(Bernoulli, Normal\)"):
        kl_divergence(Bernoulli(logits), Normal(logits, logits))


@pytest.mark.parametrize("name", ["sample", "log_prob", "entropy", "sample_from"])
def test_what_a_family_lacks_is_named(name):
    arguments = (0.0,) if name in ("log_prob", "sample_from") else ()
    with pytest.raises(TypeError, match=f"`{name}` is not defined for Distribution"):
        getattr(Distribution(), name)(*arguments)


def test_a_seed_repeats_a_sample():
    q = Normal(*normal())
    np.testing.assert_array_equal(numpy(q.sample(seed=7)), numpy(q.sample(seed=7)))
    assert not np.array_equal(numpy(q.sample(seed=7)), numpy(q.sample(seed=8)))


def test_samples_carry_gradient_to_the_parameters():
    """The reparameterised draw: d sample / d mean = 1, by a central difference through the public call."""
    noise = np.array([[0.7]], "float32")
    draws = [numpy(Normal(ops.convert_to_tensor([[m]]), ops.zeros((1, 1))).sample_from(noise)) for m in (0.9, 1.1)]
    assert abs(float((draws[1] - draws[0])[0, 0]) / 0.2 - 1.0) < 1e-5
    assert keras.backend.standardize_dtype(draws[0].dtype) == "float32"


def test_a_variance_for_all_is_repeated_with_the_means():
    mean = np.arange(4, dtype="float32").reshape(2, 2)
    repeated = Normal(mean, np.float32(0.5)).repeat(3)
    assert numpy(repeated.mean).shape == numpy(repeated.log_var).shape == (6, 2)
    expected = reference.normal_log_prob(mean, mean, np.exp(0.25)).repeat(3)
    np.testing.assert_allclose(numpy(repeated.log_prob(np.repeat(mean, 3, axis=0))), expected, rtol=1e-6)


def of_family(name):
    """(a distribution, the shape of its event with the batch): 512 like variables in all, so that draws can judge."""
    if name in CASES:
        shape = (1, WIDTH)
        return made(name, {key: np.full(shape, value) for key, value in CASES[name].usual.items()}), shape
    if name == "Dirichlet":
        return Dirichlet(np.tile(np.array([1.5, 2.0, 3.0], "float32"), (WIDTH, 1))), (WIDTH, 3)
    if name in FAMILIES:
        return Parameterised(name).default((WIDTH, 3)), (WIDTH, 3)
    row = np.array([0.5, -1.0, 0.3], "float32")
    if name == "Categorical":
        return Categorical(np.tile(row, (1, WIDTH, 1))), (1, WIDTH)
    if name == "Bernoulli":
        return Bernoulli(np.full((1, WIDTH), 0.7, "float32")), (1, WIDTH)
    if name == "Deterministic":
        return Deterministic(np.full((1, WIDTH), 0.7, "float32")), (1, WIDTH)
    grey = np.tile(row, (1, WIDTH, 1, 1))
    return DiscretizedLogisticMixture(grey[..., 0, :], grey, grey - 3, grey[..., :0, :], levels=8), (1, WIDTH, 1)


OTHERS = ["Bernoulli", "Categorical", "Deterministic", "DiscretizedLogisticMixture"]


@pytest.mark.parametrize("name", [*(n for n, c in FAMILIES.items() if c.__module__.startswith("keras_vae.")), *OTHERS])
def test_every_family_answers_draws_density_entropy_mean_and_mode(name):
    """And they belong together: the entropy is the mean of -log p over draws, which are around the mean."""
    q, shape = of_family(name)
    z, rows = drawn(q, shape), shape[0]
    draws, mode, log_prob, entropy = numpy(z), numpy(q.mode), numpy(q.log_prob(z)), numpy(q.entropy())
    assert draws.shape == mode.shape == shape and log_prob.shape == entropy.shape == (rows,)
    if name == "Deterministic":
        assert (draws == mode).all() and (draws == numpy(q.mean)).all() and log_prob == entropy == 0.0
        return
    each = numpy(q.elementwise_log_prob(z)).ravel()
    assert each.size == WIDTH
    assert abs(entropy.sum() / WIDTH + each.mean()) < 4.5 * each.std() / WIDTH**0.5 + 1e-5
    highest = numpy(q.elementwise_log_prob(mode if name != "Exponential" else mode + 1e-7)).ravel()
    assert highest[0] >= each.max() - 1e-5  # at zero, the mode of an Exponential, its density jumps
    if q.has_mean:
        away = np.abs((draws - numpy(q.mean)).reshape(-1, shape[-1] if q.joint else 1).mean(axis=0))
        assert (away < 5 * draws.std() / WIDTH**0.5 + (0.03 if name == "DiscretizedLogisticMixture" else 0.0)).all()
    else:
        with pytest.raises(TypeError, match=f"`mean` is not defined for {name}"):
            q.mean  # noqa: B018
