"""The factors of dSprites and their indices: what rendered and stored sprites share."""

import numpy as np

from keras_vae.core.checks import integer, one_of
from keras_vae.datasets.seeded_batches import SeededBatches
from keras_vae.datasets.sprite_shapes import ORIENTATIONS, POSITIONS, SCALES


class SpriteFactors:
    """Abstract: 737,280 images by index, one for each combination of five factors; derived classes `render` them.

    The index counts in mixed radix over (shape, scale, orientation, x, y), y fastest, as dSprites does (its sixth
    factor, the colour, has one value): index = (((shape * 6 + scale) * 40 + orientation) * 32 + x) * 32 + y.

    Args:
        image_size: int, height and width of an image, 64 or 32 pixels. Default 64.

    Raises:
        ValueError: another `image_size`.
    """

    factor_names = ("shape", "scale", "orientation", "x", "y")
    factor_sizes = (3, len(SCALES), len(ORIENTATIONS), POSITIONS, POSITIONS)
    shape_names = ("square", "ellipse", "heart")

    def __init__(self, image_size=64):
        self.image_size = one_of("image_size", image_size, (64, 32))

    def __len__(self):
        """The number of images, 737,280."""
        return int(np.prod(self.factor_sizes))

    @property
    def image_shape(self):
        """Height, width and channels of an image."""
        return (self.image_size, self.image_size, 1)

    def factors_of(self, index):
        """The classes of the factors of images.

        Args:
            index: int or int array, 0 to `len(self) - 1`.

        Returns:
            An int64 array, the shape of `index` and one more axis of 5: shape, scale, orientation, x, y, from 0.

        Raises:
            TypeError: `index` is not of whole numbers.
            IndexError: an index out of range.
        """
        return np.stack(np.unravel_index(self._checked("index", index), self.factor_sizes), axis=-1)

    def index_of(self, factors):
        """The indices of images with these classes: the inverse of `factors_of`.

        Args:
            factors: int array (..., 5): shape, scale, orientation, x, y, from 0.

        Returns:
            An int64 array of the shape of `factors` without its last axis.

        Raises:
            TypeError: `factors` is not of whole numbers.
            ValueError: the last axis is not of length 5, or a class is out of range.
        """
        factors = np.asarray(factors)
        if not np.issubdtype(factors.dtype, np.integer):
            raise TypeError(f"`factors` must be whole numbers. Received: factors of dtype {factors.dtype}.")
        if factors.ndim < 1 or factors.shape[-1] != len(self.factor_sizes):
            raise ValueError(f"`factors` must be of shape (..., 5). Received: factors of shape {factors.shape}.")
        if np.any(factors < 0) or np.any(factors >= self.factor_sizes):
            raise ValueError(
                f"`factors` must be in 0 to {tuple(n - 1 for n in self.factor_sizes)}. "
                f"Received: from {tuple(factors.min(axis=tuple(range(factors.ndim - 1))).tolist())} "
                f"to {tuple(factors.max(axis=tuple(range(factors.ndim - 1))).tolist())}."
            )
        return np.asarray(np.ravel_multi_index(tuple(np.moveaxis(factors, -1, 0)), self.factor_sizes), np.int64)

    def factor_values(self, index):
        """The values of the factors of images, as dSprites gives them.

        Args:
            index: int or int array, 0 to `len(self) - 1`.

        Returns:
            A float64 array, the shape of `index` and one more axis of 5: shape 1 square, 2 ellipse, 3 heart; scale 0.5
            to 1; orientation 0 to 2 pi radians, both ends; x and y 0 (left, top) to 1 (right, bottom).

        Raises:
            TypeError: `index` is not of whole numbers.
            IndexError: an index out of range.
        """
        shapes, scales, orientations, x, y = self.factor_sizes
        values = (np.arange(shapes) + 1.0, np.linspace(0.5, 1, scales), np.linspace(0, 2 * np.pi, orientations))
        values += (np.linspace(0, 1, x), np.linspace(0, 1, y))
        factors = self.factors_of(index)
        return np.stack([column[factors[..., i]] for i, column in enumerate(values)], axis=-1)

    def render(self, indices, dtype="float32"):
        """The images of `indices`: (n, image_size, image_size, 1), float32 0 and 1, or uint8 0 and 255."""
        raise NotImplementedError

    def sample(self, n, seed=0, dtype="float32", replace=False):
        """Images at random, with their factors.

        Args:
            n: int, how many, >= 1.
            seed: int, >= 0. Default 0.
            dtype: "float32" for 0 and 1, "uint8" for 0 and 255. Default "float32".
            replace: bool, draw each image from all; by default no image twice. Default False.

        Returns:
            images, (n, image_size, image_size, 1), and int64 classes of the factors (n, 5).

        Raises:
            ValueError: a number out of range, or more than there are without `replace`.
        """
        rng = np.random.default_rng(integer("seed", seed, low=0))
        if integer("n", n) > len(self) and not replace:
            raise ValueError(f"`n` must be at most {len(self):,} unless replace=True. Received: n={n}.")
        index = rng.integers(len(self), size=n) if replace else rng.choice(len(self), n, replace=False)
        return self.render(index, dtype), self.factors_of(index)

    def stream(self, batch_size=64, indices=None, seed=0, **kwargs):
        """Batches of images, put together when asked for: an epoch over all of them needs no memory.

        Args:
            batch_size: int, images in a batch, >= 1. Default 64.
            indices: int array or None, the images of an epoch. Default None: all.
            seed: int, >= 0, of the order. Default 0.
            **kwargs: `shuffle` (default True), `drop_remainder`, `initial_epoch`: as in `stream`.

        Returns:
            A `keras.utils.PyDataset` of float32 arrays (batch, image_size, image_size, 1).

        Raises:
            ValueError: a number out of range.
            IndexError: an index out of range.
        """
        if indices is not None:
            indices = self._checked("indices", indices).reshape(-1)
        return _SpriteStream(self, indices, batch_size, seed=seed, **kwargs)

    def _checked(self, name, index):
        index = np.asarray(index)
        if not np.issubdtype(index.dtype, np.integer):
            raise TypeError(f"`{name}` must be whole numbers. Received: {name} of dtype {index.dtype}.")
        if index.size and (index.min() < 0 or index.max() >= len(self)):
            low, high = index.min(), index.max()
            raise IndexError(f"`{name}` must be in 0 to {len(self) - 1}. Received: from {low} to {high}.")
        return index.astype(np.int64, copy=False)


class _SpriteStream(SeededBatches):
    def __init__(self, sprites, indices, batch_size, **kwargs):
        super().__init__(len(sprites) if indices is None else len(indices), batch_size, **kwargs)
        self.sprites, self.indices = sprites, indices

    def make_batch(self, rows, rng):
        return self.sprites.render(rows if self.indices is None else self.indices[rows])
