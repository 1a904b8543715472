"""Measuring every installed backend in a process of its own."""

import textwrap
import time

import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.runs.benchmark import comparison, cpu_ms, extra_mb, gradient_step, is_worker, measure_backends

BACKEND = keras.backend.backend()


def test_cpu_ms_leaves_the_first_call_out():
    work = iter([5_000_000, 1000, 1000])  # the first call is the longest, as one that compiles
    assert cpu_ms(lambda: sum(range(next(work))), repeats=2) < 10


def test_cpu_ms_does_not_count_sleep():
    assert cpu_ms(lambda: time.sleep(0.1), repeats=1) < 50


def test_a_step_of_a_quantizer_has_the_gradients_of_its_losses_by_hand():
    layer = keras_vae.VectorQuantizer(2, 1)
    layer.build((None, 1, 1))
    layer.codebook.assign([[0.0], [10.0]])
    gradients = gradient_step(layer, np.array([[[1.0]]], "float32"))()
    to_x, to_codes = map(keras.ops.convert_to_numpy, gradients)
    np.testing.assert_allclose(to_x, [[[1.5]]])  # of z, and of 0.25 (x - 0)^2
    np.testing.assert_allclose(to_codes, [[-2.0], [0.0]])  # of (0 - x)^2
    # LFQ weighs a term of its own; its codes have no weights: 1 of z, 0.25 * 2 (0 - 1), and an entropy that is even.
    (to_x,) = gradient_step(keras_vae.LFQ(1), np.array([[[-1e-6]]], "float32"))()
    np.testing.assert_allclose(keras.ops.convert_to_numpy(to_x), [[[1.5]]], rtol=1e-4)


def test_extra_mb_counts_what_a_call_holds_for_a_while():
    assert extra_mb(lambda: len(b"1" * 300 * 2**20)) > 200


def test_comparison_asks_only_where_all_was_measured():
    bars = {
        "ms": ("all <= 2 plain", lambda p, b: max(b.values()) <= 2 * p),
        "x": ("jax <= torch", lambda p, b: b["jax"] <= b["torch"]),
        "y": ("tensorflow < 1", lambda p, b: b["tensorflow"] < 1),
    }
    found = {"plain": {"ms": 1.0}, "jax": {"ms": 2.0, "x": 5.0, "y": 0.0}, "torch": {"ms": 2.5, "x": 6.0, "y": 0.0}}
    rows = comparison(found, bars)
    assert [row["holds"] for row in rows] == [False, True, None]
    assert rows[1] == {"figure": "x", "plain": None, "jax": 5.0, "torch": 6.0, "bar": "jax <= torch", "holds": True}
    assert [row["holds"] for row in comparison(found, bars, ask=False)] == [None, None, None]


SCRIPT = """
    import os
    from keras_vae.runs.benchmark import is_worker

    def measure(name, *sizes):
        print("whatever else the process says")
        return {"total": sum(sizes), "right": float(os.environ["KERAS_BACKEND"] == "BACKEND"), "plain": name == "plain"}

    is_worker(measure)
"""


@pytest.mark.slow
def test_measure_backends_runs_the_script_once_per_name(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT).replace('== "BACKEND"', f'== "{BACKEND}"'))
    found = measure_backends(script, (2, 3), plain=BACKEND, smoke=True)
    assert found == {
        "plain": {"total": 5, "right": 1.0, "plain": True},
        BACKEND: {"total": 5, "right": 1.0, "plain": False},
    }


def test_measure_backends_leaves_out_what_is_not_installed(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert measure_backends(tmp_path / "never_run.py", ()) == {}
    assert "jax: left out, for jax is not installed" in capsys.readouterr().out


def test_measure_backends_tells_what_failed(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("raise ValueError('no such figure')")
    with pytest.raises(RuntimeError, match="no such figure"):
        measure_backends(script, (), plain=BACKEND, smoke=True)


def test_is_worker_only_where_it_was_started_as_one():
    assert is_worker(lambda name: pytest.fail("measured")) is False
