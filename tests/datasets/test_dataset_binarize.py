"""Binarisation: the greys are the probabilities, seeds repeat, epochs differ, and Keras moves from one to the next."""

import time

import keras
import numpy as np
import pytest

from keras_vae.datasets import DynamicBinarization, ImageBatches, static_binarize, to_float

GREYS = np.random.default_rng(5).integers(0, 256, (40, 6, 5, 1), dtype=np.uint8)


def epoch(batches):
    return np.concatenate([batches[i] for i in range(len(batches))])


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_the_mean_of_draws_is_the_grey(dtype):
    greys = np.array([0, 1, 64, 128, 191, 254, 255], np.uint8)
    images = np.tile(greys, (20000, 1)) if dtype == "uint8" else np.tile(greys.astype(dtype) / 255, (20000, 1))
    draws = static_binarize(images, seed=1)
    assert draws.dtype == np.float32 and set(np.unique(draws)) == {0.0, 1.0}
    p = greys / 255
    error = np.abs(draws.mean(axis=0) - p)
    assert np.all(error <= 4.5 * np.sqrt(p * (1 - p) / 20000))  # and exact at 0 and 255
    correlation = np.corrcoef(draws[:, 2:5].T)[np.triu_indices(3, 1)]
    assert np.abs(correlation).max() < 0.035  # pixels are drawn independently


def test_every_draw_of_a_dynamic_epoch_follows_the_greys():
    greys = np.tile(np.array([[0, 51, 204, 255]], np.uint8), (30000, 1))
    draws = epoch(DynamicBinarization(greys, batch_size=700, seed=2))
    assert draws.shape == (30000, 4) and draws.dtype == np.float32
    np.testing.assert_allclose(draws.mean(axis=0), [0, 0.2, 0.8, 1], atol=0.01)


def test_a_static_draw_is_a_function_of_its_seed():
    first = static_binarize(GREYS, seed=3)
    np.testing.assert_array_equal(static_binarize(GREYS, seed=3), first)
    assert not np.array_equal(static_binarize(GREYS, seed=4), first)
    large = np.tile(GREYS, (130, 1, 1, 1))  # 5,200 images: more than are drawn at once
    draws = static_binarize(large, seed=3)
    assert not np.array_equal(draws[:40], draws[-40:])
    assert draws.mean() == pytest.approx(large.mean() / 255, abs=0.005)


def test_batches_are_functions_of_seed_epoch_and_number():
    batches = DynamicBinarization(GREYS, batch_size=16, seed=6, shuffle=False)
    first = epoch(batches)
    np.testing.assert_array_equal(batches[1], first[16:32])  # whenever it is read
    np.testing.assert_array_equal(batches[-1], first[32:])
    batches.on_epoch_end()
    second = epoch(batches)
    assert not np.array_equal(first, second) and batches.epoch == 1
    np.testing.assert_array_equal(epoch(DynamicBinarization(GREYS, 16, seed=6, shuffle=False, initial_epoch=1)), second)
    assert not np.array_equal(epoch(DynamicBinarization(GREYS, 16, seed=7, shuffle=False)), first)


def test_an_epoch_has_every_image_once_in_an_order_of_its_own():
    codes = np.unpackbits(np.arange(64, dtype=np.uint8)[:, None], axis=1) * np.uint8(255)  # black and white: no chance
    batches = DynamicBinarization(codes, batch_size=10, seed=1)
    orders = []
    for _ in range(2):
        assert [len(batches[i]) for i in range(7)] == [10] * 6 + [4]
        orders.append(np.packbits(epoch(batches).astype(np.uint8), axis=1)[:, 0].tolist())
        batches.on_epoch_end()
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(64)) and orders[0] != orders[1] != list(range(64))
    assert len(epoch(DynamicBinarization(codes, batch_size=10, drop_remainder=True))) == 60


