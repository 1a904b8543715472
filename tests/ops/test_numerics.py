"""Small numerics against NumPy, at the edges where the plain formula overflows."""

import numpy as np
import pytest
from keras import ops

import reference
from keras_vae.core.optional import require
from keras_vae.ops.numerics import float32, log_mean_exp, straight_through, sum_event


@pytest.mark.parametrize("shift", [0.0, 1e4, -1e4])
def test_log_mean_exp_is_the_references(shift):
    x = np.random.default_rng(0).normal(size=(3, 7)).astype("float32") * 5 + np.float32(shift)
    np.testing.assert_allclose(ops.convert_to_numpy(log_mean_exp(x)), reference.log_mean_exp(x), rtol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(log_mean_exp(x, axis=0)), reference.log_mean_exp(x, 0), rtol=1e-6)


def test_log_mean_exp_of_one_value_is_the_value():
    assert float(ops.convert_to_numpy(log_mean_exp(np.array([[-3.5]], "float32")))[0]) == -3.5


def test_sum_event_leaves_the_batch():
    x = np.arange(24, dtype="float32").reshape(2, 3, 4)
    np.testing.assert_array_equal(ops.convert_to_numpy(sum_event(x)), [66.0, 210.0])
    np.testing.assert_array_equal(ops.convert_to_numpy(sum_event(x[:, 0, 0])), [0.0, 12.0])


def test_straight_through_is_hard_to_the_last_bit():
    soft, hard = np.random.default_rng(0).normal(size=(2, 1000)).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(straight_through(1000 * soft, hard)), hard)


def test_straight_through_has_the_value_of_hard():
    soft, hard = np.array([0.2, 0.9], "float32"), np.array([0.0, 1.0], "float32")
    got = straight_through(ops.convert_to_tensor(soft), ops.convert_to_tensor(hard))
    np.testing.assert_allclose(ops.convert_to_numpy(got), hard, atol=1e-7)


def test_float32_casts_floats_only():
    values = np.array([-1.5, 0.0, 3.0], "float32")  # exact in half precision
    floats = ops.convert_to_numpy(float32(ops.cast(values, "bfloat16")))
    assert floats.dtype == np.float32 and floats.tolist() == values.tolist()
    whole = ops.convert_to_numpy(float32(ops.convert_to_tensor(np.array([7, 2**24 + 1], "int32"))))
    assert whole.dtype == np.int32 and whole.tolist() == [7, 2**24 + 1]  # which float32 could not hold


def test_require_names_the_extra():
    assert require("json", "none", "Reading").loads("1") == 1
    with pytest.raises(ImportError, match=r'Drawing needs `no_such_package`.*pip install "keras_vae\[viz\]"'):
        require("no_such_package.part", "viz", "Drawing")


def test_require_does_not_hide_a_failure_inside_the_package(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import an_absent_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="an_absent_dependency"):
        require("broken_package", "viz", "Drawing")
