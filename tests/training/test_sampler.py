"""Compiled functions of a model's weights: any number of rows, few traces, present weights."""

import concurrent.futures
import time

import keras
import numpy as np
import pytest

import harness
from keras_vae.training import Sampler
from keras_vae.training import sampler as room
from keras_vae.training.sampler import SamplerCache

THREADS = 8


def layer():
    dense = keras.layers.Dense(3, kernel_initializer=keras.initializers.Constant(0.5), name="dense")
    dense.build((None, 2))
    return dense


def rows(count):
    return np.arange(2 * count, dtype="float32").reshape(count, 2)


@pytest.mark.parametrize("count", [1, 3, 4, 9])
def test_any_number_of_rows_in_any_batch_size(count):
    dense = layer()
    sampler = Sampler(dense, lambda inputs: {"sum": dense(inputs["x"]), "x": inputs["x"]})
    got = sampler.run({"x": rows(count)}, batch_size=4)
    np.testing.assert_array_equal(got["x"], rows(count))
    np.testing.assert_allclose(got["sum"], np.repeat(rows(count).sum(axis=1, keepdims=True) / 2, 3, axis=1), rtol=1e-6)


@pytest.mark.skipif(harness.BACKEND == "torch", reason="torch runs eagerly: nothing is traced")
def test_few_shapes_are_traced():
    dense, shapes = layer(), []

    def function(inputs):
        shapes.append(tuple(inputs["x"].shape))
        return dense(inputs["x"])

    sampler = Sampler(dense, function)
    for count in (1, 2, 3, 4, 5, 7, 8, 100):
        sampler.run({"x": rows(count)}, batch_size=8)
    sizes = {shape[0] for shape in shapes}  # TensorFlow relaxes the second one to None
    assert sizes <= {2, 8, None} and len(shapes) <= 4
    del shapes[:]
    Sampler(dense, function).run({"x": rows(9)}, batch_size=4)
    assert {shape[0] for shape in shapes} == {4}  # the last batch is one of one row


@pytest.mark.skipif(harness.BACKEND == "torch", reason="torch runs eagerly: nothing is traced")
def test_a_loop_is_compiled_for_few_numbers_of_rows():
    dense, shapes = layer(), []

    def function(inputs):
        shapes.append(inputs["x"].shape[0])
        return dense(inputs["x"])

    sampler = Sampler(dense, function, jit=True)
    for count in (6, 4, 3, 6, 5):
        got = sampler.run({"x": rows(count)}, batch_size=16)
        np.testing.assert_allclose(got[:, 0], rows(count).sum(axis=1) / 2, rtol=1e-6)
    assert set(shapes) == {6}
    sampler.run({"x": rows(2)}, batch_size=16)  # six rows would be three times the work, at every call
    sampler.run({"x": rows(4)}, batch_size=4)  # and here more than the user allowed
    assert sampler.compiled == {6, 2, 4}


def test_a_sampler_sees_weights_that_change():
    dense = layer()
    sampler = Sampler(dense, lambda inputs: dense(inputs["x"]))
    before = sampler.run({"x": rows(2)})
    dense.kernel.assign(2 * harness.numpy(dense.kernel.value))
    np.testing.assert_allclose(sampler.run({"x": rows(2)}), 2 * before, rtol=1e-6)


def test_a_cache_makes_each_sampler_once():
    dense, cache = layer(), SamplerCache()
    one = cache.get("decode", dense, lambda inputs: dense(inputs["x"]))
    assert cache.get("decode", dense, lambda inputs: None) is one
    assert cache.get("encode", dense, lambda inputs: None) is not one


def test_a_cache_makes_one_sampler_for_threads_that_ask_at_once(monkeypatch):
    def slow(*args, **kwargs):
        time.sleep(0.02)
        return Sampler(*args, **kwargs)

    monkeypatch.setattr(room, "Sampler", slow)
    dense, cache = layer(), SamplerCache()
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        asked = [pool.submit(cache.get, "encode", dense, lambda inputs: dense(inputs["x"])) for _ in range(THREADS)]
    assert len({id(one.result()) for one in asked}) == 1


@pytest.mark.skipif(harness.BACKEND == "torch", reason="torch runs eagerly: nothing is traced")
def test_threads_share_one_trace():
    dense, shapes = layer(), []

    def function(inputs):
        shapes.append(tuple(inputs["x"].shape))
        return dense(inputs["x"])

    sampler = Sampler(dense, function)
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: sampler.run({"x": rows(8)}), range(THREADS)))
    assert shapes == [(8, 2)]
    np.testing.assert_array_equal(answers, np.repeat(answers[:1], THREADS, axis=0))
