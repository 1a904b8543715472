"""Unit vectors, and the rotation trick against its explicit matrix."""

import numpy as np
from keras import ops

import harness
from keras_vae.ops import rotate_through, unit

RNG = np.random.default_rng(0)
SOFT, HARD, WEIGHT = (RNG.normal(size=(6, 4)).astype("float32") for _ in range(3))


def rotation(e, q):
    """(|q| / |e|) R, the matrix of Fifty et al. 2024, in float64."""
    u, v = e / np.linalg.norm(e), q / np.linalg.norm(q)
    r = (u + v) / np.linalg.norm(u + v)
    matrix = np.eye(len(e)) - 2 * np.outer(r, r) + 2 * np.outer(v, u)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(e)), atol=1e-12)  # a rotation
    np.testing.assert_allclose(matrix @ u, v, atol=1e-12)  # from one to the other
    assert np.linalg.det(matrix) > 0
    return np.linalg.norm(q) / np.linalg.norm(e) * matrix


def test_unit_vectors_and_zeros():
    x = np.concatenate([SOFT, np.zeros((1, 4), "float32")])
    expected = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-30)
    np.testing.assert_allclose(harness.numpy(unit(x)), expected, rtol=1e-5)


def test_the_value_is_hard_to_the_last_bit():
    np.testing.assert_array_equal(harness.numpy(rotate_through(SOFT, HARD)), HARD)


def test_the_gradient_is_that_of_the_matrix():
    got = harness.gradient(lambda x: ops.multiply(rotate_through(x, HARD), WEIGHT), SOFT)
    expected = [
        rotation(e.astype("float64"), q.astype("float64")).T @ w for e, q, w in zip(SOFT, HARD, WEIGHT, strict=True)
    ]
    np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-5)


def test_along_the_vector_itself_it_is_a_change_of_scale():
    got = harness.gradient(lambda x: ops.multiply(rotate_through(x, 2.0 * SOFT), WEIGHT), SOFT)
    np.testing.assert_allclose(got, 2.0 * WEIGHT, rtol=1e-4, atol=1e-5)


def test_zeros_have_no_direction():
    """The features of a black part of an image: 1 / |x| would make a million of their gradient, and more of two."""
    nothing = np.zeros_like(SOFT)
    np.testing.assert_array_equal(harness.gradient(lambda x: ops.multiply(unit(x), WEIGHT), nothing), 0.0)
    got = harness.gradient(lambda x: ops.multiply(rotate_through(x, SOFT), WEIGHT), nothing)
    np.testing.assert_array_equal(got, WEIGHT)


def test_opposite_vectors_give_a_gradient_as_long_as_any():
    got = harness.gradient(lambda x: ops.multiply(rotate_through(x, SOFT), WEIGHT), -SOFT)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), np.linalg.norm(WEIGHT, axis=1), rtol=1e-4)
