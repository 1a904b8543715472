"""Shared layers: the fast transposed convolution is the slow one, and residual blocks add up."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
import keras_vae
from keras_vae.layers import (
    Centering,
    Chain,
    ResidualStack,
    UpsamplingConv1D,
    UpsamplingConv2D,
    UpsamplingConv3D,
)
from keras_vae.ops.numerics import sum_event
from keras_vae.training import TermsModel

UPSAMPLINGS = {1: UpsamplingConv1D, 2: UpsamplingConv2D, 3: UpsamplingConv3D}
SAME = [(4, 2), (3, 2), (5, 2), (2, 2), (1, 2), (3, 1), (4, 3)]


@pytest.mark.parametrize(
    "axes, kernel, strides",
    [(2, *one) for one in (*SAME, ((4, 3), (2, 1)))]
    + [(axes, *one) for axes in (1, 3) for one in ((4, 2), (5, 3), (1, 2))]
    + [(3, (4, 3, 2), (2, 1, 3))],
)
def test_upsampling_is_keras_transposed_convolution(axes, kernel, strides):
    x = np.random.default_rng(0).normal(size=(2, *(5, 7, 2)[:axes], 3)).astype("float32")
    options = {"strides": strides, "padding": "same", "activation": "relu"}
    theirs = getattr(keras.layers, f"Conv{axes}DTranspose")(4, kernel, **options)
    ours = UPSAMPLINGS[axes](4, kernel, strides=strides, activation="relu")
    ours.build(x.shape)
    theirs.build(x.shape)
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        value = np.random.default_rng(1).normal(size=one.shape)
        one.assign(value)
        other.assign(value)
    expected = harness.numpy(theirs(x))
    np.testing.assert_allclose(harness.numpy(ours(x)), expected, rtol=1e-4, atol=1e-5)
    assert tuple(ours.compute_output_shape(x.shape)) == expected.shape


class Upsample(TermsModel):
    """Fits the output of one layer to zero: its step is the layer's gradient."""

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        self.layer = layer

    def call(self, x, training=False):
        return {"reconstruction": self.layer(x)}

    def terms(self, x, y, outputs, training):
        return {"loss": sum_event(ops.square(outputs["reconstruction"]))}


