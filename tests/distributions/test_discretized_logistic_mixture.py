"""Mixtures of discretised logistics: they sum to one, keep their gradients, and draws follow the density."""

import functools
import itertools

import keras
import numpy as np
import pytest
from keras import ops
from scipy import stats

import harness
from keras_vae.distributions import DiscretizedLogisticMixture
from keras_vae.training import Sampler


def mixture(channels, levels, components=2, log_scale=-1.5, shape=(1,), seed=0):
    """The same mixture everywhere in `shape`."""
    rng = np.random.default_rng(seed)
    pairs = channels * (channels - 1) // 2
    parts = [
        rng.normal(size=components),
        rng.uniform(-1, 1, (channels, components)),
        log_scale + rng.normal(size=(channels, components)) / 2,
        np.tanh(rng.normal(size=(pairs, components))),
    ]
    return DiscretizedLogisticMixture(
        *(np.broadcast_to(part, (*shape, *part.shape)).astype("float32") for part in parts), levels
    )


@functools.cache
def in_one_piece(levels, what):
    """A function (parts, *given) of a mixture with these parts, compiled once for each size that it is called with."""
    return harness.compiled(lambda parts, *given: what(DiscretizedLogisticMixture(*parts, levels), *given))


def of(p, what, *given):
    """What a function says of a mixture, numpy."""
    return harness.numpy(in_one_piece(p.levels, what)(parts_of(p), *given))


def log_prob(p, x):
    return p.log_prob(x)


def sample_from(p, noise):
    return p.sample_from(noise)


def mean(p):
    return p.mean


def elementwise_entropy(p):
    return p.elementwise_entropy()


def entropy_and_mode(p):
    return p.entropy(), p.mode


def sample(p):
    return p.sample(seed=1)


def parts_of(p):
    return [harness.numpy(part) for part in (p.logits, p.means, p.log_scales, p.coefficients)]


def every(channels, levels):
    """All values that a pixel can have: (levels^channels, channels)."""
    return np.array(list(itertools.product(range(levels), repeat=channels)), "float32") / (levels - 1)


def probabilities(channels, levels, **kwargs):
    x = every(channels, levels)
    return np.exp(of(mixture(channels, levels, shape=(len(x),), **kwargs), log_prob, x).astype("float64"))


def test_by_hand():
    """One component of mean 0 and scale 1 on three levels: sigmoid(-1/2), what is between, and sigmoid(-1/2)."""
    edge = 1 / (1 + np.exp(0.5))
    zero, none = np.zeros((3, 1, 1), "float32"), np.zeros((3, 0, 1), "float32")
    p = DiscretizedLogisticMixture(np.zeros((3, 1), "float32"), zero, zero, none, levels=3)
    got = np.exp(of(p, log_prob, np.array([[0.0], [0.5], [1.0]], "float32")))
    np.testing.assert_allclose(got, [edge, 1 - 2 * edge, edge], rtol=1e-6)


@pytest.mark.parametrize("channels, levels", [(1, 2), (1, 256), (1, 65536), (2, 16), (3, 6)])
@pytest.mark.parametrize("log_scale", [-7.0, -3.0, 0.0, 7.0])
def test_all_values_sum_to_one(channels, levels, log_scale):
    assert probabilities(channels, levels, log_scale=log_scale).sum() == pytest.approx(1.0, abs=2e-5)


def test_a_value_between_two_levels_counts_as_the_nearer_one():
    p = mixture(1, 5, shape=(3,))
    near, level = (np.array(x, "float32")[:, None] for x in ([0.2, 0.3, 0.51], [0.25, 0.25, 0.5]))
    np.testing.assert_array_equal(of(p, log_prob, near), of(p, log_prob, level))


