"""What a family says of its parameters, as a bottleneck, a likelihood and a prior read it."""

import numpy as np
import pytest
from keras import ops

import harness
from families import ask, gradients, numpy
from keras_vae.distributions import FAMILIES, POSITIVE, InverseCDF, Parameterised, by_vector, family

SIZES = {"Exponential": 3, "ChiSquared": 3, "Dirichlet": 3, "StudentT": 9, "Triangular": 9}
SIZES.update(EllipticalNormal=9, EllipticalStudentT=10)


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"Rayleigh"}))
def test_any_real_numbers_give_a_distribution_with_finite_draws(name):
    known = Parameterised(name)
    size = known.size(3)
    assert size == SIZES.get(name, 6) and known.dimensions(size) == 3
    raw = 30 * np.random.default_rng(0).normal(size=(40, size)).astype("float32")

    def drawn(q):
        z = q.sample(seed=0)
        return z, q.log_prob(z)

    values = known.values(raw)
    assert list(values) == list(known.specified)
    for q in (known.distribution(values, 3), known.default((40, 3))):
        alone = isinstance(q.noise_spec((3,)), dict)  # of several noises: the others share their operations on JAX
        z, log_prob = ask(q, drawn) if alone or q.joint else map(numpy, drawn(q))
        assert z.shape == (40, 3) and np.isfinite(z).all()
        assert np.isfinite(log_prob).all()


def test_fixed_values_are_not_predicted_and_broadcast():
    known = Parameterised("StudentT", {"df": 5.0, "loc": [0.0, 1.0]})
    assert list(known.parameters) == ["scale"] and known.size(2) == 2
    q = known.distribution(known.values(np.zeros((3, 2), "float32")), 2)
    assert numpy(q.df).tolist() == [[5.0, 5.0]] * 3 and numpy(q.loc).tolist() == [[0.0, 1.0]] * 3
    vectors = Parameterised("EllipticalStudentT", {"df": 5.0, "rank": 1})
    q = vectors.distribution(vectors.values(np.zeros((3, vectors.size(2)), "float32")), 2)
    assert numpy(q.df).tolist() == [5.0] * 3 and numpy(q.factor).shape == (3, 2, 1)


def test_links_are_held_with_a_gradient_that_leads_back():
    for raw in (-50.0, 50.0):
        (slope,) = gradients(lambda given: ops.log(POSITIVE.link(given)), np.array([[raw]], "float32"))
        assert slope[0, 0] == pytest.approx(1.0)
    low, high = numpy(POSITIVE.link(ops.convert_to_tensor(np.array([-50.0, 50.0], "float32"))))
    assert low == pytest.approx(np.exp(-10), rel=1e-5) and high == pytest.approx(np.exp(7), rel=1e-5)


@family
class Rayleigh(InverseCDF):
    parameters, support = {"scale": POSITIVE}, (0.0, float("inf"))

    def quantile(self, p):
        return self.scale * ops.sqrt(-2.0 * ops.log1p(-p))

    def log_density(self, value):
        y = value / self.scale
        return ops.log(y / self.scale) - 0.5 * ops.square(y)


def test_a_family_of_ones_own_goes_by_its_name():
    rayleigh = Parameterised(Rayleigh)
    assert rayleigh.name == "Rayleigh" and Parameterised("Rayleigh").cls is Rayleigh
    with pytest.raises(TypeError, match="`mean` is not defined for Rayleigh"):
        _ = rayleigh.default((1, 2)).mean


def test_a_name_belongs_to_one_family():
    taken = type("Laplace", (InverseCDF,), {"parameters": {"scale": POSITIVE}})
    harness.check_refuses(lambda: family(taken), "`cls` must have a name of its own: keras_vae.distributions.laplace")
    harness.check_refuses(lambda: family(dict), "`cls` must be a subclass of Distribution", TypeError)
    harness.check_refuses(lambda: Parameterised(taken), "`family` must be one of Beta, .* Received")


@pytest.mark.parametrize(
    ("family", "options", "message", "error"),
    [
        ("Gausian", None, "`family` must be one of Beta, Cauchy, .* Received: family='Gausian'", ValueError),
        ("keras_vae>VAE", None, "`family` must be one of Beta", ValueError),
        (dict, None, "`family` must be one of Beta", ValueError),
        ("Laplace", {"df": 1.0}, "`df` must be an option of Laplace: loc, scale. Received: df=1.0", ValueError),
        ("Laplace", {"scale": 0.0}, r"`scale` must be in \(0, inf\). Received: scale=0.0", ValueError),
        ("Beta", {"a": [1.0, -1.0]}, r"`a\[1\]` must be in \(0, inf\)", ValueError),
    ],
)
def test_refuses(family, options, message, error):
    harness.check_refuses(lambda: Parameterised(family, options), message, error)


def test_refuses_numbers_that_are_not_of_whole_dimensions():
    harness.check_refuses(lambda: Parameterised("Laplace").values(np.zeros((1, 3), "float32")), "2 numbers for one dim")
    everything = Parameterised("Laplace", {"loc": 0.0, "scale": 1.0})
    harness.check_refuses(everything.require_predicted, "must leave a parameter of Laplace")


def test_shares_of_dimensions_are_summed_over_vectors():
    values = ops.convert_to_tensor(np.arange(12.0).reshape(2, 6))
    assert numpy(by_vector(values, 3)).tolist() == [[3.0, 12.0], [21.0, 30.0]]
