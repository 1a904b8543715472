"""Quantizers without a codebook: names of codes, the grid of FSQ, the entropies of LFQ."""

import keras
import numpy as np
import pytest
from scipy import special

import harness
from keras_vae import _backend
from keras_vae.bottlenecks import FSQ, LFQ
from keras_vae.metrics import CodebookUsage

PUBLISHED = {2**8: [8, 6, 5], 2**10: [8, 5, 5, 5], 2**12: [7, 5, 5, 5, 5], 2**14: [8, 8, 8, 6, 5]}
PUBLISHED[2**16] = [8, 8, 8, 5, 5, 5]
RNG = np.random.default_rng(0)


def exact_entropies(h, temperature, weights=None):
    """(H(q) of each vector, H of their mean), by the distances to all codes. Yu et al. 2023."""
    bits = h.shape[1]
    codes = np.array([[1.0 if k >> i & 1 else -1.0 for i in range(bits)] for k in range(2**bits)])
    squares = ((h[:, None].astype("float64") - codes) ** 2).sum(axis=-1)
    q = special.softmax(-squares / temperature, axis=-1)
    return special.entr(q).sum(axis=-1), special.entr(np.average(q, axis=0, weights=weights)).sum()


@pytest.mark.parametrize("levels", [*PUBLISHED.values(), [3], [4], [5, 3, 4]], ids=str)
def test_codes_and_indices_of_fsq_are_one_to_one(levels):
    layer = FSQ(levels)
    indices = np.arange(np.prod(levels))
    z = harness.numpy(layer.lookup(indices))
    assert layer.codebook_size == len(indices)
    np.testing.assert_array_equal(harness.numpy(layer.indices_of(z)), indices)
    for column, count in zip(z.T, levels, strict=True):
        half = count // 2
        np.testing.assert_allclose(np.unique(column), (np.arange(count) - half) / half, rtol=1e-6)


def test_the_published_levels_have_about_as_many_codes():
    for size, levels in PUBLISHED.items():
        assert 0.9 < FSQ(levels).codebook_size / size < 1.07


@pytest.mark.parametrize("bits", [1, 2, 8, 10, 12, 14, 16, 18])
def test_codes_and_indices_of_lfq_are_one_to_one(bits):
    layer = LFQ(bits)
    indices = np.arange(2**bits)
    z = harness.numpy(layer.lookup(indices))
    assert layer.codebook_size == 2**bits and (np.abs(z) == 1).all()
    np.testing.assert_array_equal(z[1], [1.0] + [-1.0] * (bits - 1))
    np.testing.assert_array_equal(harness.numpy(layer.indices_of(z)), indices)


@pytest.mark.parametrize("levels", [[5], [8], [4, 7], [1001, 1000]], ids=str)
def test_fsq_reaches_every_level_and_zero_stays_at_zero(levels):
    layer = FSQ(levels)
    sweep = np.linspace(-12, 12, 100_001, dtype="float32")
    outputs = harness.numpy(layer(np.stack([sweep] * len(levels), axis=-1)))
    for column, count in zip(outputs["z"].T, levels, strict=True):
        half = count // 2
        np.testing.assert_allclose(np.unique(column), (np.arange(count) - half) / half, rtol=1e-6)
        assert (np.diff(column) >= 0).all()
    np.testing.assert_array_equal(outputs["z"], harness.numpy(layer.lookup(outputs["indices"])))
    np.testing.assert_array_equal(outputs["commitment"], 0.0)
    np.testing.assert_array_equal(harness.numpy(layer(np.zeros((1, len(levels)), "float32"))["z"]), 0.0)


def test_fsq_by_hand():
    """L = 5: z = round(1.999 tanh h) / 2. L = 4: z = round(1.499 tanh(h + atanh(.5 / 1.499)) - .5) / 2."""
    outputs = harness.numpy(FSQ([5, 4])(np.array([[0.3, 0.3], [1.2, 2.0], [-0.2, -1.0]], "float32")))
    # tanh .3 x 1.999 = .58 -> 1; tanh 1.2 x 1.999 = 1.67 -> 2; tanh -.2 x 1.999 = -.39 -> 0
    np.testing.assert_array_equal(outputs["z"][:, 0], [0.5, 1.0, 0.0])
    # 1.499 tanh(.3 + .347) - .5 = .35 -> 0; 1.499 tanh(2 + .347) - .5 = .97 -> 1; 1.499 tanh(-1 + .347) - .5 -> -1
    np.testing.assert_array_equal(outputs["z"][:, 1], [0.0, 0.5, -0.5])
    np.testing.assert_array_equal(outputs["indices"], [3 + 5 * 2, 4 + 5 * 3, 2 + 5 * 1])


def test_the_gradient_of_fsq_is_that_of_the_bound():
    h = RNG.normal(size=(9, 2)).astype("float32")
    got = harness.gradient(lambda x: FSQ([5, 4])(x)["z"], h)
    reach = np.array([2.0, 1.5]) - 1e-3
    shift = np.arctanh(np.array([0.0, 0.5]) / reach)
    np.testing.assert_allclose(got, reach * (1 - np.tanh(h + shift) ** 2) / 2, rtol=1e-4)