@pytest.mark.parametrize(
    "channels, levels, log_scale", [(1, 8, -1.5), (1, 256, -4.0), (2, 5, -1.5), (2, 8, -3.0), (3, 3, -1.0)]
)
def test_draws_follow_the_density(channels, levels, log_scale):
    """Jointly over the channels, whose conditions are the rounded values; a chi-square test of 20,000 pixels."""
    expected = 20_000 * probabilities(channels, levels, log_scale=log_scale)
    x = of(mixture(channels, levels, shape=(20_000,), log_scale=log_scale), sample)
    digits = np.round(x * (levels - 1)).astype(int)
    np.testing.assert_allclose(x, digits / (levels - 1), rtol=2e-7)  # on the grid: XLA multiplies by 1 / (levels - 1)
    counts = np.bincount(digits @ levels ** np.arange(channels)[::-1], minlength=levels**channels)
    often = expected >= 5
    counts, expected = (np.append(v[often], v[~often].sum()) for v in (counts, expected))
    assert counts[-1] <= expected[-1] + 5 * np.sqrt(expected[-1] + 1)
    assert stats.chisquare(counts[:-1], expected[:-1] * counts[:-1].sum() / expected[:-1].sum()).pvalue > 1e-3


def test_noise_says_component_and_quantile():
    logits = np.log(np.array([[0.25, 0.75]] * 4, "float32"))
    means = np.array([[[-0.5, 0.5]]] * 4, "float32")
    p = DiscretizedLogisticMixture(logits, means, np.full_like(means, -1.0), np.zeros((4, 0, 2), "float32"))
    logistic = np.array([0.5, 0.5, 0.6, 0.01], "float32")
    noise = {"mixture": np.array([0.2, 0.3, 0.9, 0.0], "float32"), "logistic": logistic[:, None]}
    value = stats.logistic.ppf(logistic, [-0.5, 0.5, 0.5, -0.5], np.exp(-1))
    expected = np.clip(np.round((value + 1) / 2 * 255), 0, 255) / 255
    np.testing.assert_allclose(of(p, sample_from, noise)[:, 0], expected, rtol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 1 - 2**-24])
@pytest.mark.parametrize("log_scale", [-50.0, 7.0])
def test_draws_at_the_ends_of_the_noise_are_levels(noise, log_scale):
    p = mixture(3, 256, shape=(1, 2), log_scale=log_scale)
    spec = p.noise_spec((2, 3))
    assert {name: (one.kind, one.shape) for name, one in spec.items()} == {
        "mixture": ("uniform", (2,)),
        "logistic": ("uniform", (2, 3)),
    }
    x = of(p, sample_from, {name: np.full((1, *one.shape), noise, "float32") for name, one in spec.items()})
    assert x.shape == (1, 2, 3) and ((x >= 0) & (x <= 1)).all()


class Free(keras.Model):
    """Parameters as weights, to read gradients off one step of SGD."""

    def __init__(self, parts, levels):
        super().__init__()
        self.levels, self.parts = levels, [np.array(part, "float32") for part in parts]
        self.free = [self.add_weight(shape=part.shape, initializer="zeros") for part in self.parts]
        for weight, part in zip(self.free, self.parts, strict=True):
            weight.assign(part)

    def call(self, x):
        return DiscretizedLogisticMixture(*(ops.convert_to_tensor(w) for w in self.free), self.levels).log_prob(x)

    def gradients(self, x):
        jit = keras.backend.backend() != "torch"
        rate = float(len(x))  # Keras averages over the batch
        self.compile(keras.optimizers.SGD(rate), loss=lambda y, log_prob: log_prob, jit_compile=jit)
        self.train_on_batch(x, np.zeros((len(x),)))
        after = [harness.numpy(weight.value) for weight in self.free]
        return [before - now for before, now in zip(self.parts, after, strict=True)]


def test_log_prob_and_its_gradient_are_finite_at_extremes():
    rows = list(itertools.product([-1e6, -1.0, 0.0, 1.0, 1e6], [-7.0, 0.0, 7.0], [0, 1, 128, 255]))
    means, log_scales, level = np.array(rows).T
    two = np.ones((1, 2, 1))
    n = len(rows)
    parts = [np.zeros((n, 1)), two * means[:, None, None], two * log_scales[:, None, None], np.full((n, 1, 1), 0.9)]
    model, x = Free(parts, 256), np.repeat(level[:, None] / 255, 2, axis=1).astype("float32")
    harness.assert_finite(model(x))
    gradients = model.gradients(x)
    harness.assert_finite(gradients)
    # Far from x: d log p / d mean = +- 1 / s, or zero at the end where the mean is. A weight of 1e6 moves by 1 / 16.
    far, same_end = np.abs(means) == 1e6, level == np.where(means < 0, 0, 255)
    expected = np.where(same_end, 0.0, -np.sign(means) * np.exp(-log_scales))
    np.testing.assert_allclose(gradients[1][far, 1, 0], expected[far], atol=0.04, rtol=1e-3)


