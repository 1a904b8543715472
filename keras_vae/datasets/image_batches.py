"""Batches of 8-bit images that are in memory, as floats only when they are asked for."""

import numpy as np

from keras_vae.datasets.binarize import as_greys, to_float
from keras_vae.datasets.seeded_batches import SeededBatches, beside, with_condition


class ImageBatches(SeededBatches):
    """Batches of an image array in float32, reshuffled each epoch, mirrored at random where that is wanted.

    Images stay 8-bit in memory, a quarter of their float size. A batch depends on the seed, the epoch and its number.

    Args:
        images: array (n, height, width, channels), uint8 greys 0 to 255 or floats in [0, 1].
        batch_size: int, images in a batch, >= 1. Default 64.
        seed: int, >= 0, of the order and of the mirroring. Default 0.
        shuffle: bool, a new order each epoch. Default True.
        mirror: bool, flip each image left to right with probability 1/2. Default False.
        drop_remainder: bool, leave out the last batch where it is smaller than the others. Default False.
        initial_epoch: int, the number of the first epoch, >= 0. Default 0.
        condition: array (n, ...), what goes with each image, for a conditional model: batches are then dicts of "x" and
            "condition". Default None.

    Returns:
        A `keras.utils.PyDataset`, to `fit` on, of float32 arrays (batch, height, width, channels) in [0, 1].

    Raises:
        TypeError: `images` is neither uint8 nor floating point.
        ValueError: `images` is empty or has values outside [0, 1], or a number is out of range.

    Example:

    >>> import numpy as np
    >>> from keras_vae.datasets import ImageBatches
    >>> batches = ImageBatches(np.full((5, 2, 2, 1), 255, "uint8"), batch_size=2)
    >>> len(batches), float(batches[0].mean())
    (3, 1.0)
    """

    def __init__(
        self,
        images,
        batch_size=64,
        seed=0,
        shuffle=True,
        mirror=False,
        drop_remainder=False,
        initial_epoch=0,
        condition=None,
    ):
        self.images = as_greys("images", images)
        self.mirror = bool(mirror)
        super().__init__(len(self.images), batch_size, shuffle, seed, drop_remainder, initial_epoch)
        self.condition = beside("condition", condition, self.count)

    def make_batch(self, rows, rng):
        """The images `rows` as floats, some of them mirrored."""
        images = np.take(self.images, rows, axis=0)
        if self.mirror:
            images = np.where(rng.random(len(rows))[:, None, None, None] < 0.5, images, images[:, :, ::-1])
        images = to_float(images) if images.dtype == np.uint8 else images
        return with_condition(images, self.condition, rows)
