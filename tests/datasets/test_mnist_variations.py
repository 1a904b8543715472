"""Rotations, backgrounds and patches of the MNIST variations."""

import numpy as np
import pytest

import harness
from keras_vae.datasets import has_dataset, load_mnist_variation
from keras_vae.datasets.mnist_variations import grey_patches, on_background, original_mnist, original_order, rotated

pytest.importorskip("PIL")
RNG = np.random.default_rng(0)
DIGITS = RNG.integers(0, 256, (3, 8, 8, 1)).astype("uint8")


def test_right_angles_are_exact():
    for degrees, turns in ((0.0, 0), (90.0, 1), (180.0, 2), (270.0, 3)):
        got = rotated(DIGITS, np.full(3, degrees))
        np.testing.assert_array_equal(got, np.rot90(DIGITS, turns, axes=(1, 2)))


def test_ink_covers_its_background_by_its_brightness():
    digits = np.array([0, 255, 51], "uint8").reshape(1, 1, 3, 1)
    background = np.array([200, 200, 100], "uint8").reshape(1, 1, 3, 1)
    assert on_background(digits, background).ravel().tolist() == [200, 255, 131]  # 51 + 204 x 100 / 255


def test_patches_are_cut_from_the_images_and_vary():
    images = np.repeat(RNG.integers(0, 256, (4, 10, 10, 1)), 3, axis=-1).astype("uint8")
    images[0] = 90  # nothing to see
    patches = grey_patches(images, 20, 6, np.random.default_rng(1))
    assert patches.shape == (20, 6, 6, 1) and patches.reshape(20, -1).std(axis=1).min() > 10
    windows = np.lib.stride_tricks.sliding_window_view(images[1:, ..., 0], (6, 6), axis=(1, 2)).reshape(-1, 36)
    for patch in patches:
        assert (np.abs(windows.astype(int) - patch.ravel()).max(axis=1) <= 1).any()  # the grey of a grey is rounded
    with pytest.raises(ValueError, match="nearly uniform"):
        grey_patches(images[:1], 2, 6, np.random.default_rng(1))


def test_names_and_splits():
    harness.check_refuses(lambda: load_mnist_variation("upside-down"), "`name` must be one of 'basic', 'rot'")
    harness.check_refuses(lambda: load_mnist_variation("rot", "dev"), "`split` must be one of 'train'")


def test_original_order_undoes_the_shuffle_of_tensorflow_datasets():
    hashing = pytest.importorskip("tensorflow_datasets.core.hashing")
    hasher = hashing.Hasher("train")
    stored = sorted(range(300), key=hasher.hash_key)
    np.testing.assert_array_equal(np.array(stored)[original_order("train", 300)], np.arange(300))
    assert not np.array_equal(original_order("train", 300), original_order("test", 300))


@pytest.mark.data
def test_digits_come_in_the_order_of_mnists_own_files():
    images, labels = original_mnist(slice(0, 60_005))  # across the two files
    assert images.shape == (60_005, 28, 28, 1)
    assert labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4] and labels[60_000:].tolist() == [7, 2, 1, 0, 4]


@pytest.mark.data
def test_a_variation_of_the_real_digits():
    plain, labels = load_mnist_variation("basic", "validation")
    turned, same = load_mnist_variation("rot", "validation")
    assert plain.shape == turned.shape == (2000, 28, 28, 1) and plain.dtype == turned.dtype == np.uint8
    np.testing.assert_array_equal(labels, same)
    assert np.bincount(labels).min() > 150
    assert abs(turned.mean() / plain.mean() - 1) < 0.05  # the same ink, elsewhere
    noisy, _ = load_mnist_variation("bg-rand", "validation")
    again, _ = load_mnist_variation("bg-rand", "validation")
    other, _ = load_mnist_variation("bg-rand", "validation", seed=1)
    np.testing.assert_array_equal(noisy, again)
    assert not np.array_equal(noisy, other) and (noisy >= plain).all()


@pytest.mark.data
def test_photographs_behind_digits_and_a_digit_is_the_same_in_any_split():
    if not (has_dataset("cifar10") or has_dataset("cifar10_jpeg")):
        pytest.skip("needs cifar10 or cifar10_jpeg")
    plain, _ = load_mnist_variation("basic", "train")
    images, labels = load_mnist_variation("bg-img", "train")
    assert images.shape == (10_000, 28, 28, 1) and labels.shape == (10_000,)
    assert (images >= plain).all() and 20 < images[plain == 0].std() < 100
