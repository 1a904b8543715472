"""Codes by level: what is looked up is what was coded, each level knows those above it, and each learns."""

import numpy as np
import pytest
from keras import ops

import harness
import keras_vae

RNG = np.random.default_rng(0)
SMALL = {"hidden": 5, "residual_hidden": 2, "depth": 1}
SIZES = {"top": (2, 3), "middle": (2, 3), "bottom": (8, 12)}  # a level may be as fine as the one above it


def features(sizes=SIZES, dim=3, count=4):
    return {name: RNG.normal(size=(count, *size, dim)).astype("float32") for name, size in sizes.items()}


def made(h, sizes=(7, 5, 9), kinds=(keras_vae.VectorQuantizer,) * 3, seed=1, **options):
    levels = {name: kind(k, 3, seed=i) for i, (name, k, kind) in enumerate(zip(h, sizes, kinds, strict=True))}
    layer = keras_vae.HierarchicalQuantizer(levels, **SMALL, **options)
    layer.build({name: (None, *part.shape[1:]) for name, part in h.items()})
    harness.set_weights(layer, seed=seed)
    for net in (*layer.up.values(), *layer.merge.values()):
        for weight in net.weights:
            weight.assign(2.0 * harness.numpy(weight.value))  # so that it matters what stands above
    return layer


@pytest.fixture(scope="module")
def h():
    return features()


@pytest.fixture(scope="module")
def layer(h):
    return made(h)


@pytest.fixture(scope="module")
def outputs(layer, h):
    return harness.numpy(layer(h))


def test_what_is_looked_up_is_what_was_coded(layer, h, outputs):
    assert layer.codebook_size == {"top": 7, "middle": 5, "bottom": 9}
    assert {name: codes.shape for name, codes in outputs["indices"].items()} == {n: (4, *s) for n, s in SIZES.items()}
    assert outputs["z"].shape == (4, 8, 12, 6)  # a code beside what the levels above say
    np.testing.assert_allclose(harness.numpy(layer.lookup(outputs["indices"])), outputs["z"], atol=1e-5)
    codebook = harness.numpy(layer.levels["bottom"].codebook.value)
    np.testing.assert_allclose(outputs["z"][..., :3], codebook[outputs["indices"]["bottom"]], atol=1e-5)


def test_each_level_by_hand(layer, h, outputs):
    """Level by level, from the parts: its features beside what is known above it, through a 1x1 kernel."""
    known, commitment, codebook_loss = None, 0.0, 0.0
    for name, quantizer in layer.levels.items():
        x, above = h[name], None
        if known is not None:
            above = harness.numpy(layer.up[name](known))
            kernel, bias = (harness.numpy(w.value) for w in layer.merge[name].weights)
            x = np.concatenate([x, above], axis=-1) @ kernel[0, 0] + bias
        codes = harness.numpy(quantizer.codebook.value)
        distances = np.square(x[..., None, :] - codes).sum(axis=-1)
        assert (distances.argmin(axis=-1) == outputs["indices"][name]).mean() > 0.99
        nearest = codes[outputs["indices"][name]]
        error = np.square(x - nearest).sum(axis=(1, 2, 3))
        commitment, codebook_loss = commitment + error, codebook_loss + error
        known = nearest if above is None else np.concatenate([nearest, above], axis=-1)
    np.testing.assert_allclose(outputs["commitment"], commitment, rtol=1e-4)
    np.testing.assert_allclose(outputs["codebook"], codebook_loss, rtol=1e-4)


def test_a_level_is_coded_given_those_above_it_and_not_those_below(layer, h, outputs):
    for level, reached in (("top", {"middle", "bottom"}), ("middle", {"bottom"}), ("bottom", set())):
        other = {**h, level: -3.0 * h[level]}
        codes = harness.numpy(layer(other)["indices"])
        changed = {name for name in codes if (codes[name] != outputs["indices"][name]).any()}
        assert changed - {level} <= reached and level in changed
        if level == "top":
            assert "bottom" in changed


def test_one_level_is_that_levels_quantizer():
    h = features({"codes": (4, 4)})
    quantizer = keras_vae.VectorQuantizer(6, 3, seed=2)
    layer = keras_vae.HierarchicalQuantizer({"codes": quantizer})
    whole, alone = (harness.numpy(one) for one in (layer(h), quantizer(h["codes"])))
    np.testing.assert_array_equal(whole.pop("indices")["codes"], alone.pop("indices"))
    for name, value in alone.items():
        np.testing.assert_array_equal(whole[name], value)