def test_the_gradient_is_that_of_the_density():
    rng = np.random.default_rng(0)
    parts = [
        rng.normal(size=(4, 2)),
        rng.normal(size=(4, 3, 2)),
        rng.normal(size=(4, 3, 2)) - 1,
        rng.normal(size=(4, 3, 2)),
    ]
    x = np.array([[0.0, 0.25, 1.0], [1.0, 0.5, 0.5], [0.75, 0.0, 0.0], [0.5, 0.5, 0.25]], "float32")
    got = Free(parts, 5).gradients(x)

    def total(parts):
        return in_one_piece(5, log_prob)([p.astype("float32") for p in parts], x)

    for number, part in enumerate(parts):
        direction = rng.normal(size=part.shape)
        sides = [[p + sign * 0.01 * direction if i == number else p for i, p in enumerate(parts)] for sign in (1, -1)]
        expected = (harness.numpy(total(sides[0])) - harness.numpy(total(sides[1]))).sum() / 0.02
        assert (got[number] * direction).sum() == pytest.approx(expected, rel=2e-2, abs=2e-3)


def test_the_mean_is_that_of_the_draws_where_nothing_is_cut_off():
    p = mixture(3, 256, log_scale=-4.0, shape=(50_000,), seed=3)
    p = DiscretizedLogisticMixture(p.logits, 0.3 * p.means, p.log_scales, p.coefficients)
    draws = of(p, sample).mean(axis=0)
    np.testing.assert_allclose(of(p, mean)[0], draws, atol=2e-3)


def test_the_mean_is_held_between_the_first_and_the_last_level():
    p = mixture(3, 256, components=7, seed=1)
    for sign in (1, -1):
        far = DiscretizedLogisticMixture(p.logits, ops.full_like(p.means, 9.0 * sign), p.log_scales, 0 * p.coefficients)
        got = of(far, mean)
        np.testing.assert_allclose(got, (sign + 1) / 2, atol=1e-6)
        assert ((got >= 0) & (got <= 1)).all()


def several(channels, levels, pixels=3, components=2, log_scale=-1.5):
    """A mixture of its own for each pixel."""
    rng, pairs = np.random.default_rng(5), channels * (channels - 1) // 2
    logits = rng.normal(size=(pixels, components)).astype("float32")
    means, log_scales = rng.uniform(-1.1, 1.1, (2, pixels, channels, components)).astype("float32")
    coefficients = np.tanh(rng.normal(size=(pixels, pairs, components))).astype("float32")
    return DiscretizedLogisticMixture(logits, means, log_scale + log_scales, coefficients, levels)


def brute_force(logits, means, log_scales, coefficients, levels):
    """P of every value of each pixel, by the formula and SciPy: float64 (pixels, levels, ..., levels)."""
    channels = means.shape[1]
    position, half = np.linspace(-1, 1, levels), 1 / (levels - 1)
    grid = np.meshgrid(*[position] * channels, indexing="ij")
    wide = (slice(None), slice(None), *[None] * channels)  # (pixels, components, 1, ...)
    total = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))[wide]
    pair = 0
    for c in range(channels):
        mu = means[:, c][wide]
        for b in range(c):
            mu, pair = mu + coefficients[:, pair][wide] * grid[b], pair + 1
        frozen = stats.logistic(mu, np.exp(log_scales[:, c])[wide])
        above = np.where(grid[c] == 1, 1.0, frozen.cdf(grid[c] + half))
        total = total * (above - np.where(grid[c] == -1, 0.0, frozen.cdf(grid[c] - half)))
    return total.sum(axis=1)


@pytest.mark.parametrize("channels, levels", [(1, 256), (1, 37), (2, 21), (3, 6)])
def test_the_mode_is_the_likeliest_level_of_each_channel_given_those_before(channels, levels):
    p = several(channels, levels)
    every_value = brute_force(*parts_of(p), levels)
    assert every_value.reshape(3, -1).sum(axis=1) == pytest.approx(1.0, abs=1e-6)
    mode = of(p, lambda p: p.mode)
    assert mode.shape == (3, channels)
    for got, probabilities in zip(mode, every_value, strict=True):
        for level in got:
            of_next = probabilities.reshape(levels, -1).sum(axis=1)
            assert round(float(level) * (levels - 1)) == of_next.argmax()
            probabilities = probabilities[of_next.argmax()]
    assert channels > 1 or (of(p, log_prob, mode) >= of(p, log_prob, of(p, sample))).all()


