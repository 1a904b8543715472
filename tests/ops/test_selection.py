"""The k largest: exact, ties to the lowest index, whatever k is made of, and without a gradient of its own."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
from keras_vae import KSparse
from keras_vae.ops import batch_top_k_mask, top_k_mask


def expected(x, k):
    mask = np.zeros(x.shape, bool)
    for i, row in enumerate(x):
        mask[i, np.argsort(-row, kind="stable")[:k]] = True
    return mask


def rows(kind):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 33)).astype("float32")
    return {
        "distinct": x,
        "many ties": np.round(x),
        "all equal": np.full_like(x, -2.5),
        "signed zeros": np.where(x > 0.5, x, np.where(x > 0, 0.0, -0.0)).astype("float32"),
        "tiny and huge": (x * 10.0 ** rng.integers(-30, 30, x.shape)).astype("float32"),
        "minus infinity": np.where(x > 1.5, x, -np.inf).astype("float32"),
    }[kind]


@pytest.mark.parametrize(
    "kind", ["distinct", "many ties", "all equal", "signed zeros", "tiny and huge", "minus infinity"]
)
@pytest.mark.parametrize("k", [1, 7, 33])
def test_the_k_largest_ties_to_the_lowest_index(kind, k):
    x = rows(kind)
    for given in (k, ops.convert_to_tensor(k), keras.Variable(k, dtype="int32", trainable=False)):
        np.testing.assert_array_equal(harness.numpy(top_k_mask(x, given)), expected(x, k))


def test_more_than_there_are_keeps_all():
    assert harness.numpy(top_k_mask(rows("distinct"), 50)).all()


@pytest.mark.parametrize("kind", ["distinct", "many ties"])
def test_over_the_whole_batch(kind):
    x = rows(kind)
    got = harness.numpy(batch_top_k_mask(x, 3))
    np.testing.assert_array_equal(got.reshape(1, -1), expected(x.reshape(1, -1), 3 * len(x)))


def test_the_gradient_is_exactly_zero_off_the_support_ties_included():
    """One step of SGD on sum(z * c) moves a free input by minus the gradient."""
    h = np.round(rows("distinct")[:6])

    class Free(keras.Model):
        def __init__(self):
            super().__init__()
            self.h = self.add_weight(shape=h.shape, initializer="zeros", name="h")
            self.sparse = KSparse(5)

        def call(self, c):
            return self.sparse(ops.convert_to_tensor(self.h))["z"] * c

    model = Free()
    c = np.random.default_rng(1).normal(size=h.shape).astype("float32")
    model(c)
    model.h.assign(h)
    model.compile(keras.optimizers.SGD(1.0), loss=lambda y, z: ops.sum(z, axis=-1) + 0.0 * ops.sum(y, axis=-1))
    model.train_on_batch(c, np.zeros_like(h))
    gradient = len(h) * (h - harness.numpy(model.h.value))  # Keras averages over the batch
    support = expected(h, 5)
    assert (gradient[~support] == 0).all()
    np.testing.assert_allclose(gradient[support], c[support], rtol=1e-4, atol=1e-5)
