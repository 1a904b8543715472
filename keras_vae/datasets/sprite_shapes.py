"""The three sprites as regions of the plane, and as bit tables from which all their images are put together."""

import numpy as np

SCALES = np.linspace(0.5, 1.0, 6)
ORIENTATIONS = np.linspace(0.0, 2.0 * np.pi, 40)  # both ends, as in dSprites: the last image repeats the first
POSITIONS = 32

# Lengths in sizes of the image. The centroid moves in 32 steps of 1/64 from START to START + 31/64, and no sprite
# reaches further from it than RADIUS: more than 1/64 less than both margins, so the outermost pixels are off in every
# image. START keeps off the grid of pixels and its middles: there, growing sprites gain pixels in pairs, and different
# ones look alike.
STEP = 1 / 64
START = 16.25 / 64
RADIUS = 15.2 / 64

_SQUARE = RADIUS * np.sqrt(2.0)  # side: RADIUS is half the diagonal
_LONG, _SHORT = RADIUS, RADIUS / 2  # half axes
_LOBE = (np.pi / 8) * (0.5 + 2 / (3 * np.pi)) / (1 + np.pi / 4)  # of the heart's centroid, along each side, in sides
_HEART = RADIUS / ((0.5 + _LOBE) * np.sqrt(2.0))  # side of the heart's square: RADIUS is from its tip to the centroid

AREAS = np.array([_SQUARE**2, np.pi * _LONG * _SHORT, _HEART**2 * (1 + np.pi / 4)])  # at scale 1, in images


def inside(shape, x, y):
    """Whether points lie in a sprite at scale 1 and orientation 0 with its centroid at the origin.

    Square: |x|, |y| <= side / 2. Ellipse: (x / a)^2 + (y / b)^2 <= 1, a = 2 b. Heart: a square on its tip with half
    discs on its two upper sides. Each reaches just to the circle of `RADIUS` about the origin.

    Args:
        shape: int, 0 square, 1 ellipse, 2 heart.
        x: array, to the right, in sizes of the image.
        y: array, upwards, in sizes of the image; broadcast with `x`.

    Returns:
        A bool array.
    """
    if shape == 0:
        return np.maximum(np.abs(x), np.abs(y)) <= _SQUARE / 2
    if shape == 1:
        return (x / _LONG) ** 2 + (y / _SHORT) ** 2 <= 1
    u = (y + x) / (np.sqrt(2.0) * _HEART) + _LOBE  # along the sides of the heart's square, from its middle, in sides
    v = (y - x) / (np.sqrt(2.0) * _HEART) + _LOBE
    square = np.maximum(np.abs(u), np.abs(v)) <= 0.5
    return square | ((u - 0.5) ** 2 + v**2 <= 0.25) | (u**2 + (v - 0.5) ** 2 <= 0.25)


def sprite_mask(shape, scale, orientation, x, y, size):
    """The pixels of an image whose centres lie in a sprite. All arguments but `shape` and `size` broadcast.

    Args:
        shape: int, as in `inside`.
        scale: array, 1 where the sprite reaches to the circle of `RADIUS`.
        orientation: array, anticlockwise turn in radians.
        x: array, the centroid from the left edge, in pixels.
        y: array, the centroid from the top edge, in pixels.
        size: int, height and width of the image in pixels.

    Returns:
        A bool array (..., size, size).
    """
    scale, orientation, x, y = (np.asarray(a, float)[..., None, None] for a in (scale, orientation, x, y))
    right = (np.arange(size) + 0.5 - x) / (scale * size)
    up = (y - np.arange(size)[:, None] - 0.5) / (scale * size)
    cos, sin = np.cos(orientation), np.sin(orientation)
    return inside(shape, right * cos + up * sin, up * cos - right * sin)


def bit_tables(size):
    """Every sprite at the first position, one unsigned integer per row of pixels, the leftmost pixel its highest bit.

    A move by a whole pixel to the right is a shift of bits, a move down a shift of rows; moves by half a pixel, at
    32x32, are masks of their own. Empty rows before the first let a window slide over the table.

    Args:
        size: int, 64 or 32.

    Returns:
        An array (3, 6, 40, y phases, x phases, 31 // phases + size) of uint64 or uint32.
    """
    phases = round(1 / (STEP * size))  # positions in a pixel
    start = START * size + np.arange(phases) / phases
    parts = (SCALES[:, None, None, None], ORIENTATIONS[:, None, None], start[:, None], start)
    scale, orientation, y, x = np.broadcast_arrays(*parts)
    masks = np.stack([sprite_mask(shape, scale, orientation, x, y, size) for shape in range(3)])
    rows = np.packbits(masks, axis=-1).view(f">u{size // 8}")[..., 0]
    empty = np.zeros((*rows.shape[:-1], (POSITIONS - 1) // phases), rows.dtype)
    return np.concatenate([empty, rows], axis=-1).astype(rows.dtype.newbyteorder("="))
