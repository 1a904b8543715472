"""Sprites with known factors, rendered when asked for."""

import functools

import numpy as np

from keras_vae.core.checks import one_of
from keras_vae.datasets.sprite_factors import SpriteFactors
from keras_vae.datasets.sprite_shapes import POSITIONS, bit_tables

_CHUNK = 4096  # images put together at once: what is needed beside the result stays small


class Sprites(SpriteFactors):
    """The factors of dSprites, rendered here: nothing is downloaded or stored, any image comes from its index.

    White squares, ellipses and hearts on black: 3 shapes x 6 scales (0.5 to 1) x 40 orientations (0 to 2 pi, both ends)
    x 32 x positions x 32 y positions = 737,280 binary images, in the order of dSprites. A pixel is on if its centre is
    in the shape; the centroid moves by 1/64 of the image a step, so by one pixel at 64x64 and half a pixel at 32x32,
    and no sprite reaches the outermost pixels. The shapes are those of dSprites in kind, not in pixels: figures are
    comparable between runs on these images, and with published ones as far as two renderings of one task are.
    `load_sprites` gives the original where tensorflow-datasets has it.

    All images at 64x64 are distinct but for orientations 0 and 39, which are the same angle, as in dSprites. At 32x32
    some small turns do not show, nor does the next scale of an upright square at some positions.

    Args:
        image_size: int, height and width of an image, 64 or 32 pixels. Default 64.

    Raises:
        ValueError: another `image_size`.

    Reference:
        Matthey, Higgins, Hassabis, Lerchner 2017, "dSprites: Disentanglement testing Sprites dataset"; Higgins et al.
        2017, "beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework".

    Example:

    >>> from keras_vae.datasets import Sprites
    >>> sprites = Sprites(image_size=32)
    >>> len(sprites), sprites.render([0, 1]).shape
    (737280, (2, 32, 32, 1))
    >>> sprites.factors_of(737279).tolist()
    [2, 5, 39, 31, 31]
    """

    def render(self, indices, dtype="float32"):
        """The images of `indices`: whole-array operations, some microseconds an image.

        Args:
            indices: int or int array of any shape, flattened, 0 to `len(self) - 1`.
            dtype: "float32" for 0 and 1, "uint8" for 0 and 255. Default "float32".

        Returns:
            An array (n, image_size, image_size, 1).

        Raises:
            TypeError: `indices` is not of whole numbers.
            IndexError: an index out of range.
            ValueError: another `dtype`.
        """
        one_of("dtype", dtype, ("float32", "uint8"))
        factors = self.factors_of(np.ravel(indices))
        images = np.empty((len(factors), *self.image_shape), dtype)
        for start in range(0, len(factors), _CHUNK):
            bits = _compose(factors[start : start + _CHUNK], self.image_size)[..., None]
            np.multiply(bits, 255 if dtype == "uint8" else 1, out=images[start : start + _CHUNK], dtype=dtype)
        return images


_tables = functools.cache(bit_tables)


def _compose(factors, size):
    """Images (n, size, size) of zeros and ones: rows of the tables, shifted into place."""
    table = _tables(size)
    phases = table.shape[3]
    shape, scale, orientation, x, y = np.moveaxis(factors, -1, 0)
    sprite = np.ravel_multi_index((shape, scale, orientation, y % phases, x % phases), table.shape[:-1])
    first = (POSITIONS - 1) // phases - y // phases  # of the window: a lower sprite has more empty rows before it
    words = table.reshape(-1, table.shape[-1])[sprite[:, None], first[:, None] + np.arange(size)]
    words >>= (x // phases)[:, None].astype(words.dtype)
    highest_first = words.astype(words.dtype.newbyteorder(">")).view(np.uint8)
    return np.unpackbits(highest_first, axis=-1).reshape(len(factors), size, size)
