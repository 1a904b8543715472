"""dSprites by index out of a shuffled store, made here on a small grid of factors."""

import numpy as np
import pytest

from keras_vae.datasets import Sprites, TfdsSprites, load_sprites
from keras_vae.datasets.sprite_factors import SpriteFactors
from keras_vae.datasets.tfds_sprites import _LABELS

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("PIL")
SIZES = (3, 2, 2, 3, 2)


@pytest.fixture
def store(prepare, tmp_path, monkeypatch):
    """A `dsprites` of 72 images in random order, stored as zeros and ones; gives images in the order of their index."""
    monkeypatch.setattr(SpriteFactors, "factor_sizes", SIZES)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2, (72, 64, 64, 1), dtype=np.uint8)
    factors = np.stack(np.unravel_index(np.arange(72), SIZES), axis=1)
    examples = [
        {"image": images[i], **{name: int(n) for name, n in zip(_LABELS, factors[i], strict=True)}}
        for i in rng.permutation(72)
    ]
    labels = {name: tfds.features.ClassLabel(num_classes=n) for name, n in zip(_LABELS, SIZES, strict=True)}
    features = tfds.features.FeaturesDict({"image": tfds.features.Image(shape=(64, 64, 1)), **labels})
    prepare("dsprites", {"train": examples}, features, shards=3)
    return images


def test_the_original_takes_its_place_by_index(store, tmp_path):
    sprites = load_sprites(data_dir=tmp_path)
    assert type(sprites) is TfdsSprites and len(sprites) == 72
    np.testing.assert_array_equal(sprites.render(np.arange(72)), store.astype(np.float32))
    np.testing.assert_array_equal(sprites.render([5, 71], "uint8"), store[[5, 71]] * 255)
    images, factors = sprites.sample(20, seed=1)
    np.testing.assert_array_equal(images, store[sprites.index_of(factors)])
    batch = sprites.stream(batch_size=10, shuffle=False)[2]
    np.testing.assert_array_equal(batch, store[20:30])
    assert type(load_sprites(data_dir=tmp_path, prefer_tfds=False)) is Sprites


def test_half_the_size_is_on_where_half_the_block_is(store, tmp_path):
    small = TfdsSprites(32, data_dir=tmp_path).render(np.arange(72))
    assert small.shape == (72, 32, 32, 1)
    blocks = store[:, 0::2, 0::2] + store[:, 0::2, 1::2] + store[:, 1::2, 0::2] + store[:, 1::2, 1::2]
    np.testing.assert_array_equal(small, (blocks >= 2).astype(np.float32))


def test_a_store_with_images_missing_is_refused(store, tmp_path, monkeypatch):
    monkeypatch.setattr(SpriteFactors, "factor_sizes", (4, *SIZES[1:]))
    with pytest.raises(ValueError, match="an image for each of 96 indices: 24 are missing"):
        TfdsSprites(data_dir=tmp_path).render(0)


def test_bad_arguments(store, tmp_path):
    sprites = TfdsSprites(data_dir=tmp_path)
    with pytest.raises(IndexError, match="`indices` must be in 0 to 71"):
        sprites.render(72)
    with pytest.raises(ValueError, match="`dtype` must be one of"):
        sprites.render(0, "float16")
    with pytest.raises(FileNotFoundError, match="'dsprites' is not on this machine"):
        TfdsSprites(data_dir=tmp_path / "nowhere")