def test_upsampling_has_the_gradient_of_keras_transposed_convolution():
    x = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    kernels = []
    for layer in (UpsamplingConv2D(2, 4), keras.layers.Conv2DTranspose(2, 4, strides=2, padding="same")):
        layer.build(x.shape)
        layer.kernel.assign(np.random.default_rng(1).normal(size=layer.kernel.shape))
        model = Upsample(layer)
        model.build((None, 4, 4, 3))
        model.compile(keras.optimizers.SGD(1e-3))
        model.train_on_batch(x)
        kernels.append(harness.numpy(layer.kernel.value))
    np.testing.assert_allclose(*kernels, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("axes", UPSAMPLINGS)
@pytest.mark.parametrize("name, value", [("padding", "valid"), ("dilation_rate", 2), ("output_padding", 1)])
def test_upsampling_refuses_what_it_would_ignore(axes, name, value):
    harness.check_refuses(lambda: UPSAMPLINGS[axes](2, 4, **{name: value}), f"`{name}` must be left at .*={value!r}")
    layer = UPSAMPLINGS[axes](2, 4, strides=3)
    assert UPSAMPLINGS[axes].from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize("axes", UPSAMPLINGS)
def test_upsampling_refuses_channels_first(axes):
    make = lambda: UPSAMPLINGS[axes](2, 4, data_format="channels_first")  # noqa: E731
    harness.check_refuses(make, "`data_format` must be 'channels_last'")


def test_a_stack_of_no_blocks_is_a_relu():
    x = np.array([[[[-1.0, 2.0]]]], "float32")
    np.testing.assert_array_equal(harness.numpy(ResidualStack(2, 3, depth=0)(x)), [[[[0.0, 2.0]]]])


def test_a_block_of_zero_weights_adds_nothing():
    x = np.random.default_rng(0).normal(size=(1, 4, 4, 2)).astype("float32")
    stack = ResidualStack(2, 3, depth=2)
    stack.build(x.shape)
    for weight in stack.weights:
        weight.assign(np.zeros(weight.shape))
    np.testing.assert_array_equal(harness.numpy(stack(x)), np.maximum(x, 0))


def test_a_block_by_hand():
    """One pixel, one channel: x + n relu(w relu(x)), then relu, where the 3x3 kernel sees its centre only."""
    stack = ResidualStack(1, 1, depth=1)
    stack.build((None, 1, 1, 1))
    kernel = np.zeros((3, 3, 1, 1), "float32")
    kernel[1, 1] = 3.0
    for weight, value in zip(stack.weights, (kernel, [0.5], [[[[-2.0]]]], [1.0]), strict=True):
        weight.assign(np.reshape(value, weight.shape))
    got = harness.numpy(stack(np.array([[[[10.0]]], [[[0.1]]]], "float32")))
    np.testing.assert_allclose(got.ravel(), [0.0, max(0.1 - 2 * (0.3 + 0.5) + 1, 0)], atol=1e-6)


@pytest.mark.parametrize("argument", ["filters", "hidden"])
def test_residual_stack_refuses(argument):
    arguments = {"filters": 2, "hidden": 2, argument: 0}
    harness.check_refuses(lambda: ResidualStack(**arguments), f"`{argument}` must be an integer >= 1")
    harness.check_refuses(lambda: ResidualStack(2, 2, depth=-1), "`depth` must be an integer >= 0")
    harness.check_refuses(lambda: ResidualStack(2, 2).build((None, 4, 4, 1)), "`filters` must be the channels of the")
    harness.check_refuses(lambda: ResidualStack(2, 2).build((None, 2)), r"\*sizes, channels\) of one, two or three")


def test_a_chain_without_parts_is_told_so():
    with pytest.raises(TypeError, match="Chain must define `make_parts"):
        Chain().build((None, 2))


def test_centering_takes_off_the_mean_of_what_it_was_adapted_to():
    x = np.random.default_rng(0).integers(0, 256, (7, 3, 2), dtype="uint8")
    layer = Centering()
    layer.adapt(x)
    got = harness.numpy(layer(x.astype("float32")))
    np.testing.assert_allclose(got, x - x.mean(axis=0), atol=1e-4)
    assert not layer.trainable_weights and len(layer.weights) == 1


@pytest.mark.parametrize(
    "x, told",
    [
        (np.zeros((0, 3)), r"`x` must have shape \(n, ...\), not empty. Received: shape \(0, 3\)"),
        (np.zeros(3), r"`x` must have shape \(n, ...\), not empty. Received: shape \(3,\)"),
        (np.zeros((2, 4)), r"`x` must have shape \(n, 3\). Received: shape \(2, 4\)"),
        (np.array([[0.0, np.nan, 1.0]]), "`x` must be finite"),
    ],
)
def test_centering_refuses(x, told):
    layer = Centering()
    layer.adapt(np.ones((2, 3)))
    harness.check_refuses(lambda: layer.adapt(x), told)
    np.testing.assert_array_equal(harness.numpy(layer.mean.value), np.ones(3))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_a_centred_encoder_takes_the_mean_off_in_float32(policy):
    """bfloat16 has steps of 4 near 1000: a difference of numbers that were rounded first would be noise."""
    x = (1000 + np.random.default_rng(0).normal(size=(16, 4))).astype("float32")
    keras.config.set_dtype_policy(policy)
    try:
        encoder = keras_vae.MLPEncoder((4,), "linear", centered=True)
        model = keras_vae.PlainAutoencoder(encoder, keras_vae.MLPDecoder((4,), ()))
    finally:
        keras.config.set_dtype_policy("float32")
    model.build((None, 4))
    encoder.adapt(x)
    encoder.dense_layers()[0].kernel.assign(np.eye(4))
    np.testing.assert_allclose(model.encode(x), x - x.mean(axis=0), atol=2e-2)
    np.testing.assert_allclose(model.predict(x, verbose=0)["z"].astype("float32"), x - x.mean(axis=0), atol=2e-2)
