"""Temperature, top-k and nucleus: their laws, against a loop in NumPy, and in a compiled function."""

import keras
import numpy as np
import pytest
from scipy import special

import harness
import reference
from keras_vae.distributions import Bernoulli, Categorical, Normal
from keras_vae.training import Sampler

RNG = np.random.default_rng(0)
LOGITS = (2 * RNG.normal(size=(3, 4, 6))).astype("float32")
TIED = np.round(LOGITS)  # many equal ones
NOISE = RNG.random((3, 4), dtype="float32")
FAMILIES = {"categorical": (Categorical, LOGITS, 6), "bernoulli": (Bernoulli, LOGITS[..., 0], 2)}


def probabilities(p):
    """(batch, ..., K) float64 of a Categorical, or of a Bernoulli as two classes."""
    logits = harness.numpy(p.logits).astype("float64")
    return special.softmax(logits if isinstance(p, Categorical) else np.stack([0 * logits, logits], -1), axis=-1)


def draws_of(p, noise=NOISE):
    return harness.numpy(p.sample_from(noise)).astype("int32")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0, np.float32(2.0), np.array([0.5, 1.0, 3.0], "float32")])
def test_tempered_is_the_power_renormalised(family, temperature):
    cls, logits, _ = FAMILIES[family]
    powers = probabilities(cls(logits)) ** (1.0 / np.reshape(temperature, (-1, 1, 1)))
    got = probabilities(cls(logits).tempered(temperature))
    np.testing.assert_allclose(got, powers / powers.sum(axis=-1, keepdims=True), rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("temperature", [1e-6, 1e-37])
def test_a_temperature_near_zero_is_the_arg_max(family, temperature):
    cls, logits, _ = FAMILIES[family]
    cold = cls(100 * logits).tempered(temperature)
    np.testing.assert_array_equal(draws_of(cold), harness.numpy(cls(logits).mode))
    np.testing.assert_array_equal(harness.numpy(cold.log_prob(cold.mode)), 0.0)
    np.testing.assert_array_equal(harness.numpy(cold.entropy()), 0.0)


@pytest.mark.parametrize("logits", [LOGITS, TIED, np.zeros_like(LOGITS)])
@pytest.mark.parametrize(
    "top_k, top_p", [(1, None), (3, None), (None, 0.0), (None, 0.55), (None, 0.9), (3, 0.8), (2, 1.0)]
)
def test_truncated_categorical_is_the_loop_that_defines_it(logits, top_k, top_p):
    p = Categorical(logits).truncated(top_k, top_p)
    rows = special.softmax(logits.astype("float64"), axis=-1).reshape(-1, 6)
    expected = [reference.truncated(row, top_k or 6, 1.1 if top_p is None else top_p) for row in rows]
    np.testing.assert_allclose(probabilities(p), np.reshape(expected, logits.shape), rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("logit", [-2.0, -0.1, 0.0, 0.1, 2.0])
@pytest.mark.parametrize(
    "top_k, top_p", [(1, None), (2, None), (7, None), (None, 0.0), (None, 0.6), (None, 0.9), (1, 1.0)]
)
def test_truncated_bernoulli_is_the_case_of_two_classes(logit, top_k, top_p):
    two = Categorical(np.array([[0.0, logit]], "float32")).truncated(top_k, top_p)
    one = Bernoulli(np.array([logit], "float32")).truncated(top_k, top_p)
    np.testing.assert_allclose(probabilities(one), probabilities(two), rtol=1e-5, atol=1e-9)
    for x in (0, 1):
        x = np.array([x])
        np.testing.assert_allclose(*(np.exp(harness.numpy(p.log_prob(x))) for p in (one, two)), rtol=1e-5, atol=1e-9)


def test_the_class_that_crosses_top_p_is_kept():
    p = np.array([[0.5, 0.25, 0.25]], "float32")
    kept = {
        top_p: int((probabilities(Categorical(np.log(p)).truncated(top_p=top_p)) > 0).sum()) for top_p in (0.4, 0.6)
    }
    assert kept == {0.4: 1, 0.6: 2}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "limits", [{}, {"top_k": "all"}, {"top_k": 1000}, {"top_p": 1.0}, {"top_k": "all", "top_p": 1}]
)
def test_limits_that_exclude_nothing_leave_the_distribution_as_it_is(family, limits):
    cls, logits, classes = FAMILIES[family]
    logits = 30 * logits  # the likeliest alone have a sum of one in float32
    limits = {name: classes if value == "all" else value for name, value in limits.items()}
    np.testing.assert_array_equal(harness.numpy(cls(logits).truncated(**limits).logits), logits)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("limits", [{"top_k": 1}, {"top_p": 0.0}, {"top_p": 1e-9}])
@pytest.mark.parametrize("noise", [0.0, 0.5, 1 - 2**-24])
def test_one_class_is_the_mode_whatever_the_noise(family, limits, noise):
    cls, logits, _ = FAMILIES[family]
    for values in (logits, np.zeros_like(logits)):
        p = cls(values)
        got = draws_of(p.truncated(**limits), np.full((3, 4), noise, "float32"))
        np.testing.assert_array_equal(got, harness.numpy(p.mode))


def test_logits_that_differ_by_less_than_their_probabilities_can_are_ranked():
    """exp(1e-9) is one in float32, and exp(-200) and exp(-300) are zero."""
    p = Categorical(np.array([[0.0, 1e-9, -300.0, -200.0]], "float32"))
    assert harness.numpy(p.mode)[0] == draws_of(p.truncated(top_k=1), np.array([0.5], "float32"))[0] == 1
    assert np.isfinite(harness.numpy(p.truncated(top_k=3).logits)).tolist() == [[True, True, False, True]]


def test_excluded_classes_have_no_probability_and_no_share_in_the_entropy():
    p = Categorical(LOGITS).truncated(top_k=2)
    assert (np.sort(probabilities(p), axis=-1)[..., :4] == 0).all()
    least = harness.numpy(Categorical(-LOGITS).mode)
    assert (harness.numpy(p.log_prob(least)) == -np.inf).all()
    two = np.sort(probabilities(p), axis=-1)[..., 4:]
    np.testing.assert_allclose(harness.numpy(p.entropy()), -(two * np.log(two)).sum(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_compiled_sampler_takes_them_for_each_example(family):
    """The same as one by one with Python numbers, in a loop, compiled by XLA on TensorFlow and JAX."""
    cls, logits, _ = FAMILIES[family]

    def function(inputs):
        p = cls(inputs["logits"]).tempered(inputs["temperature"]).truncated(inputs["top_k"], inputs["top_p"])
        draws = keras.ops.cast(p.sample_from(inputs["noise"]), "int32")
        again = lambda i, total: total + keras.ops.cast(p.sample_from(inputs["noise"]), "int32")  # noqa: E731
        return draws, keras.ops.fori_loop(0, 3, again, keras.ops.zeros_like(draws))

    controls = {
        "temperature": np.array([0.5, 1.0, 2.0], "float32"),
        "top_k": np.array([1, 2, 6], "int32"),
        "top_p": np.array([1.0, 0.7, 0.9], "float32"),
    }
    owner = keras.layers.Dense(1)
    owner.build((None, 1))
    got, thrice = Sampler(owner, function, jit=True).run({"logits": logits, "noise": NOISE, **controls})
    for i in range(3):
        t, k, p = (controls[name][i].item() for name in ("temperature", "top_k", "top_p"))
        row, noise = (np.repeat(part[i : i + 1], 3, axis=0) for part in (logits, NOISE))  # sizes that others use
        np.testing.assert_array_equal(got[i], draws_of(cls(row).tempered(t).truncated(k, p), noise)[i])
    np.testing.assert_array_equal(thrice, 3 * got)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "told, error, call",
    [
        ("`temperature` must be a finite number > 0", ValueError, lambda p: p.tempered(0.0)),
        ("`temperature` must be a finite number > 0", ValueError, lambda p: p.tempered(float("nan"))),
        ("`top_k` must be an integer >= 1", ValueError, lambda p: p.truncated(top_k=0)),
        ("`top_k` must be an integer >= 1", TypeError, lambda p: p.truncated(top_k=1.5)),
        (r"`top_p` must be in \[0, 1\]", ValueError, lambda p: p.truncated(top_p=1.5)),
        (r"`top_p` must be in \[0, 1\]", ValueError, lambda p: p.truncated(top_p=-0.1)),
    ],
)
def test_numbers_out_of_range(family, told, error, call):
    cls, logits, _ = FAMILIES[family]
    harness.check_refuses(lambda: call(cls(logits)), told, error)


@pytest.mark.parametrize("name", ["tempered", "truncated"])
def test_a_family_without_them_says_so(name):
    with pytest.raises(TypeError, match=f"`{name}` is not defined for Normal"):
        getattr(Normal(LOGITS, 0.0), name)(1)