def test_the_gradient_reaches_the_features_of_every_level(layer, h):
    names = list(h)
    for name in names:
        total = lambda x, name=name: ops.sum(layer({**h, name: x})["z"] ** 2)  # noqa: E731
        assert np.abs(harness.gradient(total, h[name])).max() > 1e-4


@pytest.mark.parametrize("weights", [None, [1.0, 0.0, 0.0, 2.0]])
def test_every_codebook_of_averages_follows_its_own_features(h, weights):
    kinds = (keras_vae.VectorQuantizerEMA, keras_vae.VectorQuantizer, keras_vae.VectorQuantizerEMA)
    layer = made(h, kinds=kinds)
    assert layer.learned_by_gradient and not made(h, kinds=kinds[:1] * 3).learned_by_gradient
    for name in ("top", "bottom"):
        layer.levels[name].restart_threshold = 0.0
    given = {} if weights is None else {"sample_weight": ops.convert_to_tensor(np.array(weights, "float32"))}
    outputs = layer(h, training=True)
    counts = {name: harness.numpy(layer.levels[name].counts.value).copy() for name in ("top", "bottom")}
    gradient_alone = harness.numpy(layer.levels["middle"].codebook.value).copy()
    layer.update({**outputs, **given})
    for name, before in counts.items():
        codes = harness.numpy(outputs["indices"][name])
        each = np.ones(codes.shape) if weights is None else np.reshape(weights, (4, 1, 1)) * np.ones(codes.shape)
        seen = np.bincount(codes.ravel(), each.ravel(), minlength=len(before))
        found = harness.numpy(layer.levels[name].counts.value)
        np.testing.assert_allclose(found, 0.99 * before + 0.01 * seen, rtol=1e-5)
    np.testing.assert_array_equal(harness.numpy(layer.levels["middle"].codebook.value), gradient_alone)


def test_dropout_keeps_the_first_levels_in_training_alone():
    h = features(count=300)
    layer = made(h, dropout=0.6, seed=3)
    outputs = layer(h, training=True)
    terms, outputs = harness.numpy(layer.terms(outputs)), harness.numpy(outputs)
    count = outputs["kept"].sum(axis=1).astype(int)
    np.testing.assert_array_equal(outputs["kept"], np.arange(3) < count[:, None])
    # A level is lost where the draw says so and is of fewer than three: .6 x 2/3 of the examples.
    assert abs((count < 3).mean() - 0.4) < 0.1 and abs((count == 1).mean() - 0.2) < 0.08
    for n in (1, 2, 3):
        expected = harness.numpy(layer.lookup(outputs["indices"], levels=n))[count == n]
        np.testing.assert_allclose(outputs["z"][count == n], expected, atol=1e-5)
    assert (outputs["z"][count == 2, ..., :3] == 0).all() and (outputs["z"][count == 2, ..., 3:] != 0).mean() > 0.9
    for term in ("commitment", "codebook"):
        each = np.stack([outputs["levels"][name][term] for name in h], axis=1)
        np.testing.assert_allclose(outputs[term], (each * outputs["kept"]).sum(axis=1), rtol=1e-4)
        np.testing.assert_allclose(terms[term], outputs[term], rtol=1e-4)
    still = harness.numpy(layer(h))
    assert "kept" not in still
    np.testing.assert_allclose(still["z"], harness.numpy(layer.lookup(still["indices"])), atol=1e-5)


def test_a_level_learns_from_the_examples_that_keep_it(h):
    kept = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 1]], "float32")
    weight = np.array([1.0, 1.0, 2.0, 0.0], "float32")
    layer = made(h, kinds=(keras_vae.VectorQuantizerEMA,) * 3, dropout=1.0)
    given = {"kept": ops.convert_to_tensor(kept), "sample_weight": ops.convert_to_tensor(weight)}
    before = [harness.numpy(level.counts.value).sum() for level in layer.levels.values()]
    for level in layer.levels.values():
        level.restart_threshold = 0.0
    layer.update({**layer(h, training=True), **given})
    for i, (name, level) in enumerate(layer.levels.items()):
        positions = np.prod(SIZES[name])
        expected = 0.99 * before[i] + 0.01 * positions * (kept[:, i] * weight).sum()
        assert harness.numpy(level.counts.value).sum() == pytest.approx(expected, rel=1e-5)


