"""A map as condition: its features, its checks."""

import keras
import numpy as np
import pytest

import harness
from keras_vae.layers import MapCondition, ResidualStack

CODES = np.array([[[0, 3], [1, 1]], [[2, 0], [3, 3]]], "int32")


def test_numbers_are_seen_as_they_are():
    maps = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    np.testing.assert_array_equal(harness.numpy(MapCondition((3, 4, 5))(maps)), maps)


def test_codes_are_rows_of_a_table():
    condition = MapCondition((2, 2), num_codes=4, embedding_dim=3)
    features = harness.numpy(condition(CODES))
    np.testing.assert_array_equal(features, harness.numpy(condition.embedding.embeddings.value)[CODES])


def test_a_net_sees_the_features():
    condition = MapCondition((2, 2), num_codes=4, embedding_dim=3, net=ResidualStack(3, 2))
    features = harness.numpy(condition(CODES))
    np.testing.assert_allclose(features, harness.numpy(condition.net(condition.embedding(CODES))), atol=1e-6)
    assert len(condition.trainable_variables) == 1 + 8


def test_any_layer_that_keeps_the_size_will_do():
    net = keras.Sequential([keras.layers.Conv2D(7, 3, padding="same"), keras.layers.ReLU()])
    condition = MapCondition((4, 4, 2), net=net)
    raw = keras.KerasTensor((None, 4, 4, 2))
    assert tuple(condition.compute_output_spec(raw).shape) == (None, 4, 4, 7)  # as a prior asks, before it is built
    assert tuple(condition(np.zeros((1, 4, 4, 2), "float32")).shape) == (1, 4, 4, 7)
    assert len(condition.weights) == 2


@pytest.mark.parametrize("condition", [MapCondition((2, 3, 1)), MapCondition((2, 3), num_codes=5)])
def test_examples_pass_the_check(condition):
    examples = condition.examples(4, np.random.default_rng(0))
    np.testing.assert_array_equal(condition.check(examples), examples)
    assert examples.shape == (4, *condition.input_shape_of_one) and examples.dtype == condition.input_dtype


def test_refusals():
    harness.check_refuses(lambda: MapCondition((4, 4)), r"`shape` must be \(height, width, channels\) of a map of num")
    harness.check_refuses(lambda: MapCondition((4, 4, 1), 8), r"`shape` must be \(height, width\) of a map of codes")
    harness.check_refuses(lambda: MapCondition((4, 0, 1)), r"`shape\[1\]` must be an integer >= 1")
    harness.check_refuses(lambda: MapCondition((4, 4), num_codes=1), "`num_codes` must be an integer >= 2")
    harness.check_refuses(lambda: MapCondition((4, 4), 4, 0), "`embedding_dim` must be an integer >= 1")
    harness.check_refuses(lambda: MapCondition((4, 4), 4, net="a net"), "`net` must be a keras Layer", TypeError)
    shrinking = MapCondition((4, 4, 1), net=keras.layers.Conv2D(2, 3))
    harness.check_refuses(lambda: shrinking.build((None, 4, 4, 1)), r"`net` must keep the height and width.*\(4, 4\)")
    codes, numbers = MapCondition((2, 2), num_codes=3), MapCondition((2, 2, 1))
    harness.check_refuses(lambda: codes.check(CODES), r"`condition` must be codes in \[0, 3\). Received: codes")
    harness.check_refuses(lambda: codes.check(-CODES), r"Received: codes from -3 to 0")
    harness.check_refuses(lambda: codes.check(CODES / 2), "must hold integer codes", TypeError)
    harness.check_refuses(lambda: codes.check(CODES[0]), r"must have shape \(batch, 2, 2\). Received: shape=\(2, 2\)")
    harness.check_refuses(lambda: numbers.check(np.full((1, 2, 2, 1), np.nan)), "must be finite")
    harness.check_refuses(lambda: numbers.check(np.full((1, 2, 2, 1), "a")), "must hold numbers", TypeError)
    harness.check_refuses(lambda: numbers.check(np.zeros((1, 2, 1))), r"must have shape \(batch, 2, 2, 1\)")
