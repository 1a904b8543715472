"""Pixels shared by the grids: checks, nearest-neighbour enlargement, tiles on a sheet, text, PNG."""

import numpy as np

from keras_vae.core.files import written_whole
from keras_vae.core.optional import require

PAPER = 255  # white
INK = 40  # dark grey
GAP = 4  # pixels between tiles, and half of the margin round the sheet
TEXT_SIZE = 15  # pixels
LEGIBLE = 96  # smallest side of a tile in pixels that one can look at


def as_pixels(name, images, rank=4, clip=False):
    """`images` as uint8 of shape (..., height, width, 3), after checking rank, channels and values in [0, 1]."""
    images = np.asarray(images)
    shape = "(rows, steps, height, width, channels)" if rank == 5 else "(batch, height, width, channels)"
    if images.ndim == rank - 1:
        images = images[..., None]
    if images.ndim != rank or images.shape[-1] not in (1, 3) or images.size == 0:
        raise ValueError(
            f"`{name}` must have shape {shape} with 1 or 3 channels and at least one image. "
            f"Received: shape {images.shape}."
        )
    if images.dtype != np.uint8:
        images = _bytes_of(name, images, clip)
    return np.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def _bytes_of(name, images, clip):
    images = images.astype("float32")
    low, high = float(images.min()), float(images.max())
    bad = images.size - int(np.isfinite(images).sum())
    if bad:
        raise ValueError(f"`{name}` must be finite. Received: {bad} NaN or infinite values.")
    if not clip and (low < -1e-3 or high > 1 + 1e-3):  # a rounding error is no reason to refuse
        raise ValueError(f"`{name}` must be uint8, or floats in [0, 1]. Received: floats in [{low:g}, {high:g}].")
    return np.round(255 * np.clip(images, 0.0, 1.0)).astype("uint8")


def enlarged(images, scale=None):
    """Each pixel as a square of `scale` pixels; by default the least that makes a tile's smaller side legible."""
    height, width = images.shape[-3:-1]
    scale = scale or -(-LEGIBLE // min(height, width))
    return np.repeat(np.repeat(images, scale, axis=-3), scale, axis=-2)


def sheet(tiles, row_labels=None, column_labels=None, row_gaps=None):
    """Lays tiles (rows, columns, height, width, 3) on white paper, with labels to the left and above.

    Args:
        tiles: uint8 array; all-white tiles are the empty places of a last row.
        row_labels: sequence of str, one per row, or None.
        column_labels: sequence of str, one per column, or None.
        row_gaps: sequence of int, extra pixels above each row, or None.
    """
    rows, columns, height, width, _ = tiles.shape
    left = (max(text_width(label) for label in row_labels) + 4 * GAP) if row_labels else 2 * GAP
    top = TEXT_SIZE + 4 * GAP if column_labels else 2 * GAP
    above = np.cumsum(row_gaps if row_gaps is not None else np.zeros(rows, int))
    ys = top + above + np.arange(rows) * (height + GAP)
    xs = left + np.arange(columns) * (width + GAP)
    paper = np.full((ys[-1] + height + 2 * GAP, xs[-1] + width + 2 * GAP, 3), PAPER, "uint8")
    for row, y in enumerate(ys):
        for column, x in enumerate(xs):
            paper[y : y + height, x : x + width] = tiles[row, column]
    texts = [(left - 2 * GAP, y + height // 2, "rm", label) for y, label in zip(ys, row_labels or (), strict=False)]
    texts += [(x + width // 2, top - 2 * GAP, "mb", label) for x, label in zip(xs, column_labels or (), strict=False)]
    return written_on(paper, texts)


def written_on(paper, texts):
    """`paper` with (x, y, anchor, text) in dark grey; anchors are Pillow's ("rm": right, middle)."""
    if not texts:
        return paper
    picture = require("PIL.Image", "viz", "Labelling a picture").fromarray(paper)
    draw = require("PIL.ImageDraw", "viz", "Labelling a picture").Draw(picture)
    for x, y, anchor, text in texts:
        draw.text((int(x), int(y)), text, fill=(INK,) * 3, font=_font(), anchor=anchor)
    return np.asarray(picture).copy()


def text_width(text):
    """Width of `text` in pixels."""
    return int(np.ceil(_font().getlength(text)))


def _font():
    return require("PIL.ImageFont", "viz", "Labelling a picture").load_default(TEXT_SIZE)


def write_png(path, pixels):
    """Writes uint8 pixels (height, width, 3) as a PNG file, whole or not at all."""
    image = require("PIL.Image", "viz", "Writing a picture")
    with written_whole(path) as temporary:
        image.fromarray(np.ascontiguousarray(pixels)).save(temporary, format="PNG", optimize=True)
