"""A fixed prior of any family: its parameters, its draws, and the rate by closed form or by the draw."""

import numpy as np
import pytest
from keras import ops
from scipy import stats

import harness
from keras_vae.distributions import Beta, Dirichlet, EllipticalNormal, Gamma, Kumaraswamy, Normal
from keras_vae.ops import draw_noise
from keras_vae.priors import FamilyPrior

RNG = np.random.default_rng(0)


def drawn(prior, shape, rows):
    prior.build((None, *shape))
    noise = draw_noise(prior.noise_spec(shape), np.random.default_rng(1), (rows,))
    return harness.numpy(prior.sample_from(noise))


def test_numbers_are_for_all_latents_and_lists_for_each_on_the_last_axis():
    prior, z = (
        FamilyPrior("Gamma", concentration=[2.0, 0.5], scale=3.0),
        RNG.uniform(0.1, 2, (4, 3, 2)).astype("float32"),
    )
    expected = stats.gamma.logpdf(z, np.array([2.0, 0.5]), 0, 3).reshape(4, -1)
    np.testing.assert_allclose(harness.numpy(prior.log_prob(z)), expected.sum(axis=1), rtol=1e-5)
    draws = drawn(prior, (3, 2), 20_000)
    assert draws.shape == (20_000, 3, 2)
    assert stats.kstest(draws[:, 1, 1], stats.gamma(0.5, 0, 3).cdf).pvalue > 1e-3


def test_parameters_that_are_not_given_are_those_of_zero():
    z = RNG.normal(size=(4, 3)).astype("float32")
    got = harness.numpy(FamilyPrior("Laplace").log_prob(z))
    np.testing.assert_allclose(got, stats.laplace.logpdf(z).sum(axis=1), rtol=1e-5)
    got = harness.numpy(FamilyPrior("EllipticalNormal").log_prob(z))
    np.testing.assert_allclose(got, stats.norm.logpdf(z).sum(axis=1), rtol=1e-5)


def test_a_full_scale_is_given_as_a_matrix():
    tril = [[1.0, 0.0], [0.5, 2.0]]
    prior, z = FamilyPrior("EllipticalNormal", scale_tril=tril), RNG.normal(size=(4, 2)).astype("float32")
    expected = stats.multivariate_normal(np.zeros(2), np.array(tril) @ np.array(tril).T).logpdf(z)
    np.testing.assert_allclose(harness.numpy(prior.log_prob(z)), expected, rtol=1e-5)
    assert FamilyPrior.from_config(prior.get_config()).parameterised.options == {"scale_tril": tril}
    np.testing.assert_allclose(np.cov(drawn(prior, (2,), 20_000).T), [[1, 0.5], [0.5, 4.25]], rtol=0.05, atol=0.03)


def test_the_rate_is_closed_where_it_can_be_and_else_that_of_the_draw():
    a, b = RNG.uniform(0.5, 3, (2, 4, 2)).astype("float32")
    z = RNG.uniform(0.1, 0.9, (4, 2)).astype("float32")
    closed = harness.numpy(FamilyPrior("Beta", a=2.0, b=2.0).rate(Beta(a, b), z))
    np.testing.assert_array_equal(closed, harness.numpy(FamilyPrior("Beta", a=2.0, b=2.0).rate(Beta(a, b), 1 - z)))
    estimate = harness.numpy(FamilyPrior("Beta", a=2.0, b=2.0).rate(Kumaraswamy(a, b), z))
    q = np.log(a * b) + (a - 1) * np.log(z) + (b - 1) * np.log1p(-(z**a))
    np.testing.assert_allclose(estimate, (q - stats.beta.logpdf(z, 2, 2)).sum(axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("posterior", "prior", "closed"),
    [
        (lambda c: EllipticalNormal(c, np.eye(3, dtype="float32") + 0 * c[..., None]), FamilyPrior("Normal"), True),
        (lambda c: Dirichlet(c), FamilyPrior("Gamma"), False),
        (lambda c: Normal(c, 0 * c), FamilyPrior("EllipticalNormal"), False),
        (lambda c: Gamma(c, 1.0), FamilyPrior("Exponential"), True),
    ],
)
def test_shares_of_dimensions_and_of_vectors_add_up_to_the_rate(posterior, prior, closed):
    c = RNG.uniform(0.5, 2, (2, 4, 3)).astype("float32")
    q, z = posterior(c), RNG.dirichlet(np.ones(3), (2, 4)).astype("float32")
    each = harness.numpy(prior.elementwise_rate(q, ops.convert_to_tensor(z)))
    assert each.shape == (2, 4 if q.joint or prior.family == "EllipticalNormal" else 12)
    np.testing.assert_allclose(each.sum(axis=1), harness.numpy(prior.rate(q, z)), rtol=2e-5, atol=1e-5)


def test_refuses():
    harness.check_refuses(lambda: FamilyPrior("Laplace", df=3.0), "`df` must be an option of Laplace: loc, scale.")
    harness.check_refuses(lambda: FamilyPrior("Laplace", scale=-1.0), r"`scale` must be in \(0, inf\)")
    prior = FamilyPrior("Laplace")
    harness.check_refuses(lambda: prior.sample_from(np.zeros((2, 3), "float32")), "not built")