@pytest.mark.parametrize("channels, levels", [(1, 256), (1, 37), (2, 21), (3, 6), (3, 8)])
def test_the_entropy_is_the_sum_over_all_values(channels, levels):
    """Exact for greys, and where the channels before the last have at most 64 values."""
    p = several(channels, levels)
    every_value = brute_force(*parts_of(p), levels)
    p = DiscretizedLogisticMixture(*(np.stack([part] * 2) for part in parts_of(p)), levels)  # two images of 3 pixels
    each = -(every_value * np.log(every_value)).reshape(3, -1).sum(axis=1)
    got = of(p, elementwise_entropy)
    np.testing.assert_allclose(got, np.stack([each] * 2), rtol=2e-5)


@pytest.mark.parametrize("channels, levels", [(2, 128), (3, 13)])
def test_the_entropy_of_many_colours_is_an_estimate_by_even_draws(channels, levels):
    p, pixels = several(channels, levels), 48
    every_value = brute_force(*parts_of(p), levels)
    each = -(every_value * np.log(every_value)).reshape(3, -1).sum(axis=1)
    parts = [np.repeat(part[:, None], pixels, axis=1) for part in parts_of(p)]  # three images of equal pixels
    got = of(DiscretizedLogisticMixture(*parts, levels), elementwise_entropy)
    assert (np.abs(got - each[:, None]) < 0.3).all() and (got.std(axis=1) < 0.1).all()
    np.testing.assert_allclose(got.mean(axis=1), each, atol=0.015)  # a picture's error is far smaller


def test_entropy_and_mode_are_exact_where_channels_do_not_depend_on_each_other():
    p = several(3, 256, components=1, log_scale=-3.0)
    p = DiscretizedLogisticMixture(p.logits, p.means, p.log_scales, 0 * p.coefficients)
    parts = [part.astype("float64") for part in (harness.numpy(p.means), harness.numpy(p.log_scales))]
    entropy, mode = 0.0, []
    for c in range(3):
        means, log_scales = (part[:, c : c + 1] for part in parts)
        alone = brute_force(np.zeros((3, 1)), means, log_scales, np.zeros((3, 0, 1)), 256)
        entropy = entropy - (alone * np.log(np.maximum(alone, 1e-300))).sum(axis=1)
        mode.append(alone.argmax(axis=1) / 255)
    got_entropy, got_mode = of(p, entropy_and_mode)
    np.testing.assert_allclose(got_entropy, entropy, rtol=1e-5)
    np.testing.assert_allclose(got_mode, np.stack(mode, axis=-1), rtol=1e-6)


@pytest.mark.parametrize("log_scale", [-50.0, -7.0, 7.0, 90.0])
def test_entropy_and_mode_of_the_narrowest_and_the_widest(log_scale):
    """A point has none, and the mode is its place; of a wide one one half is the first level, the other the last."""
    means = np.array([[[0.31]], [[-5.0]]], "float32")
    p = DiscretizedLogisticMixture(np.zeros((2, 1)), means, np.full_like(means, log_scale), np.zeros((2, 0, 1)))
    entropy, mode = of(p, entropy_and_mode)
    if log_scale < 0:
        np.testing.assert_allclose(mode[:, 0], [np.round(0.655 * 255) / 255, 0.0], rtol=1e-6)
    np.testing.assert_allclose(entropy, {-50.0: 0.0, -7.0: 0.0, 7.0: np.log(2), 90.0: np.log(2)}[log_scale], atol=0.7)
    wide = np.full_like(means, log_scale, "float64")
    expected = brute_force(np.zeros((2, 1)), means, wide, np.zeros((2, 0, 1)), 256)
    expected = -(expected * np.log(np.maximum(expected, 1e-300))).sum(axis=1)
    np.testing.assert_allclose(entropy, expected, atol=1e-4)