def test_keras_goes_through_the_epochs_from_the_first_and_resumes():
    """A model whose loss is the mean of its input shows which draws Keras saw."""

    def seen(epochs, initial_epoch=0):
        inputs = keras.Input((6, 5, 1))
        model = keras.Model(inputs, keras.layers.Flatten()(inputs))
        model.compile("sgd", loss=lambda y, x: keras.ops.mean(x, axis=-1), jit_compile=False)
        batches = Pairs(DynamicBinarization(GREYS, batch_size=10, seed=8, initial_epoch=initial_epoch))
        return model.fit(batches, epochs=epochs, verbose=0).history["loss"]

    expected = [epoch(DynamicBinarization(GREYS, 10, seed=8, initial_epoch=i)).mean() for i in range(3)]
    assert len(set(expected)) == 3
    np.testing.assert_allclose(seen(3), expected, rtol=1e-5)  # although Keras reads ahead to build the model
    np.testing.assert_allclose(seen(1, initial_epoch=2), expected[2:], rtol=1e-5)


def test_an_epoch_that_was_not_read_to_its_end_goes_on():
    batches = DynamicBinarization(GREYS, batch_size=10, seed=8)
    batches[0], batches[3]
    batches.on_epoch_end()
    assert batches.epoch == 0
    batches[2], batches[1]
    batches.on_epoch_end()
    batches.on_epoch_end()
    assert batches.epoch == 1


def test_image_batches_are_the_images_some_of_them_mirrored():
    for images in (GREYS, GREYS.astype(np.float32) / 255):
        plain = epoch(ImageBatches(images, batch_size=16, shuffle=False))
        np.testing.assert_array_equal(plain, to_float(GREYS))
        batches = ImageBatches(images, batch_size=16, shuffle=False, mirror=True, seed=2)
        mirrored = epoch(batches)
        flips = [np.array_equal(x, y[:, ::-1]) for x, y in zip(mirrored, plain, strict=True)]
        kept = [np.array_equal(x, y) for x, y in zip(mirrored, plain, strict=True)]
        assert all(np.logical_xor(flips, kept)) and 8 <= sum(flips) <= 32
        batches.on_epoch_end()
        assert not np.array_equal(epoch(batches), mirrored)


def test_an_epoch_of_mnist_size_costs_little():
    images = np.random.default_rng(0).integers(0, 256, (12000, 28, 28, 1), dtype=np.uint8)  # a fifth of MNIST
    batches = DynamicBinarization(images, batch_size=100)
    costs = []
    for _ in range(3):
        start = time.process_time()
        for i in range(len(batches)):
            batches[i]
        costs.append(time.process_time() - start)
    assert min(costs) < 0.4 / 5 * 2  # the bar is 0.4 s for 60,000; twice that here, for slow machines


@pytest.mark.parametrize("make", [static_binarize, DynamicBinarization])
@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (np.zeros((3, 4), np.int64), TypeError, "`images` must be uint8 greys or floats in .*int64"),
        (np.zeros((3, 4), bool), TypeError, "`images` must be uint8 greys"),
        (np.full((3, 4), 1.01), ValueError, r"`images` must be uint8 or in \[0, 1\]. Received: floats from 1.01"),
        (np.full((3, 4), -0.1), ValueError, "`images` must be uint8 or in"),
        (np.array([[0.5, np.nan]]), ValueError, "`images` must be uint8 or in"),
        (np.array([[0.5, np.inf]]), ValueError, "`images` must be uint8 or in"),
        (np.zeros((0, 4), np.uint8), ValueError, r"`images` must be of shape \(n, ...\) with n >= 1"),
        (np.zeros(4, np.uint8), ValueError, "`images` must be of shape"),
    ],
)
def test_only_greys_are_drawn(make, images, error, message):
    with pytest.raises(error, match=message):
        make(images)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be an integer >= 1"),
        ({"seed": -1}, "`seed` must be an integer >= 0"),
        ({"initial_epoch": -1}, "`initial_epoch` must be an integer >= 0"),
        ({"batch_size": 41, "drop_remainder": True}, "`batch_size` must be at most the number of examples, 40"),
    ],
)
def test_bad_numbers(options, message):
    with pytest.raises(ValueError, match=message):
        DynamicBinarization(GREYS, **options)
    if "seed" in options:
        with pytest.raises(ValueError, match=message):
            static_binarize(GREYS, **options)


class Pairs(keras.utils.PyDataset):
    """A stream as inputs and (unused) targets, for a plain Keras model."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches
        self.on_epoch_end = batches.on_epoch_end

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        x = self.batches[index]
        return x, np.zeros((len(x), 1), np.float32)