def test_dropout_may_end_but_not_begin_in_training(h):
    layer = made(h, dropout=1.0)
    layer.dropout = 0.0
    outputs = harness.numpy(layer(h, training=True))
    assert (outputs["kept"] == 1).all()
    np.testing.assert_allclose(outputs["z"], harness.numpy(layer(h)["z"]), atol=1e-6)
    without = made(h)
    assert "kept" not in without(h, training=True)
    harness.check_refuses(lambda: setattr(without, "dropout", 0.5), "`dropout` must be more than 0 from the start")
    harness.check_refuses(lambda: setattr(layer, "dropout", 1.5), r"`dropout` must be in \[0, 1\]")
    harness.check_refuses(lambda: made(h, dropout=-0.1), r"`dropout` must be in \[0, 1\]")
    for levels in (0, 4):
        harness.check_refuses(lambda levels=levels: layer.lookup(outputs["indices"], levels=levels), "`levels` must be")


@pytest.mark.parametrize("sizes", [((4,), (16,)), ((2, 2, 1), (4, 4, 2))], ids=str)
def test_levels_over_one_and_three_axes(sizes):
    h = features(dict(zip(("top", "bottom"), sizes, strict=True)))
    layer = made(h, (7, 5), (keras_vae.VectorQuantizer,) * 2)
    outputs = harness.numpy(layer(h))
    np.testing.assert_allclose(harness.numpy(layer.lookup(outputs["indices"])), outputs["z"], atol=1e-5)


def test_refusals():
    quantizer = lambda: keras_vae.VectorQuantizer(5, 3)  # noqa: E731
    make = keras_vae.HierarchicalQuantizer
    for levels, message in (
        ([quantizer()], "`levels` must be a dict of Quantizers, the top level first"),
        ({}, "`levels` must be a dict of Quantizers, the top level first"),
        ({"top": keras_vae.KSparse(2)}, r"`levels\['top'\]` must be a keras_vae Quantizer"),
    ):
        harness.check_refuses(lambda levels=levels: make(levels), message, TypeError)
    shared = quantizer()  # a file would have it twice, and its weights once
    harness.check_refuses(lambda: make({"top": shared, "bottom": shared}), "2 levels, 1 different quantizers")
    for name in ("hidden", "residual_hidden"):
        harness.check_refuses(lambda name=name: make({"top": quantizer()}, **{name: 0}), f"`{name}` must be an integer")
    harness.check_refuses(lambda: make({"top": quantizer()}, depth=-1), "`depth` must be an integer >= 0")
    for shapes, message in (
        ({"top": (None, 2, 2, 3)}, r"The features must be a dict by level, \['bottom', 'top'\]"),
        ((None, 2, 2, 3), "The features must be a dict by level"),
        ({"top": (None, 2, 2, 3), "bottom": (None, 6, 6, 3)}, r"power of two.*Received: sizes \(6, 6\) of 'bottom'"),
        ({"top": (None, 2, 2, 3), "bottom": (None, 4, 8, 3)}, "the same along every axis"),
        ({"top": (None, 4, 4, 3), "bottom": (None, 2, 2, 3)}, "must be larger than those above it"),
        ({"top": (None, 4, 3), "bottom": (None, 4, 4, 3)}, "the same along every axis"),
        ({"top": (None, None, 4, 3), "bottom": (None, 4, 4, 3)}, r"must be of known sizes.*\(None, 4\)"),
    ):
        layer = make({"top": quantizer(), "bottom": quantizer()})
        harness.check_refuses(lambda layer=layer, shapes=shapes: layer.build(shapes), message)


