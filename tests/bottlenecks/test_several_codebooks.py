"""Residual and grouped codebooks: sums by level, the commitment at each of them, what each codebook learns from."""

import keras
import numpy as np
import pytest

import harness
import reference
from keras_vae.bottlenecks import (
    FSQ,
    GroupedVectorQuantizer,
    ResidualVectorQuantizer,
    SimVQ,
    VectorQuantizer,
    VectorQuantizerEMA,
)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 5, 4)).astype("float32")
CODEBOOKS = [(0.7**level * RNG.normal(size=(8, 4))).astype("float32") for level in range(3)]


def codebook(values, kind=VectorQuantizer, **kwargs):
    values = np.asarray(values, "float32")
    part = kind(*values.shape, **kwargs)
    part.build((None, values.shape[1]))
    part.start_at(values)
    return part


def ema(values, **kwargs):
    return codebook(values, VectorQuantizerEMA, **{"decay": 0.5, "restart_threshold": 0.0, **kwargs})


def residual(kinds=(codebook, codebook, codebook), **kwargs):
    return ResidualVectorQuantizer([kind(values) for kind, values in zip(kinds, CODEBOOKS, strict=True)], **kwargs)


def by_hand(x):
    """(indices, codes, what is left over) of each level, one after the other."""
    left, found = x.reshape(-1, 4).astype("float64"), []
    for values in CODEBOOKS:
        indices = reference.nearest(left, values)
        left = left - values[indices]
        found.append([part.reshape(*x.shape[:-1], -1) for part in (indices, values[indices], left)])
    return [np.stack(parts, axis=-1) for parts in zip(*found, strict=True)]


