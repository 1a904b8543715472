"""Weights in memory are the file that Keras writes."""

import keras
import numpy as np

import harness
from keras_vae.training.weights import load_weights_from_bytes, shapes_in_bytes, weights_as_bytes


def trained(seed):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    model.compile("adam", "mse")
    x = np.ones((4, 2), "float32")
    model.fit(x, x[:, :1] * np.ones(3), verbose=0)
    return model


def test_they_go_to_a_file_and_come_from_one(tmp_path):
    model = trained(0)
    (tmp_path / "ours.weights.h5").write_bytes(weights_as_bytes(model))
    model.save_weights(tmp_path / "keras.weights.h5")
    one, two = trained(1), trained(2)
    one.load_weights(tmp_path / "ours.weights.h5")
    load_weights_from_bytes(two, (tmp_path / "keras.weights.h5").read_bytes())
    expected = harness.weights(model) + harness.weights(model.optimizer)
    for other in (one, two):
        harness.assert_same_weights(expected, harness.weights(other) + harness.weights(other.optimizer))


def test_they_say_their_shapes_and_types():
    shapes = shapes_in_bytes(weights_as_bytes(trained(0)))
    assert shapes["layers/dense/vars/0"] == "(2, 3) float32" and shapes["optimizer/vars/0"].startswith("() int")
