"""What all codebooks share: cosine lookup, the rotation trick, a start at data; and the frozen one of SimVQ."""

import keras
import numpy as np
import pytest

import harness
import reference
from keras_vae.bottlenecks import SimVQ, VectorQuantizer, VectorQuantizerEMA
from keras_vae.ops import rotate_through

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 7, 4)).astype("float32")
CENTRES = np.array([[9.0, 0.0], [0.0, 5.0], [-7.0, -7.0]])
KINDS = [VectorQuantizer, VectorQuantizerEMA, SimVQ]


def layer(kind=VectorQuantizer, codebook_size=6, embedding_dim=4, **kwargs):
    quantizer = kind(codebook_size, embedding_dim, **kwargs)
    quantizer.build((None, embedding_dim))
    return quantizer


def unit(x):
    x = np.asarray(x, "float64")
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def clusters(per_centre=20, seed=0):
    """Features about three centres, (3 per_centre, D), shuffled, and the means of the clusters."""
    rng = np.random.default_rng(seed)
    parts = CENTRES[:, None] + 0.1 * rng.normal(size=(3, per_centre, 2))
    return rng.permutation(parts.reshape(-1, 2)).astype("float32"), parts.mean(axis=1)


def by_first(rows):
    return rows[np.argsort(rows[:, 0])]


def test_cosine_lookup_is_that_of_brute_force():
    rng = np.random.default_rng(3)
    codebook, x = rng.normal(size=(700, 6)).astype("float32"), rng.normal(size=(40, 50, 6)).astype("float32")
    codebook *= rng.uniform(0.01, 100.0, (700, 1)).astype("float32")  # lengths say nothing
    quantizer = layer(codebook_size=700, embedding_dim=6, metric="cosine")
    quantizer.codebook.assign(codebook)
    outputs = harness.numpy(quantizer(x))
    cosines = unit(x) @ unit(codebook).T
    best = cosines.argmax(axis=-1)
    assert np.mean(outputs["indices"] == best) > 0.9995
    np.testing.assert_allclose(outputs["z"], unit(codebook)[outputs["indices"]], rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(outputs["z"], harness.numpy(quantizer.lookup(outputs["indices"])))
    np.testing.assert_allclose(outputs["commitment"], (2 - 2 * cosines.max(axis=-1)).sum(axis=1), rtol=1e-3)
    np.testing.assert_allclose(outputs["codebook"], outputs["commitment"], rtol=1e-6)


def test_cosine_does_not_see_the_length_of_a_feature():
    quantizer = layer(metric="cosine")
    one, other = (harness.numpy(quantizer(scale * X)) for scale in (1.0, 37.0))
    np.testing.assert_array_equal(one["indices"], other["indices"])
    np.testing.assert_allclose(one["commitment"], other["commitment"], rtol=1e-4)


def test_moving_averages_with_cosine_are_means_of_unit_vectors():
    quantizer = layer(VectorQuantizerEMA, metric="cosine", decay=0.8, restart_threshold=0.0, seed=2)
    codebook = harness.numpy(quantizer.codebook.value).astype("float64")
    counts, sums = np.ones(6), codebook.copy()
    for step in range(3):
        x = np.random.default_rng(step).normal(size=(30, 4)).astype("float32")
        indices = reference.nearest(unit(x), unit(codebook))
        n = np.bincount(indices, minlength=6)
        counts, sums = 0.8 * counts + 0.2 * n, 0.8 * sums
        np.add.at(sums, indices, 0.2 * unit(x))
        codebook = np.where(n[:, None] > 0, sums / counts[:, None], codebook)
        quantizer.update(quantizer(x, training=True))
        np.testing.assert_allclose(harness.numpy(quantizer.codebook.value), codebook, rtol=1e-4, atol=1e-6)
    assert (np.linalg.norm(codebook[n > 0], axis=1) < 1).all()  # a mean of unit vectors lies within the sphere
    np.testing.assert_allclose(harness.numpy(quantizer.lookup(np.arange(6))), unit(codebook), rtol=1e-4, atol=1e-6)


def test_without_decay_it_is_lloyds_algorithm_on_the_published_example():
    """The example of scikit-learn's KMeans: six points, whose two centres are printed there as (10, 2) and (1, 2)."""
    x = np.array([[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]], "float32")
    quantizer = layer(VectorQuantizerEMA, 2, 2, decay=0.0, restart_threshold=0.0)
    quantizer.start_at(x[[4, 1]])
    for _ in range(2):
        quantizer.update(quantizer(x, training=True))
    np.testing.assert_allclose(harness.numpy(quantizer.codebook.value), [[10, 2], [1, 2]], rtol=1e-6)
    np.testing.assert_array_equal(harness.numpy(quantizer.counts.value), [3, 3])
    np.testing.assert_array_equal(harness.numpy(quantizer(np.array([[0, 0], [12, 3]], "float32"))["indices"]), [1, 0])


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_the_rotation_reaches_the_features_of_a_layer(metric):
    quantizer = layer(gradient="rotation", metric=metric, seed=1)
    weight = np.random.default_rng(2).normal(size=X.shape).astype("float32")
    indices = quantizer(X)["indices"]
    got = harness.gradient(lambda x: keras.ops.multiply(quantizer(x)["z"], weight), X)
    e = quantizer.lookup(indices)
    expected = harness.gradient(lambda x: keras.ops.multiply(rotate_through(quantizer.compared(x), e), weight), X)
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)
    straight = harness.gradient(lambda x: keras.ops.multiply(layer(metric=metric, seed=1)(x)["z"], weight), X)
    assert np.abs(got - straight).max() > 0.1
    np.testing.assert_array_equal(harness.numpy(quantizer(X)["z"]), harness.numpy(e))