def test_the_gradient_of_the_entropy_is_a_difference():
    p = several(1, 37)
    logits, means, log_scales, none = parts_of(p)

    @harness.compiled
    def entropy(mean):
        return DiscretizedLogisticMixture(logits, mean, log_scales, none, 37).entropy()

    sides = [harness.numpy(entropy(means + s)) for s in (np.float32(0.01), np.float32(-0.01))]
    got = harness.gradient(entropy, means).sum(axis=(1, 2))
    np.testing.assert_allclose(got, (sides[0] - sides[1]) / 0.02, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("temperature", [0.5, 1.0, np.array([0.5, 2.0], "float32")])
def test_tempered_sharpens_the_weights_and_narrows_the_components(temperature):
    p = mixture(2, 256, shape=(2,))
    got, t = p.tempered(temperature), np.reshape(temperature, (-1, 1))
    np.testing.assert_allclose(
        harness.numpy(got.log_scales), harness.numpy(p.log_scales) + np.log(t)[..., None], rtol=1e-5
    )
    logits = harness.numpy(p.logits) / t
    np.testing.assert_allclose(np.diff(harness.numpy(got.logits)), np.diff(logits), rtol=1e-5)


@pytest.mark.parametrize("temperature", [1e-6, 1e-37])
def test_a_temperature_near_zero_draws_the_mean_of_the_likeliest_component(temperature):
    p = mixture(2, 256, shape=(7,))
    best = int(harness.numpy(p.logits)[0].argmax())
    means, coefficient = harness.numpy(p.means)[0, :, best], harness.numpy(p.coefficients)[0, 0, best]
    first = np.round((means[0] + 1) / 2 * 255)
    second = np.round((means[1] + coefficient * (2 * first / 255 - 1) + 1) / 2 * 255)

    def drawn_cold(p):
        cold = p.tempered(temperature)
        draws = cold.sample(seed=0)
        return draws, cold.log_prob(draws)

    draws, density = of(p, drawn_cold)
    np.testing.assert_allclose(draws, np.tile(np.clip([first, second], 0, 255) / 255, (7, 1)), rtol=1e-6)
    harness.assert_finite(density)


def test_a_compiled_sampler_takes_a_temperature_for_each_example():
    shape, rng = (3, 4, 4), np.random.default_rng(0)
    p = mixture(3, 256, shape=shape)
    noise = {"mixture": rng.random(shape, dtype="float32"), "logistic": rng.random((*shape, 3), dtype="float32")}
    parts = dict(zip(("logits", "means", "log_scales", "coefficients"), parts_of(p), strict=True))

    def function(inputs):
        one = DiscretizedLogisticMixture(**{name: inputs[name] for name in parts})
        return one.tempered(inputs["temperature"]).sample_from({name: inputs[name] for name in noise})

    owner, temperature = keras.layers.Dense(1), np.array([0.2, 1.0, 2.0], "float32")
    owner.build((None, 1))
    got = Sampler(owner, function, jit=True).run({**parts, **noise, "temperature": temperature})
    for row, t in enumerate(temperature):  # each as if it were alone
        one = {name: part[row : row + 1] for name, part in noise.items()}
        alone = DiscretizedLogisticMixture(*(part[row : row + 1] for part in parts.values()))
        expected = of(alone, lambda p, t, one: p.tempered(t).sample_from(one), t[None], one)
        np.testing.assert_allclose(got[row : row + 1], expected, rtol=2e-7)


def test_each_example_is_repeated_in_its_place():
    p, x = mixture(2, 5, shape=(3, 4)), np.random.default_rng(0).integers(0, 5, (3, 4, 2)) / 4

    def twice_and_once(p, x):
        return p.repeat(2).log_prob(ops.repeat(x, 2, axis=0)), p.log_prob(x)

    got, once = of(p, twice_and_once, x.astype("float32"))
    np.testing.assert_allclose(got, once.repeat(2), rtol=1e-6)


def test_it_has_no_most_likely_classes():
    with pytest.raises(TypeError, match="`truncated` is not defined for DiscretizedLogisticMixture"):
        mixture(1, 5).truncated(top_k=1)
    harness.check_refuses(lambda: mixture(1, 5).tempered(-1.0), "`temperature` must be a finite number > 0")