def test_lfq_takes_signs_and_passes_the_gradient():
    h = RNG.normal(size=(6, 3, 4)).astype("float32")
    layer = LFQ(4)
    outputs = harness.numpy(layer(h))
    signs = np.where(h > 0, 1.0, -1.0)
    np.testing.assert_array_equal(outputs["z"], signs)
    np.testing.assert_array_equal(outputs["indices"], ((h > 0) * [1, 2, 4, 8]).sum(axis=-1))
    np.testing.assert_allclose(outputs["commitment"], ((h - signs) ** 2).sum(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose(harness.gradient(lambda x: layer(x)["z"], h), 1.0)


@pytest.mark.parametrize("bits, temperature", [(1, 1.0), (3, 0.5), (6, 2.0)])
def test_the_entropies_of_lfq_are_those_of_all_codes(bits, temperature):
    h = RNG.normal(size=(5, 4, bits)).astype("float32")
    layer = LFQ(bits, diversity_weight=0.7, temperature=temperature)
    terms = harness.numpy(layer.terms(layer(h)))
    each, whole = exact_entropies(h.reshape(-1, bits), temperature)
    expected = each.reshape(5, 4).sum(axis=1) - 0.7 * 4 * whole
    np.testing.assert_allclose(terms["entropy"], expected, rtol=1e-4, atol=1e-4)


def test_groups_of_bits_bound_the_entropy_from_above():
    h = RNG.normal(size=(30, 6)).astype("float32")
    h[:, 3:] = h[:, :3]  # one half follows the other: eight codes in effect
    exact = exact_entropies(h, 0.001)[1]
    whole, halves, single = (
        float(harness.numpy(LFQ(6, joint_bits=n).diversity(keras.ops.convert_to_tensor(h * 4000.0)))) for n in (6, 3, 1)
    )
    assert whole == pytest.approx(exact, rel=1e-3)
    assert halves == pytest.approx(2 * whole, rel=1e-3)
    assert whole < halves < single <= 6 * np.log(2) + 1e-4


def test_weights_of_examples_enter_the_entropy_of_lfq():
    h, layer = RNG.normal(size=(4, 2, 3)).astype("float32"), LFQ(3)
    weight = keras.ops.convert_to_tensor(np.array([1.0, 2.0, 0.0, 1.0], "float32"))
    weighted = harness.numpy(layer.terms({**layer(h), "sample_weight": weight})["entropy"])
    repeated = harness.numpy(layer.terms(layer(h[[0, 1, 1, 3]]))["entropy"])
    np.testing.assert_allclose(weighted[[0, 1, 1, 3]], repeated, rtol=1e-5)


def test_the_entropy_of_lfq_is_that_of_all_replicas(monkeypatch):
    h, layer = RNG.normal(size=(6, 2, 3)).astype("float32"), LFQ(3)
    whole = float(harness.numpy(layer.diversity(keras.ops.convert_to_tensor(h))))
    sent = []
    monkeypatch.setattr(_backend, "replica", lambda: (0, 2))
    monkeypatch.setattr(_backend, "cross_replica_sum", lambda value: sent.append(value) or value)
    layer.diversity(keras.ops.convert_to_tensor(h[:2]))  # what the other replica adds
    others = iter(sent)
    monkeypatch.setattr(_backend, "cross_replica_sum", lambda value: value + next(others))
    assert float(harness.numpy(layer.diversity(keras.ops.convert_to_tensor(h[2:])))) == pytest.approx(whole, rel=1e-5)


def test_the_entropy_term_makes_features_certain_and_codes_all_used():
    h = (0.3 + 0.05 * np.random.default_rng(0).normal(size=(64, 3))).astype("float32")  # all of one code
    layer = LFQ(3)
    for _ in range(8):
        h = h - harness.gradient(lambda x: layer.terms(layer(x))["entropy"], h)
    usage = CodebookUsage(8)
    usage.update_state(layer(h)["indices"])
    assert float(usage.result()) == 1.0
    assert np.abs(h).min() > 0.9


@pytest.mark.parametrize(
    "call, told, error",
    [
        (lambda: FSQ([2, 5]), r"`levels\[0\]` must be an integer >= 3", ValueError),
        (lambda: FSQ([]), "`levels` must be a sequence of 1 or more", ValueError),
        (lambda: FSQ(8), "`levels` must be a sequence", TypeError),
        (lambda: FSQ([1000] * 4), "`levels` must have a product of at most", ValueError),
        (lambda: FSQ([5, 5]).build((None, 3)), r"`len\(levels\)` must be the number of features .* here 3", ValueError),
        (lambda: LFQ(0), "`bits` must be an integer >= 1", ValueError),
        (lambda: LFQ(31), r"`bits` must be in \[1, 31\)", ValueError),
        (lambda: LFQ(4, joint_bits=21), r"`joint_bits` must be in \[1, 21\)", ValueError),
        (lambda: LFQ(4, entropy_weight=-1.0), "`entropy_weight` must be a finite number >= 0", ValueError),
        (lambda: LFQ(4, diversity_weight=-1.0), "`diversity_weight` must be a finite number >= 0", ValueError),
        (lambda: LFQ(4, temperature=0.0), "`temperature` must be a finite number > 0", ValueError),
        (lambda: LFQ(4).build((None, 3)), "`bits` must be the number of features .* here 3", ValueError),
        (lambda: LFQ(4).adapt(np.zeros((8, 4))), "`adapt` needs a quantizer whose codes can .*: a LFQ", ValueError),
    ],
)
def test_refuses(call, told, error):
    harness.check_refuses(call, told, error)
