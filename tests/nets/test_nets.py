"""Networks: shapes that fit together at any size, as many weights as the architecture has, linear outputs, refusals."""

import itertools
from unittest import mock

import keras
import numpy as np
import pytest
from keras import ops

import harness
from keras_vae.nets import ConvDecoder, ConvEncoder, MLPDecoder, MLPEncoder, VQDecoder, VQEncoder


def shape(layer, *input_shape):
    """The output's shape, by tracing the layer: its values are in the goldens."""
    return tuple(layer.compute_output_spec(keras.KerasTensor(input_shape)).shape)


def weights(layer, *input_shape):
    """How many numbers the layer has to learn; they are not drawn, which would be compiled for each shape."""
    with mock.patch.object(keras.initializers.VarianceScaling, "__call__", lambda self, shape, dtype: np.zeros(shape)):
        layer.build((None, *input_shape))
    return layer.count_params()


def conv(kernel, inputs, outputs):
    """Weights of a convolution, or of its transpose: a kernel for each pair of channels, and a bias."""
    return kernel**2 * inputs * outputs + outputs


@pytest.mark.parametrize("size", [(8, 8, 1), (12, 20, 3), (4, 40, 2)])
def test_conv_pair_at_any_size_divisible_by_the_stride(size):
    assert shape(ConvEncoder(filters=(2, 3), units=5), 2, *size) == (2, 5)
    assert shape(ConvDecoder(size, filters=(2, 3), units=5), 2, 4) == (2, *size)
    height, width, channels = size
    features = height // 4 * width // 4 * 3  # of the innermost map
    encoder = conv(4, channels, 2) + conv(4, 2, 3) + (features + 1) * 5
    assert weights(ConvEncoder(filters=(2, 3), units=5), *size) == encoder
    decoder = (4 + 1) * 5 + (5 + 1) * features + conv(4, 3, 2) + conv(4, 2, channels)
    assert weights(ConvDecoder(size, filters=(2, 3), units=5), 4) == decoder


@pytest.mark.parametrize(("name", "kind"), [("batch", "BatchNormalization"), ("layer", "LayerNormalization")])
def test_normalised_layers_are_those_of_keras(name, kind):
    x = np.random.default_rng(0).normal(3.0, 2.0, (6, 4)).astype("float32")
    encoder, decoder = MLPEncoder((5, 3), "tanh", normalization=name), MLPDecoder((2,), (5, 3), "tanh", name)
    for net, outputs in ((encoder, []), (decoder, [keras.layers.Dense(2)])):
        net(x)
        parts = []
        for width in (5, 3):
            parts += [keras.layers.Dense(width, use_bias=False), getattr(keras.layers, kind)()]
            parts += [keras.layers.Activation("tanh")]
        by_hand = keras.Sequential([keras.Input((4,)), *parts, *outputs])
        by_hand.set_weights(net.get_weights())
        for training in (True, False):  # batch statistics, and moving ones
            harness.assert_close(net(x, training=training), by_hand(x, training=training))
        again = type(net).from_config(net.get_config())
        again(x)
        again.set_weights(net.get_weights())
        harness.assert_close(again(x), net(x))
    harness.check_refuses(lambda: MLPEncoder((3,), normalization="group"), "`normalization` must be one of")
    harness.check_refuses(encoder.tied_decoder, "`normalization` must be None")


