"""Counts and sums by code, without one-hot vectors."""

import numpy as np
from keras import ops

from keras_vae import _backend


def test_counts_and_sums_by_hand():
    vectors = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], "float32")
    indices = np.array([2, 0, 2], "int32")  # codes 1 and 3 are unused
    counts, sums = _backend.code_statistics(ops.convert_to_tensor(vectors), ops.convert_to_tensor(indices), 4)
    np.testing.assert_array_equal(ops.convert_to_numpy(counts), [1, 0, 2, 0])
    np.testing.assert_array_equal(ops.convert_to_numpy(sums), [[3, 4], [0, 0], [6, 8], [0, 0]])


def test_equals_one_hot_matmul():
    rng = np.random.default_rng(0)
    vectors, indices = rng.normal(size=(3000, 5)).astype("float32"), rng.integers(0, 40, 3000).astype("int32")
    one_hot = np.eye(50)[indices]  # the last ten codes are unused
    counts, sums = _backend.code_statistics(ops.convert_to_tensor(vectors), ops.convert_to_tensor(indices), 50)
    np.testing.assert_array_equal(ops.convert_to_numpy(counts), one_hot.sum(0))
    np.testing.assert_allclose(ops.convert_to_numpy(sums), one_hot.T @ vectors, rtol=1e-4, atol=1e-4)