def test_sim_vq_learns_the_map_and_not_the_rows():
    quantizer = layer(SimVQ, seed=1)
    assert [w.path.split("/")[-1] for w in quantizer.trainable_variables] == ["mixing"]
    plain = layer(VectorQuantizer, seed=1)
    harness.assert_close(dict(quantizer(X)), dict(plain(X)))  # W starts at the identity
    w = RNG.normal(size=(4, 4)).astype("float32")
    quantizer.mixing.assign(w)
    codes = harness.numpy(quantizer.codebook.value) @ w
    outputs = harness.numpy(quantizer(X))
    indices = reference.nearest(X.reshape(-1, 4), codes).reshape(5, 7)
    np.testing.assert_array_equal(outputs["indices"], indices)
    np.testing.assert_allclose(outputs["z"], codes[indices], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs["codebook"], reference.vq_losses(X, codes), rtol=1e-4)


def test_one_step_of_sim_vq_moves_codes_that_nothing_is_near_to():
    quantizer = layer(SimVQ, codebook_size=50, seed=1)
    x = keras.Input((7, 4))
    model = keras.Model(x, quantizer(x)["codebook"])
    model.compile(keras.optimizers.SGD(0.1), loss=lambda y, codebook: keras.ops.mean(codebook))
    before, unused = harness.numpy(quantizer.lookup(np.arange(50))), np.ones(50, bool)
    unused[np.unique(harness.numpy(quantizer(X[:1])["indices"]))] = False
    rows = harness.numpy(quantizer.codebook.value)
    model.train_on_batch(X[:1], np.zeros(1))
    after = harness.numpy(quantizer.lookup(np.arange(50)))
    assert unused.sum() > 40 and (np.abs(after - before)[unused].max(axis=1) > 1e-3).all()
    np.testing.assert_array_equal(harness.numpy(quantizer.codebook.value), rows)


@harness.needs("sklearn")
@pytest.mark.parametrize("kind", KINDS)
def test_k_means_finds_the_clusters_made_by_hand(kind):
    x, means = clusters()
    quantizer = kind(3, 2, seed=1)
    quantizer.adapt(x.reshape(4, 15, 2))  # positions count as examples do; it need not be built before
    found = harness.numpy(quantizer.lookup(np.arange(3)))
    np.testing.assert_allclose(by_first(found), by_first(means), rtol=1e-4, atol=1e-4)
    if kind is VectorQuantizerEMA:
        np.testing.assert_array_equal(harness.numpy(quantizer.counts.value), 1.0)
        np.testing.assert_array_equal(harness.numpy(quantizer.sums.value), harness.numpy(quantizer.codebook.value))
    assert reference.perplexity(harness.numpy(quantizer(x)["indices"]), 3) == pytest.approx(3.0, rel=1e-6)