@pytest.mark.parametrize("levels", [0, 1, 3])
@pytest.mark.parametrize("size", [(8, 16, 1), (24, 8, 3)])
def test_vq_pair_at_any_size_and_depth(levels, size):
    small = {"hidden": 4, "residual_hidden": 2, "levels": levels, "depth": 1}
    code = (size[0] // 2**levels, size[1] // 2**levels, 5)
    assert shape(VQEncoder(embedding_dim=5, **small), 2, *size) == (2, *code)
    assert shape(VQDecoder(size, **small), 2, *code) == (2, *size)
    block = conv(3, 4, 2) + conv(1, 2, 4)
    down = {0: [size[2]], 1: [size[2], 2], 3: [size[2], 2, 4, 4]}[levels]  # channels, half of them at first
    encoder = sum(conv(4, *pair) for pair in itertools.pairwise(down)) + conv(3, down[-1], 4) + block + conv(1, 4, 5)
    assert weights(VQEncoder(embedding_dim=5, **small), *size) == encoder
    up = {0: conv(3, 4, size[2]), 1: conv(4, 4, size[2]), 3: conv(4, 4, 4) + conv(4, 4, 2) + conv(4, 2, size[2])}
    assert weights(VQDecoder(size, **small), *code) == conv(3, 5, 4) + block + up[levels]


def test_vq_pair_at_the_papers_size():
    encoder, decoder = VQEncoder(), VQDecoder((128, 128, 3))
    codes = keras.KerasTensor((None, 32, 32, 64))
    assert encoder.compute_output_spec(keras.KerasTensor((None, 128, 128, 3))).shape == codes.shape
    assert decoder.compute_output_spec(codes).shape == (None, 128, 128, 3)
    # Two halvings to 64 and 128 channels, a 3x3 layer, two blocks of 32 hidden channels, 64 features; and back.
    blocks = 2 * (conv(3, 128, 32) + conv(1, 32, 128))
    down, up = conv(4, 3, 64) + conv(4, 64, 128), conv(4, 128, 64) + conv(4, 64, 3)
    assert weights(encoder, 128, 128, 3) == down + conv(3, 128, 128) + blocks + conv(1, 128, 64)
    assert weights(decoder, 32, 32, 64) == conv(3, 64, 128) + blocks + up


@pytest.mark.parametrize("data", [(5,), (4, 4, 1), (2, 3, 4, 5)])
def test_mlp_pair_is_its_matrix_products_on_vectors_images_and_volumes(data):
    encoder, decoder = MLPEncoder(units=(4, 3), activation="relu"), MLPDecoder(data, units=(4,), activation="tanh")
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(2, *data)).astype("float32"), rng.normal(size=(2, 3)).astype("float32")
    encoder.build(x.shape), decoder.build(z.shape)
    (w0, b0, w1, b1), (v0, c0, v1, c1) = (
        [harness.numpy(w.value) for w in harness.set_weights(net).weights] for net in (encoder, decoder)
    )
    h = np.maximum(np.maximum(x.reshape(2, -1) @ w0 + b0, 0) @ w1 + b1, 0)
    np.testing.assert_allclose(harness.numpy(encoder(x)), h, rtol=1e-5, atol=1e-6)
    params = (np.tanh(z @ v0 + c0) @ v1 + c1).reshape(2, *data)
    np.testing.assert_allclose(harness.numpy(decoder(z)), params, rtol=1e-5, atol=1e-6)


def test_a_centered_encoder_sees_data_without_its_mean():
    x = np.random.default_rng(0).normal(2.0, size=(5, 2, 2)).astype("float32")
    plain, centered = (MLPEncoder(units=(3,), activation="tanh", centered=c) for c in (False, True))
    centered.adapt(x)
    plain.build(x.shape)
    assert [w.path.split("/")[-1] for w in centered.trainable_weights] == ["kernel", "bias"]
    plain.set_weights([harness.numpy(w.value) for w in centered.trainable_weights])
    np.testing.assert_allclose(harness.numpy(centered(x)), harness.numpy(plain(x - x.mean(axis=0))), atol=1e-5)


@pytest.mark.parametrize(
    "decoder",
    [
        MLPDecoder((4, 4, 1), units=(3,)),
        ConvDecoder((4, 4, 1), filters=(2,), units=3),
        VQDecoder((4, 4, 1), hidden=2, residual_hidden=2, levels=1, depth=1),
    ],
    ids=lambda d: type(d).__name__,
)
def test_decoders_are_linear_at_the_end(decoder):
    """Raising the last bias by c raises every output by c: no activation stands behind it."""
    z = np.random.default_rng(1).normal(size=(2, 2, 2, 3)).astype("float32")
    before = harness.numpy(decoder(z))
    bias = decoder.weights[-1]
    bias.assign(harness.numpy(bias.value) - 3.0)
    np.testing.assert_allclose(harness.numpy(decoder(z)), before - 3.0, atol=1e-5)