@pytest.mark.parametrize("kind", [codebook, ema])
def test_residual_values_are_those_by_hand(kind):
    layer = residual([kind] * 3)
    outputs, (indices, codes, left) = harness.numpy(layer(X)), by_hand(X)
    np.testing.assert_array_equal(outputs["indices"], indices[..., 0, :])
    np.testing.assert_allclose(outputs["z"], codes.sum(axis=-1), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(outputs["z"], harness.numpy(layer.lookup(outputs["indices"])))
    np.testing.assert_allclose(outputs["commitment"], (left**2).sum(axis=(1, 2, 3)), rtol=1e-4)
    assert ("codebook" in outputs) == (kind is codebook) == layer.learned_by_gradient
    if kind is codebook:
        np.testing.assert_allclose(outputs["codebook"], outputs["commitment"], rtol=1e-5)
    for level in (1, 2, 3):
        partial = harness.numpy(layer.lookup(outputs["indices"], levels=level))
        np.testing.assert_allclose(partial, codes[..., :level].sum(axis=-1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [codebook, ema])
def test_the_commitment_pulls_the_encoder_at_every_level(kind):
    """keras-hub's residual quantizer passes none from the second level on: there the output is subtracted as it is."""
    _, _, left = by_hand(X)
    before = 0.0
    for count in (1, 2, 3):
        layer = ResidualVectorQuantizer([kind(values) for values in CODEBOOKS[:count]])
        slope = harness.gradient(lambda x, layer=layer: layer(x)["commitment"], X)
        of_level = slope - before
        np.testing.assert_allclose(of_level, 2 * left[..., count - 1], rtol=1e-3, atol=1e-4)
        assert np.abs(of_level).mean() > 0.1
        before = slope


def test_the_gradient_through_z_is_that_of_one_quantizer():
    np.testing.assert_allclose(harness.gradient(lambda x: residual()(x)["z"], X), 1.0, rtol=1e-6)
    weight = RNG.normal(size=X.shape).astype("float32")
    layer = residual(gradient="rotation")
    turned = harness.gradient(lambda x: keras.ops.multiply(layer(x)["z"], weight), X)
    z = harness.numpy(layer(X)["z"])
    lengths = [np.linalg.norm(part, axis=-1) for part in (turned, z, weight, X)]
    np.testing.assert_allclose(lengths[0], lengths[1] * lengths[2] / lengths[3], rtol=1e-3)  # scaled, and rotated


@harness.needs("sklearn")
def test_the_error_falls_with_every_level():
    x = np.random.default_rng(1).normal(size=(400, 4)).astype("float32")
    layer = ResidualVectorQuantizer([VectorQuantizerEMA(8, 4, seed=i) for i in range(4)])
    layer.adapt(x)
    indices = layer(x)["indices"]
    errors = [np.square(x - harness.numpy(layer.lookup(indices, levels=n))).sum() for n in (1, 2, 3, 4)]
    assert all(after < 0.85 * before for before, after in zip([np.square(x).sum(), *errors], errors, strict=False))


def test_each_level_learns_from_its_own_residuals():
    layer = residual([ema, ema, ema])
    layer.update(layer(X, training=True))
    left = X.reshape(-1, 4).astype("float64")
    for level, values in zip(layer.levels, CODEBOOKS, strict=True):
        expected = reference.ema_update(values.astype("float64"), np.ones(8), values.astype("float64"), left, 0.5)
        np.testing.assert_allclose(harness.numpy(level.codebook.value), expected[0], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(harness.numpy(level.counts.value), expected[1], rtol=1e-6)
        left = left - values[reference.nearest(left, values)]


@pytest.mark.parametrize("make", [lambda: residual([ema, codebook, ema]), lambda: grouped(ema)])
def test_examples_of_weight_zero_move_no_codebook(make):
    weighted, without = make(), make()
    weight = keras.ops.convert_to_tensor(np.array([1.0] * 4 + [0.0] * 2, "float32"))
    weighted.update({**weighted(X, training=True), "sample_weight": weight})
    without.update(without(X[:4], training=True))
    for one, other, start in zip(weighted.parts, without.parts, make().parts, strict=True):
        values = [harness.numpy(part.codebook.value) for part in (one, other, start)]
        np.testing.assert_allclose(values[0], values[1], rtol=1e-5, atol=1e-6)
        assert np.array_equal(values[0], values[2]) == one.learned_by_gradient


def test_a_frozen_level_stays():
    layer = residual([ema, ema, ema])
    layer.levels[1].trainable = False
    layer.update(layer(X, training=True))
    moved = [not np.array_equal(p.codebook.value, v) for p, v in zip(layer.levels, CODEBOOKS, strict=True)]
    assert moved == [True, False, True]


def test_dropout_keeps_the_first_levels_in_training_alone():
    x = np.random.default_rng(2).normal(size=(300, 2, 4)).astype("float32")
    layer = residual([codebook, ema, ema], dropout=0.6, seed=3)
    outputs = harness.numpy(layer(x, training=True))
    count = outputs["kept"].sum(axis=1).astype(int)
    np.testing.assert_array_equal(outputs["kept"], np.arange(3) < count[:, None])
    # A level is lost where the draw says so and is of fewer than three: .6 x 2/3 of the examples.
    assert abs((count < 3).mean() - 0.4) < 0.1 and abs((count == 1).mean() - 0.2) < 0.08
    indices, _, left = by_hand(x)
    np.testing.assert_array_equal(outputs["indices"], indices[..., 0, :])  # what is counted does not depend on it
    squares = (left**2).sum(axis=(1, 2))
    np.testing.assert_allclose(outputs["commitment"], (squares * outputs["kept"]).sum(axis=1), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(outputs["codebook"], squares[:, 0], rtol=1e-3, atol=1e-5)  # of the first level
    for n in (1, 2, 3):
        expected = harness.numpy(layer.lookup(outputs["indices"], levels=n))[count == n]
        np.testing.assert_array_equal(outputs["z"][count == n], expected)
    still = harness.numpy(layer(x))
    assert "kept" not in still
    np.testing.assert_array_equal(still["z"], harness.numpy(layer.lookup(still["indices"])))


def test_a_level_learns_from_the_examples_that_keep_it():
    kept = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0], [1, 1, 1], [1, 1, 0]], "float32")
    weight = np.array([1.0, 1.0, 2.0, 1.0, 0.0, 1.0], "float32")
    given = {"kept": keras.ops.convert_to_tensor(kept), "sample_weight": keras.ops.convert_to_tensor(weight)}
    layer = residual([ema, ema, ema])
    layer.update({**layer(X, training=True), **given})
    for i, level in enumerate(layer.levels):
        total = harness.numpy(level.counts.value).sum()
        assert total == pytest.approx(0.5 * 8 + 0.5 * 5 * (kept[:, i] * weight).sum(), rel=1e-5)


def test_dropout_may_end_but_not_begin_in_training():
    layer, without = residual([codebook, ema, ema], dropout=1.0), residual([codebook, ema, ema])
    assert (harness.numpy(layer(X, training=True)["kept"]) == 0).any()
    layer.dropout = 0.0
    outputs = harness.numpy(layer(X, training=True))
    assert (outputs["kept"] == 1).all()
    np.testing.assert_array_equal(outputs["z"], harness.numpy(layer(X)["z"]))
    assert "kept" not in without(X, training=True)
    harness.check_refuses(lambda: setattr(without, "dropout", 0.5), "`dropout` must be more than 0 from the start")
    harness.check_refuses(lambda: setattr(layer, "dropout", 1.5), r"`dropout` must be in \[0, 1\]")


def grouped(kind=codebook):
    return GroupedVectorQuantizer([kind(CODEBOOKS[0][:, :3]), kind(CODEBOOKS[1][:, 3:])])


def test_groups_are_quantized_each_by_itself():
    layer, outputs = grouped(), harness.numpy(grouped()(X))
    parts = [(X[..., :3], CODEBOOKS[0][:, :3]), (X[..., 3:], CODEBOOKS[1][:, 3:])]
    for i, (x, values) in enumerate(parts):
        expected = reference.nearest(x.reshape(-1, x.shape[-1]), values).reshape(x.shape[:-1])
        np.testing.assert_array_equal(outputs["indices"][..., i], expected)
    np.testing.assert_allclose(outputs["commitment"], sum(reference.vq_losses(*p) for p in parts), rtol=1e-5)
    np.testing.assert_allclose(outputs["codebook"], outputs["commitment"], rtol=1e-6)
    np.testing.assert_array_equal(outputs["z"], harness.numpy(layer.lookup(outputs["indices"])))
    np.testing.assert_allclose(harness.gradient(lambda x: layer(x)["z"], X), 1.0)


def test_groups_start_each_at_their_own_features():
    layer = GroupedVectorQuantizer([VectorQuantizer(5, 3), SimVQ(5, 1)])
    layer.adapt(X, method="sample", seed=1)
    rows = [{tuple(r) for r in part.reshape(-1, part.shape[-1])} for part in (X[..., :3], X[..., 3:])]
    for group, own in zip(layer.groups, rows, strict=True):
        assert {tuple(r) for r in harness.numpy(group.lookup(np.arange(5)))} <= own


ONE = VectorQuantizer(8, 4)


@pytest.mark.parametrize(
    "call, told, error",
    [
        (lambda: ResidualVectorQuantizer([]), "`levels` must be one or more codebooks", ValueError),
        (lambda: ResidualVectorQuantizer(ONE), "`levels` must be a list or a tuple", TypeError),
        (lambda: GroupedVectorQuantizer(None), "`groups` must be a list or a tuple. Received: groups=None", TypeError),
        (lambda: grouped().adapt(3), "`features` must hold at least one example", ValueError),
        (lambda: grouped().adapt(np.full((9, 4), np.inf)), "`features` must be finite", ValueError),
        (
            lambda: ResidualVectorQuantizer([ONE] * 3),
            "each a layer of its own. Received: 3 codebooks, 1",
            ValueError,
        ),
        (lambda: ResidualVectorQuantizer([FSQ([5])]), r"`levels\[0\]` must be a keras_vae Codebook", TypeError),
        (
            lambda: ResidualVectorQuantizer([ONE, VectorQuantizer(9, 4)]),
            r"`levels` must have one codebook_size. Received: levels of codebook_size=\[8, 9\]",
            ValueError,
        ),
        (
            lambda: ResidualVectorQuantizer([ONE, VectorQuantizer(8, 3)]),
            r"`levels` must have one embedding_dim. Received: levels of embedding_dim=\[4, 3\]",
            ValueError,
        ),
        (
            lambda: ResidualVectorQuantizer([ONE, VectorQuantizer(8, 4, metric="cosine")]),
            r"`levels` must have metric='euclidean'.*levels\[1\] with metric='cosine'",
            ValueError,
        ),
        (lambda: ResidualVectorQuantizer([ONE], dropout=1.5), r"`dropout` must be in \[0, 1\]", ValueError),
        (lambda: ResidualVectorQuantizer([ONE], gradient="no"), "`gradient` must be one of", ValueError),
        (lambda: residual().lookup(np.zeros((1, 3), int), levels=4), r"`levels` must be in \[1, 3\]", ValueError),
        (lambda: residual().lookup(np.zeros((1, 3), int), levels=0), "`levels` must be an integer >= 1", ValueError),
        (lambda: ResidualVectorQuantizer([VectorQuantizer(8, 4)]).build((None, 5)), "`embedding_dim` must", ValueError),
        (lambda: grouped().build((None, 5)), "`sum of embedding_dim` must be the number of .* here 5", ValueError),
        (lambda: GroupedVectorQuantizer([ONE, VectorQuantizer(9, 4)]), "`groups` must have one", ValueError),
    ],
)
def test_refuses(call, told, error):
    harness.check_refuses(call, told, error)