@harness.needs("sklearn")
def test_k_means_with_cosine_is_of_directions():
    x, _ = clusters()
    lengths = np.random.default_rng(1).uniform(0.1, 10.0, (len(x), 1)).astype("float32")
    quantizer = VectorQuantizer(3, 2, metric="cosine")
    quantizer.adapt(x * lengths)
    np.testing.assert_allclose(
        by_first(harness.numpy(quantizer.lookup(np.arange(3)))), by_first(unit(CENTRES)), atol=0.02
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_sample_is_of_different_features_and_by_its_seed(kind):
    x, _ = clusters()
    found = []
    for seed in (3, 3, 4):
        quantizer = kind(40, 2)
        quantizer.adapt(x, method="sample", seed=seed)
        found.append(harness.numpy(quantizer.lookup(np.arange(40))))
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])
    assert len(np.unique(found[0], axis=0)) == 40
    assert {tuple(row) for row in found[0]} <= {tuple(row) for row in x}


def blank(rows):
    """Blank parts of images, all alike, before `rows` that differ; zeros of either sign are one vector."""
    return np.concatenate([np.zeros((3000, 2)), -np.zeros((3000, 2)), rows]).astype("float32")


def test_a_sample_of_many_equal_features_has_no_code_twice():
    rows = np.random.default_rng(0).normal(size=(20, 2))
    quantizer = VectorQuantizer(21, 2)
    quantizer.adapt(blank(rows), method="sample")
    found = harness.numpy(quantizer.codebook.value)
    np.testing.assert_allclose(by_first(found), by_first(np.concatenate([rows, np.zeros((1, 2))])), rtol=1e-6)


@harness.needs("sklearn")
def test_k_means_of_many_equal_features_loses_none_of_the_others():
    """They are one in two thousand: a sample of the features had none of them, and all codes but one were equal."""
    quantizer = VectorQuantizer(4, 2)
    quantizer.adapt(blank(CENTRES))
    found = harness.numpy(quantizer.codebook.value).round(5) + 0.0
    assert {tuple(row) for row in found} == {(0.0, 0.0), *map(tuple, CENTRES)}


@harness.needs("sklearn")
def test_k_means_counts_a_feature_as_often_as_it_is_there():
    x = np.repeat(np.array([[0.0], [1.0], [9.0]], "float32"), [30, 10, 5], axis=0)
    quantizer = VectorQuantizer(2, 1)
    quantizer.adapt(x)
    np.testing.assert_allclose(by_first(harness.numpy(quantizer.codebook.value)), [[0.25], [9.0]], rtol=1e-6)


@pytest.mark.parametrize(
    "call, told",
    [
        (lambda: VectorQuantizer(9, 2).adapt(np.zeros((8, 2))), "at least 9 different vectors.*8 vectors, 1 of them"),
        (lambda: VectorQuantizer(3, 2).adapt(np.zeros((8, 2))), "at least 3 different vectors.*8 vectors, 1 of them"),
        (lambda: VectorQuantizer(3, 2).adapt(np.zeros((8, 3))), "`embedding_dim` must be the number of .* here 3"),
        (lambda: VectorQuantizer(3, 2).adapt(np.full((8, 2), np.nan)), "`features` must be finite"),
        (lambda: VectorQuantizer(3, 2).adapt(np.zeros((8, 2)), "first"), "`method` must be one of 'k-means', 'sample'"),
        (lambda: VectorQuantizer(3, 2, metric="l2"), "`metric` must be one of 'euclidean', 'cosine'"),
        (lambda: VectorQuantizerEMA(3, 2, gradient="none"), "`gradient` must be one of 'straight-through', 'rotation'"),
        (lambda: SimVQ(1, 2), "`codebook_size` must be an integer >= 2"),
        (lambda: SimVQ(3, 2).build((None, 3)), "`embedding_dim` must be the number of features"),
    ],
)
def test_refuses(call, told):
    harness.check_refuses(call, told)
