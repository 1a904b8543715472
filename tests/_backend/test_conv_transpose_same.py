"""The transposed convolution of the decoders equals keras.layers.Conv2DTranspose, values and gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae import _backend

BACKEND = keras.backend.backend()


def tensors(sizes, kernel, channels=3, filters=4):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(2, *sizes, channels)).astype("float32")
    weights = rng.normal(size=(*kernel, filters, channels)).astype("float32")
    return ops.convert_to_tensor(inputs), ops.convert_to_tensor(weights)


def of_keras(inputs, kernel, strides):
    return ops.conv_transpose(inputs, kernel, strides, padding="same", data_format="channels_last")


def gradients(function, inputs, kernel, strides):
    """d sum(y^2) / d(inputs, kernel), by the backend's own reverse mode."""
    if BACKEND == "jax":
        import jax

        return jax.grad(lambda x, w: ops.sum(ops.square(function(x, w, strides))), (0, 1))(inputs, kernel)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch((inputs, kernel))
            loss = ops.sum(ops.square(function(inputs, kernel, strides)))
        return tape.gradient(loss, (inputs, kernel))
    import torch

    leaves = [t.detach().clone().requires_grad_() for t in (inputs, kernel)]
    return torch.autograd.grad(ops.sum(ops.square(function(*leaves, strides))), leaves)


def assert_equal(got, expected):
    for one, other in zip(got, expected, strict=True):
        one, other = ops.convert_to_numpy(one), ops.convert_to_numpy(other)
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5 * max(1.0, np.abs(other).max()))


@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5])
def test_equals_keras_in_two_dimensions(kernel, strides):  # kernel < stride leaves gaps of zeros
    inputs, weights = tensors((5, 4), (kernel, kernel))
    strides = (strides, strides)
    assert_equal([_backend.conv_transpose_same(inputs, weights, strides)], [of_keras(inputs, weights, strides)])


@pytest.mark.parametrize(
    "sizes, kernel, strides", [((5, 7), (3, 4), (2, 3)), ((1, 3), (5, 2), (3, 1)), ((1, 1), (4, 4), (2, 2))]
)
def test_equals_keras_with_unequal_sides(sizes, kernel, strides):
    inputs, weights = tensors(sizes, kernel)
    assert_equal([_backend.conv_transpose_same(inputs, weights, strides)], [of_keras(inputs, weights, strides)])


@pytest.mark.parametrize(
    "sizes, kernel, strides", [((5,), (4,), (2,)), ((7,), (3,), (3,)), ((2, 3, 2), (4, 3, 2), (2, 2, 1))]
)
def test_equals_keras_in_one_and_three_dimensions(sizes, kernel, strides):
    inputs, weights = tensors(sizes, kernel)
    assert_equal([_backend.conv_transpose_same(inputs, weights, strides)], [of_keras(inputs, weights, strides)])


@pytest.mark.parametrize("kernel, strides", [(3, 1), (3, 2), (4, 2), (5, 3), (1, 2)])
def test_gradients_equal_those_of_keras(kernel, strides):
    inputs, weights = tensors((5, 4), (kernel, kernel))
    both = [gradients(f, inputs, weights, (strides, strides)) for f in (_backend.conv_transpose_same, of_keras)]
    assert_equal(*both)


def test_one_weight_by_hand():
    # One pixel of value 2 under the kernel [[1, 2], [3, 4]] with stride 2 is that kernel doubled.
    kernel = ops.reshape(ops.convert_to_tensor([1.0, 2.0, 3.0, 4.0]), (2, 2, 1, 1))
    outputs = _backend.conv_transpose_same(ops.full((1, 1, 1, 1), 2.0), kernel, (2, 2))
    np.testing.assert_array_equal(ops.convert_to_numpy(outputs)[0, :, :, 0], [[2, 4], [6, 8]])