def test_bodies_follow_the_policy_and_outputs_are_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        decoder = MLPDecoder((4, 4, 1), units=(8,))
        outputs = decoder(ops.ones((2, 3)))
        hidden = decoder.parts[1]
        last, first = (harness.numpy(w.value) for w in (decoder.weights[-2], decoder.weights[0]))
    finally:
        keras.config.set_dtype_policy("float32")
    assert hidden.compute_dtype == "bfloat16"
    assert keras.backend.standardize_dtype(outputs.dtype) == "float32"
    expected = np.maximum(first.sum(axis=0), 0) @ last  # biases are zero
    np.testing.assert_allclose(harness.numpy(outputs).reshape(2, 16), [expected] * 2, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: MLPEncoder(units=(4, 0)), r"`units\[1\]` must be an integer >= 1"),
        (lambda: MLPEncoder((3,)).adapt(np.ones((2, 2))), "`centered` must be True for `adapt`"),
        (lambda: MLPDecoder((4, 0), units=(4,)), r"`output_shape\[1\]` must be an integer >= 1"),
        (lambda: ConvEncoder(filters=(0,)), r"`filters\[0\]` must be an integer >= 1"),
        (lambda: ConvEncoder(filters=()), "`filters` must be a sequence of 1 or more integers"),
        (lambda: ConvDecoder((8, 8, 1), filters=()), "`filters` must be a sequence of 1 or more integers"),
        (lambda: ConvEncoder(units=0), "`units` must be an integer >= 1"),
        (lambda: ConvEncoder(kernel_size=0), "`kernel_size` must be an integer >= 1"),
        (
            lambda: ConvEncoder(filters=(2, 2)).build((None, 8, 6, 1)),
            "total stride 4. Received: 8 x 6",
        ),
        (lambda: ConvEncoder().build((None, 8)), r"`x` must have shape \(batch, height, width, channels\)"),
        (
            lambda: ConvDecoder((10, 8, 1), filters=(2, 2)),
            "`output_shape` must have .*Received: 10 x 8",
        ),
        (lambda: ConvDecoder((8, 8)), r"`output_shape` must be \(height, width, channels\)"),
        (lambda: VQEncoder(embedding_dim=0), "`embedding_dim` must be an integer >= 1"),
        (lambda: VQEncoder(levels=-1), "`levels` must be an integer >= 0"),
        (lambda: VQEncoder(depth=-1), "`depth` must be an integer >= 0"),
        (lambda: VQEncoder().build((None, 10, 10, 3)), "divisible by the total stride 4. Received: 10 x 10"),
        (
            lambda: VQEncoder().build((None, 10)),
            r"`x` must have shape \(batch, \*sizes, channels\) of one, two or three",
        ),
        (lambda: VQEncoder().build((None, 8, 8, 8, 8, 1)), "of one, two or three sizes"),
        (lambda: VQEncoder().build((None, 8, 6, 12, 1)), "divisible by the total stride 4. Received: 8 x 6 x 12"),
        (lambda: VQEncoder().build((None, None, 1)), "divisible by the total stride 4. Received: None"),
        (lambda: VQDecoder((6, 8, 1)), "total stride 4. Received: 6 x 8"),
        (lambda: VQDecoder((6, 1)), "total stride 4. Received: 6"),
        (lambda: VQDecoder((8,)), r"`output_shape` must be \(\*sizes, channels\) of one, two or three sizes"),
        (lambda: VQDecoder((8, 8, 8, 8, 1)), "of one, two or three sizes"),
        (
            lambda: VQDecoder((8, 12, 1)).build((None, 2, 2, 5)),
            r"`z` must have shape \(batch, 2, 3, features\) for output_shape=\(8, 12, 1\) and levels=2",
        ),
        (lambda: VQDecoder((8, 12, 1)).build((None, 2, 5)), r"`z` must have shape \(batch, 2, 3, features\)"),
        (lambda: VQDecoder((8, 8, 1), hidden=0), "`hidden` must be an integer >= 1"),
        (lambda: VQDecoder((8, 8, 1), residual_hidden=0), "`residual_hidden` must be an integer >= 1"),
    ],
)
def test_refuses(make, told):
    harness.check_refuses(make, told)
