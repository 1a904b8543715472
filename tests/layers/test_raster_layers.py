"""Layers in raster order: what they see, by the Jacobian; rows and positions one at a time; their values by hand."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

import harness
import keras_vae

H, W = 4, 5


def seen(function, channels, groups=1):
    """seen[i, j, g, a, b, c]: whether output group g at (i, j) depends on input channel c at (a, b), by derivatives."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(H, W, channels)).astype("float32")
    found = harness.derivatives(function, x, np.eye(x.size).reshape(-1, *x.shape)) != 0  # (input, i, j, outputs)
    found = found.reshape(H, W, channels, H, W, groups, -1).any(axis=-1)
    return found.transpose(3, 4, 5, 0, 1, 2)


def order(i, j, a, b):
    """-1 where (a, b) comes before (i, j) in raster order, 0 where it is the same, 1 behind it."""
    return (a * W + b > i * W + j) - (a * W + b < i * W + j)


def places():
    return itertools.product(range(H), range(W), range(H), range(W))


@pytest.mark.parametrize("mask_type", ["A", "B"])
@pytest.mark.parametrize("size", [3, (1, 3), (3, 1), (5, 3)])
def test_a_masked_convolution_sees_the_upper_half_of_its_kernel(mask_type, size):
    layer = keras_vae.MaskedConv2D(2, size, mask_type)
    layer.build((None, H, W, 2))
    harness.set_weights(layer)
    found = seen(layer, 2)
    above, reach = (s // 2 for s in size) if isinstance(size, tuple) else (size // 2, size // 2)
    for i, j, a, b in places():
        in_kernel = 0 <= i - a <= above and abs(b - j) <= reach
        expected = in_kernel and order(i, j, a, b) <= (0 if mask_type == "B" else -1)
        assert found[i, j, 0, a, b].all() == found[i, j, 0, a, b].any() == expected, (i, j, a, b)


@pytest.mark.parametrize("mask_type", ["A", "B"])
def test_channels_follow_each_other_at_a_position(mask_type):
    layer = keras_vae.MaskedConv2D(6, 3, mask_type, channel_groups=3)
    layer.build((None, H, W, 3))
    harness.set_weights(layer)
    found = seen(layer, 3, groups=3)
    for i, j in itertools.product(range(H), range(W)):
        for g, c in itertools.product(range(3), range(3)):
            assert found[i, j, g, i, j, c] == (c < g if mask_type == "A" else c <= g)
        if i and j:
            assert found[i, j, :, i, j - 1].all() and found[i, j, :, i - 1, j].all()


def test_a_masked_convolution_is_a_convolution_with_a_masked_kernel():
    layer = keras_vae.MaskedConv2D(3, (5, 3), "B")
    layer.build((None, H, W, 2))
    harness.set_weights(layer)
    kernel = np.zeros((5, 3, 2, 3), "float32")
    kernel[:2], kernel[2, :2] = harness.numpy(layer.upper.value), harness.numpy(layer.row.value)[0]
    x = np.random.default_rng(1).normal(size=(2, H, W, 2)).astype("float32")
    expected = harness.numpy(ops.conv(x, kernel, padding="same")) + harness.numpy(layer.bias.value)
    np.testing.assert_allclose(harness.numpy(layer(x)), expected, atol=1e-5)


@pytest.mark.parametrize(
    "size, mask_type, groups", [(3, "A", 1), (5, "B", 1), ((1, 5), "B", 2), (3, "A", 2), (1, "B", 1)]
)
def test_position_by_position_it_is_the_same(size, mask_type, groups):
    layer = keras_vae.MaskedConv2D(4, size, mask_type, channel_groups=groups)
    layer.build((None, H, W, 2))
    harness.set_weights(layer)
    x = np.random.default_rng(1).normal(size=(3, H, W, 2)).astype("float32")
    whole = harness.numpy(layer(x))
    padded = np.pad(x, ((0, 0), (layer.above, 0), (0, 0), (0, 0)))
    for i in range(H):
        above = layer.from_above(ops.convert_to_tensor(padded[:, i : i + layer.above]))
        row = ops.zeros((3, layer.reach + W, 2))
        for j in range(W):
            value, row = layer.write(above, row, ops.convert_to_tensor(x[:, i, j]), j)
            np.testing.assert_allclose(harness.numpy(value), whole[:, i, j], atol=1e-5)


@pytest.mark.parametrize("mask_type", ["A", "B"])
def test_a_vertical_convolution_sees_rows(mask_type):
    layer = keras_vae.VerticalConv2D(2, 3, mask_type)
    layer.build((None, H, W, 1))
    harness.set_weights(layer)
    found = seen(layer, 1)
    for i, j, a, b in places():
        rows = (1,) if mask_type == "A" else (0, 1)
        assert found[i, j, 0, a, b, 0] == (i - a in rows and abs(j - b) <= 1)
    x = np.random.default_rng(1).normal(size=(2, H, W, 1)).astype("float32")
    whole, padded = harness.numpy(layer(x)), np.pad(x, ((0, 0), (1, 0), (0, 0), (0, 0)))
    for i in range(H):
        rows = ops.convert_to_tensor(padded[:, i : i + layer.rows])
        np.testing.assert_allclose(harness.numpy(layer.of_row(rows)), whole[:, i], atol=1e-5)


def gated(layer, filters=4):
    """Block A and block B, one behind the other, as a function of data."""
    first = keras_vae.GatedRasterBlock(filters, 3, "A", **layer)
    second = keras_vae.GatedRasterBlock(filters, 3, "B", **layer)
    groups = layer.get("channel_groups", 1)
    first.build((None, H, W, groups), (None, H, W, groups))
    second.build((None, H, W, filters), (None, H, W, filters))
    for seed, block in enumerate((first, second)):
        harness.set_weights(block, seed)
    return lambda x: second(*first(x, x))[1]


def test_gated_blocks_have_no_blind_spot():
    found = seen(gated({}), 1)
    masked = [keras_vae.MaskedConv2D(4, 3, kind) for kind in "AB"]
    masked[0].build((None, H, W, 1))
    masked[1].build((None, H, W, 4))
    for layer in masked:
        harness.set_weights(layer)
    plain = seen(lambda x: masked[1](masked[0](x)), 1)
    for i, j, a, b in places():
        assert found[i, j, 0, a, b, 0] == (order(i, j, a, b) < 0 and i - a <= 2 and abs(b - j) <= 2)
    assert not plain[2, 1, 0, 1, 3, 0] and found[2, 1, 0, 1, 3, 0]  # to the upper right: the blind spot of plain masks


def test_gated_blocks_keep_the_order_of_channels():
    found = seen(gated({"channel_groups": 2}), 2, groups=2)
    assert not found[1, 2, 0, 1, 2].any() and found[1, 2, 1, 1, 2].tolist() == [True, False]
    for i, j, a, b in places():
        if order(i, j, a, b) > 0:
            assert not found[i, j, :, a, b].any()


def test_attention_sees_everything_before_and_the_first_position_nothing():
    layer = keras_vae.RasterAttention(key_dim=3, value_dim=2, heads=2)
    layer.build((None, H, W, 4), (None, H, W, 2))
    harness.set_weights(layer)
    query = np.random.default_rng(1).normal(size=(1, H, W, 4)).astype("float32")
    found = seen(lambda x: layer(ops.repeat(query, x.shape[0], axis=0), x), 2)
    for i, j, a, b in places():
        # The second position sees one, whose weight is one: its keys do not matter, its values do.
        assert found[i, j, 0, a, b].any() == (order(i, j, a, b) < 0), (i, j, a, b)
    assert not harness.numpy(layer(query, np.ones((1, H, W, 2), "float32")))[0, 0, 0].any()


def test_attention_by_hand():
    layer = keras_vae.RasterAttention(key_dim=1, value_dim=1)
    layer.build((None, 1, 3, 1), (None, 1, 3, 1))
    layer.set_weights([np.array(v) for v in ([[1.0]], [0.0], [[1.0, 10.0]], [0.0, 0.0])])
    query, source = (np.array(v, "float32").reshape(1, 1, 3, 1) for v in ([0.0, 1.0, 2.0], [1.0, 2.0, 5.0]))
    weights = np.exp([2.0, 4.0]) / np.exp([2.0, 4.0]).sum()
    expected = [0.0, 10.0, float(weights @ [10.0, 20.0])]
    np.testing.assert_allclose(harness.numpy(layer(query, source)).ravel(), expected, rtol=1e-5)


def test_attention_position_by_position_is_the_same():
    layer = keras_vae.RasterAttention(key_dim=3, value_dim=2, heads=2)
    layer.build((None, H, W, 4), (None, H, W, 2))
    harness.set_weights(layer)
    query, x = (np.random.default_rng(s).normal(size=(2, H * W, c)).astype("float32") for s, c in ((1, 4), (2, 2)))
    whole = harness.numpy(layer(query.reshape(2, H, W, 4), x.reshape(2, H, W, 2))).reshape(2, H * W, 4)
    kept = layer.empty(2, H * W)
    for t in range(H * W):
        np.testing.assert_allclose(
            harness.numpy(layer.at(ops.convert_to_tensor(query[:, t]), kept, t)), whole[:, t], atol=1e-5
        )
        kept = layer.keep(kept, ops.convert_to_tensor(x[:, t]), t)


def test_residual_block_by_hand():
    layer = keras_vae.ResidualRasterBlock(1, kernel_size=1)
    layer.build((None, 1, 1, 1))
    first, second = np.array([[2.0], [3.0]]), np.array([[1.0, 0.5], [-1.0, 2.0]])
    layer.set_weights([first[None, None], np.array([0.25]), second[None, None], np.zeros(2)])
    elu = lambda v: np.where(v > 0, v, np.expm1(v))  # noqa: E731
    y = np.concatenate([elu(0.5), elu(-0.5)], axis=None) @ first + 0.25
    a, b = np.concatenate([elu(y), elu(-y)]) @ second
    expected = 0.5 + a / (1 + np.exp(-b))
    assert float(ops.squeeze(layer(np.full((1, 1, 1, 1), 0.5, "float32")))) == pytest.approx(expected, rel=1e-5)


def test_dropout_is_of_training_alone():
    layer = keras_vae.GatedRasterBlock(16, dropout=0.5)
    x = np.random.default_rng(0).normal(size=(1, H, W, 16)).astype("float32")
    keras.utils.set_random_seed(0)
    still = [harness.numpy(layer(x, x)[1]) for _ in range(2)]
    np.testing.assert_array_equal(*still)
    assert np.abs(harness.numpy(layer(x, x, training=True)[1]) - still[0]).max() > 1e-3


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: keras_vae.MaskedConv2D(4, 2), "`kernel_size` must be odd"),
        (lambda: keras_vae.MaskedConv2D(4, 1, "A"), "`kernel_size` must be more than 1"),
        (lambda: keras_vae.MaskedConv2D(4, 3, "C"), "`mask_type` must be one of 'A', 'B'"),
        (lambda: keras_vae.MaskedConv2D(4, 3, channel_groups=3), "`filters` must have a number of channels divisible"),
        (lambda: keras_vae.MaskedConv2D(4, 3, channel_groups=2).build((None, 4, 4, 3)), "`x` must have a number of"),
        (lambda: keras_vae.VerticalConv2D(4, 1, "A"), "`kernel_size` must be 3 or more"),
        (lambda: keras_vae.GatedRasterBlock(4, 4), "`kernel_size` must be odd"),
        (lambda: keras_vae.GatedRasterBlock(4, dropout=1.0), r"`dropout` must be in \[0, 1\)"),
        (lambda: keras_vae.RasterAttention(0), "`key_dim` must be an integer >= 1"),
        (lambda: keras_vae.PixelCNN(stem_size=1), "`stem_size` must be an integer >= 3"),
        (lambda: keras_vae.PixelSNAIL(6, heads=4), "`heads` must be a divisor of filters=6"),
    ],
)
def test_refused(make, message):
    harness.check_refuses(make, message)