def test_levels_of_other_kinds():
    """Each level has its own number of codebooks, and terms of the loss as it weighs them."""
    averages = [keras_vae.VectorQuantizerEMA(4, 3, seed=i) for i in range(2)]
    levels = {"top": keras_vae.ResidualVectorQuantizer(averages), "bottom": keras_vae.LFQ(3, entropy_weight=0.3)}
    quantizer = keras_vae.HierarchicalQuantizer(levels, hidden=4, residual_hidden=2, depth=0)
    rng = np.random.default_rng(0)
    h = {"top": rng.normal(size=(2, 2, 2, 3)), "bottom": rng.normal(size=(2, 4, 4, 3))}
    outputs = quantizer({name: part.astype("float32") for name, part in h.items()}, training=True)
    assert quantizer.codebooks == {"top": 2, "bottom": 1} and quantizer.codebook_size == {"top": 4, "bottom": 8}
    assert tuple(outputs["indices"]["top"].shape) == (2, 2, 2, 2)
    terms = harness.numpy(quantizer.terms(outputs))
    own = {name: harness.numpy(levels[name].terms(outputs["levels"][name])) for name in levels}
    np.testing.assert_allclose(terms["commitment"], own["top"]["commitment"] + own["bottom"]["commitment"], rtol=1e-5)
    np.testing.assert_allclose(terms["entropy"], 0.3 * own["bottom"]["entropy"], rtol=1e-5)
    assert quantizer.term_weights == {"entropy": 1.0} and np.abs(terms["entropy"]).min() > 0.01


def test_codes_of_each_level_start_at_what_it_codes():
    """The top one at its features, the bottom one at its features merged with what the top says."""
    quantizer = keras_vae.HierarchicalQuantizer(
        {name: keras_vae.VectorQuantizerEMA(3, 2, seed=1) for name in ("top", "bottom")}, hidden=4, residual_hidden=2
    )
    rng = np.random.default_rng(0)
    centres = np.array([[4.0, 0.0], [-4.0, 0.0], [0.0, 6.0]])
    h = {"top": centres[rng.integers(0, 3, (20, 1, 1))], "bottom": rng.normal(size=(20, 2, 2, 2))}
    h = {name: (part + 0.01 * rng.normal(size=part.shape)).astype("float32") for name, part in h.items()}
    quantizer.adapt(h, seed=0)
    before = harness.numpy(quantizer.levels["bottom"].codebook)
    found = harness.numpy(quantizer.levels["top"].codebook)
    np.testing.assert_allclose(found[np.lexsort(found.T)], centres[np.lexsort(centres.T)], atol=0.05)
    outputs = quantizer(h)
    merged, _ = quantizer._given_above("bottom", h["bottom"], outputs["levels"]["top"]["z"])
    rows, codes = harness.numpy(merged).reshape(-1, 2), harness.numpy(outputs["indices"]["bottom"]).ravel()
    means = np.stack([rows[codes == k].mean(axis=0) for k in range(3)])
    np.testing.assert_allclose(before, means, atol=1e-4)  # k-means: each centre is the mean of what is nearest to it
    harness.check_refuses(lambda: quantizer.adapt({"top": h["top"]}), "must be a dict by level")


def test_levels_of_fixed_codes_stay_where_others_start_at_data(monkeypatch):
    """By batches, as in one piece: three examples at a time of twenty."""
    rng = np.random.default_rng(1)
    h = {"top": rng.normal(size=(20, 2, 2, 3)), "bottom": rng.normal(size=(20, 4, 4, 3))}
    h = {name: part.astype("float32") for name, part in h.items()}

    def adapted(top):
        levels = {"top": top, "bottom": keras_vae.VectorQuantizer(6, 3)}
        quantizer = keras_vae.HierarchicalQuantizer(levels, hidden=4, residual_hidden=2, depth=1)
        quantizer.build({name: (None, *part.shape[1:]) for name, part in h.items()})
        harness.set_weights(quantizer, seed=3)
        quantizer.adapt(h, method="sample", seed=2)
        return quantizer

    quantizer = adapted(keras_vae.FSQ([5, 4, 3]))
    merged, _ = quantizer._given_above("bottom", h["bottom"], quantizer.levels["top"](h["top"])["z"])
    rows, codes = harness.numpy(merged).reshape(-1, 1, 3), harness.numpy(quantizer.levels["bottom"].codebook.value)
    assert np.abs(rows - codes).max(axis=2).min(axis=0).max() < 1e-5
    monkeypatch.setattr("keras_vae.bottlenecks.hierarchical_quantizer.BATCH", 3)
    again = harness.numpy(adapted(keras_vae.FSQ([5, 4, 3])).levels["bottom"].codebook.value)
    np.testing.assert_allclose(again[np.lexsort(again.T)], codes[np.lexsort(codes.T)], atol=1e-5)
    fixed = keras_vae.HierarchicalQuantizer({"codes": keras_vae.FSQ([5, 4, 3])})
    harness.check_refuses(lambda: fixed.adapt({"codes": h["top"]}), "`adapt` needs a quantizer whose codes can start")
