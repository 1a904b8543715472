"""Gradient routing: what is frozen stays where it is, and several optimizers act on their own parts only."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
from keras_vae.ops.numerics import sum_event
from keras_vae.training import TermsModel, frozen

pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist")  # which is what is tested


class Routed(TermsModel):
    """The loss reaches `first` through a `second` that is frozen, and `second` not at all."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first = keras.layers.Dense(2, name="first")
        self.second = keras.Sequential(
            [keras.layers.Dense(2), keras.layers.BatchNormalization(), keras.layers.Dropout(0.5, seed=1)], name="second"
        )

    def call(self, x, training=False):
        hidden = self.first(x)
        if not self.second.built:
            self.second.build(hidden.shape)
        return {"reconstruction": frozen(self.second, hidden, training=training)}

    def terms(self, x, y, outputs, training):
        return {"loss": sum_event(ops.square(y - outputs["reconstruction"]))}


def states(layer):
    return [harness.numpy(v.value) for v in layer.variables if v.name == "seed_generator_state"]


def points():
    return np.random.default_rng(0).normal(size=(16, 2)).astype("float32")


def test_frozen_passes_gradient_to_inputs_and_to_no_weight():
    model, x = Routed(), points()
    model.build((None, 2))
    model.compile(keras.optimizers.SGD(0.1))
    first, second = harness.numpy(model.first.kernel.value), harness.weights(model.second)
    seeds = states(model.second)
    model.fit(x, batch_size=8, verbose=0)
    assert not np.allclose(harness.numpy(model.first.kernel.value), first)
    harness.assert_same_weights(second, harness.weights(model.second))  # weights, and the statistics of BatchNorm
    np.testing.assert_array_equal(seeds, states(model.second))


def test_frozen_has_the_value_of_the_layer():
    layer, x = keras.layers.Dense(3), points()
    np.testing.assert_array_equal(harness.numpy(layer(x)), harness.numpy(frozen(layer, x)))


def test_frozen_autocasts_like_the_layer():
    layer = keras.layers.Dense(3, dtype="mixed_bfloat16")
    layer.build((None, 2))
    got = frozen(layer, ops.convert_to_tensor(points()))
    assert keras.backend.standardize_dtype(got.dtype) == "bfloat16"
    harness.assert_close(ops.cast(got, "float32"), ops.cast(layer(ops.convert_to_tensor(points())), "float32"), 0, 0)
    np.testing.assert_allclose(
        harness.numpy(ops.cast(got, "float32")), points() @ harness.numpy(layer.kernel.value), rtol=2e-2, atol=2e-2
    )
