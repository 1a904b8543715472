"""The sprites of dSprites itself, where tensorflow-datasets has them."""

import numpy as np

from keras_vae.core.checks import one_of
from keras_vae.datasets.image_reader import ImageReader
from keras_vae.datasets.prepared import has_dataset
from keras_vae.datasets.sprite_factors import SpriteFactors
from keras_vae.datasets.sprites import Sprites

_LABELS = ("label_shape", "label_scale", "label_orientation", "label_x_position", "label_y_position")


class TfdsSprites(SpriteFactors):
    """The images of dSprites as tensorflow-datasets stores them, by index and with factors like those of `Sprites`.

    tensorflow-datasets stores the images shuffled: where each is, is read from their labels once, when the first image
    is asked for, which takes a minute or so and shows a progress bar. Images are then decoded as they are asked for.

    Args:
        image_size: int, 64, or 32 for blocks of 2 x 2 pixels, on where at least two of four are. Default 64.
        data_dir: path or None, where to look; see `prepared_datasets`. Default None.

    Raises:
        DatasetNotFoundError: `dsprites` is not prepared on this machine.
        ValueError: another `image_size`.

    Reference:
        Matthey, Higgins, Hassabis, Lerchner 2017, "dSprites: Disentanglement testing Sprites dataset".

    Example:

    >>> from keras_vae.datasets import TfdsSprites, has_dataset
    >>> if has_dataset("dsprites"):
    ...     sprites = TfdsSprites(image_size=64)
    """

    def __init__(self, image_size=64, data_dir=None):
        super().__init__(image_size)
        self.data_dir = data_dir
        self._reader = ImageReader("dsprites", "train", data_dir, labels=_LABELS)
        self._rows = None

    def render(self, indices, dtype="float32"):
        """The images of `indices`, decoded.

        Args:
            indices: int or int array of any shape, flattened, 0 to `len(self) - 1`.
            dtype: "float32" for 0 and 1, "uint8" for 0 and 255. Default "float32".

        Returns:
            An array (n, image_size, image_size, 1).

        Raises:
            TypeError: `indices` is not of whole numbers.
            IndexError: an index out of range.
            ValueError: another `dtype`, or a stored set with images missing.
        """
        one_of("dtype", dtype, ("float32", "uint8"))
        indices = self._checked("indices", indices).reshape(-1)
        if self._rows is None:
            self._rows = self._find_rows()
        images, _ = self._reader.read(self._rows[indices])
        on = images >= 128
        if self.image_size != on.shape[1]:
            step = on.shape[1] // self.image_size
            blocks = on.reshape(len(on), self.image_size, step, self.image_size, step, 1)
            on = 2 * blocks.sum(axis=(2, 4)) >= step * step
        return on.astype(np.float32) if dtype == "float32" else on.astype(np.uint8) * np.uint8(255)

    def _find_rows(self):
        factors = self._reader.read_labels(range(len(self._reader)), verbose="auto")
        rows = np.full(len(self), -1)
        rows[self.index_of(factors)] = np.arange(len(factors))
        missing = int((rows < 0).sum())
        if missing:
            raise ValueError(f"dsprites must hold an image for each of {len(self):,} indices: {missing:,} are missing.")
        return rows


def load_sprites(image_size=64, prefer_tfds=True, data_dir=None):
    """Sprites with known factors: dSprites itself where tensorflow-datasets has it, else rendered here.

    Args:
        image_size: int, height and width of an image, 64 or 32 pixels. Default 64.
        prefer_tfds: bool, look for `dsprites` on this machine; False renders anyway, which repeats everywhere. Nothing
            is downloaded. Default True.
        data_dir: path or None, where to look; see `prepared_datasets`. Default None.

    Returns:
        `TfdsSprites` or `Sprites`: equal in methods, factors and indices, not in pixels.

    Raises:
        ValueError: another `image_size`.

    Example:

    >>> from keras_vae.datasets import load_sprites
    >>> images, factors = load_sprites(32, prefer_tfds=False).sample(10, seed=1)
    >>> images.shape, factors.shape
    ((10, 32, 32, 1), (10, 5))
    """
    if prefer_tfds and has_dataset("dsprites", data_dir):
        return TfdsSprites(image_size, data_dir)
    return Sprites(image_size)
