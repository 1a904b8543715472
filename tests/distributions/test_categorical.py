"""Categorical variables: densities, gradients, and draws that follow them."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import special, stats

import reference
from keras_vae.distributions import Categorical

RNG = np.random.default_rng(0)
LOGITS = (3 * RNG.normal(size=(3, 4, 2, 5))).astype("float32")
X = RNG.integers(0, 5, (3, 4, 2))


def numpy(tensor):
    return ops.convert_to_numpy(tensor)


def of(*probabilities):
    """One variable of these probabilities, which may be zero."""
    with np.errstate(divide="ignore"):
        return Categorical(np.log(np.array([probabilities], "float32")))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
def test_log_prob_is_the_log_of_the_softmax_at_the_class(dtype):
    got = numpy(Categorical(LOGITS).log_prob(X.astype(dtype)))
    np.testing.assert_allclose(got, reference.categorical_log_prob(X, LOGITS), rtol=1e-5)
    assert got.dtype == "float32"


def test_the_shares_of_the_values_add_up_and_the_classes_sum_to_one():
    p = Categorical(LOGITS)
    each = numpy(p.elementwise_log_prob(X))
    assert each.shape == (3, 8)
    np.testing.assert_allclose(each.sum(axis=1), numpy(p.log_prob(X)), rtol=1e-6)
    total = sum(np.exp(numpy(p.elementwise_log_prob(np.full_like(X, k)))) for k in range(5))
    np.testing.assert_allclose(total, 1.0, rtol=1e-6)


def test_log_prob_keeps_its_digits_where_logits_are_huge():
    p = Categorical(np.array([[1e6, 0.0, -1e6], [3e38, -3e38, 3e38]], "float32"))
    np.testing.assert_array_equal(numpy(p.log_prob(np.array([0, 2]))), np.array([0.0, -np.log(2)], "float32"))
    np.testing.assert_array_equal(numpy(p.log_prob(np.array([1, 0]))), np.array([-1e6, -np.log(2)], "float32"))


class Free(keras.Model):
    """Logits as weights, to read gradients off one step of SGD."""

    def __init__(self, logits, loss):
        super().__init__()
        self.start, self.negative = logits, loss
        self.logits = self.add_weight(shape=logits.shape, initializer="zeros", name="logits")
        self.logits.assign(logits)

    def call(self, x):
        return self.negative(ops.convert_to_tensor(self.logits), x)

    def gradient(self, x):
        self.compile(
            keras.optimizers.SGD(1.0), loss=lambda y, loss: loss, jit_compile=keras.backend.backend() != "torch"
        )
        self.train_on_batch(x, np.zeros((len(x),)))
        return len(x) * (self.start - numpy(self.logits.value))  # Keras averages over the batch


@pytest.mark.parametrize("excluded", [False, True])
def test_the_gradient_is_the_softmax_less_one_at_the_class(excluded):
    logits = LOGITS.copy()
    if excluded:  # not the class of x
        logits[..., 0] = np.where(X == 0, logits[..., 0], -np.inf)
        logits[np.isnan(logits)] = 0
    start = np.where(np.isfinite(logits), logits, 0.0).astype("float32")
    hole = np.where(np.isfinite(logits), 0.0, -np.inf).astype("float32")
    got = Free(start, lambda free, x: -Categorical(ops.add(free, hole)).log_prob(x)).gradient(X)
    expected = special.softmax(logits, axis=-1) - np.eye(5)[X]
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_mean_mode_and_entropy():
    p = special.softmax(LOGITS.astype("float64"), axis=-1)
    got = Categorical(LOGITS)
    np.testing.assert_allclose(numpy(got.mean), (p * np.arange(5)).sum(axis=-1), rtol=1e-5)
    np.testing.assert_array_equal(numpy(got.mode), p.argmax(axis=-1))
    np.testing.assert_allclose(numpy(got.entropy()), stats.entropy(p, axis=-1).reshape(3, -1).sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(numpy(of(0.5, 0.0, 0.5).entropy()), np.log(2), rtol=1e-6)
    assert numpy(of(0.2, 0.4, 0.4).mode)[0] == 1
    assert {numpy(got.mode).dtype, numpy(got.sample(seed=0)).dtype} == {np.dtype("int32")}


def test_a_draw_is_the_class_that_the_noise_falls_on():
    p = of(0.0, 0.25, 0.5, 0.25, 0.0)
    for noise, expected in [(0.0, 1), (0.24, 1), (0.26, 2), (0.74, 2), (0.76, 3), (1 - 2**-24, 3)]:
        assert numpy(p.sample_from(np.array([noise], "float32")))[0] == expected


@pytest.mark.parametrize("noise", [0.0, 1 - 2**-24])
def test_a_class_of_probability_zero_is_never_drawn(noise):
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(5_000, 300)).astype("float32")
    logits[rng.random(logits.shape) < 0.6] = -np.inf
    logits[:, [0, -1]] = -np.inf
    draws = numpy(Categorical(logits).sample_from(np.full((5_000,), noise, "float32")))
    assert np.isfinite(np.take_along_axis(logits, draws[:, None], axis=1)).all()


def test_draws_follow_the_density():
    logits = np.array([0.3, -1.0, 1.2, 0.0], "float32")
    draws = numpy(Categorical(np.broadcast_to(logits, (20_000, 4))).sample(seed=3))
    counts = np.bincount(draws, minlength=4)
    assert stats.chisquare(counts, 20_000 * special.softmax(logits.astype("float64"))).pvalue > 1e-3


def test_noise_and_draws_have_the_shape_of_the_event():
    p = Categorical(LOGITS)
    spec = p.noise_spec(X.shape[1:])
    assert (spec.kind, spec.shape) == ("uniform", (4, 2))
    noise = np.random.default_rng(2).random((3, *spec.shape), dtype="float32")
    assert numpy(p.sample_from(noise)).shape == X.shape
    np.testing.assert_array_equal(numpy(p.sample(seed=1)), numpy(p.sample(seed=1)))


def test_each_example_is_repeated_in_its_place():
    expected = reference.categorical_log_prob(X, LOGITS).repeat(2)
    np.testing.assert_allclose(
        numpy(Categorical(LOGITS).repeat(2).log_prob(np.repeat(X, 2, axis=0))), expected, rtol=1e-5
    )
