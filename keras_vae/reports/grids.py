"""Grids of images: samples, originals over reconstructions, latent traversals."""

import numpy as np

from keras_vae.core.checks import integer
from keras_vae.reports.canvas import GAP, PAPER, as_pixels, enlarged, sheet, write_png


def image_grid(images, columns=None, path=None, *, scale=None, clip=False):
    """Images in rows of `columns` on white paper, small ones enlarged so that one can look at them.

    Args:
        images: array (batch, height, width, channels) or (batch, height, width), floats in [0, 1] or uint8, with 1 or 3
            channels.
        columns: int, images in a row; by default the nearest to a square, at most 16.
        path: str or Path of a PNG file to write as well, whole or not at all; needs the extra `viz`.
        scale: int, pixels per pixel; by default the least that makes a tile 96 pixels wide.
        clip: bool, whether floats outside [0, 1] (the mean of a Gaussian may be) are clipped instead of refused.

    Returns:
        uint8 array (height, width, 3), the picture.

    Raises:
        ValueError: for another shape, NaN or infinite values, values outside [0, 1] unless `clip`.

    Example:
        >>> import numpy as np
        >>> image_grid(np.random.default_rng(0).random((6, 28, 28, 1)), columns=3).shape
        (244, 360, 3)
    """
    pixels = enlarged(as_pixels("images", images, clip=clip), _scale(scale))
    columns = min(integer("columns", columns), len(pixels)) if columns is not None else _squarest(len(pixels))
    return _finish(sheet(_rows_of(pixels, columns)), path)


def comparison_grid(originals, reconstructions, columns=None, path=None, *, scale=None):
    """Originals with their reconstructions underneath, in as many bands as needed, each row labelled.

    Args:
        originals: array (batch, height, width, channels), floats in [0, 1] or uint8, 1 or 3 channels.
        reconstructions: array of the same shape, or a dict label -> array to compare several models; values outside
            [0, 1], which the mean of a Gaussian may have, are clipped; NaN is refused.
        columns: int, images in a row, default 8.
        path: str or Path of a PNG file to write as well.
        scale: int, pixels per pixel; by default the least that makes a tile 96 pixels wide.

    Returns:
        uint8 array (height, width, 3), the picture.

    Raises:
        ValueError: for shapes that differ, or values as in `image_grid`.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).random((4, 32, 32, 3))
        >>> picture = comparison_grid(x, {"VAE": x, "VQ-VAE": x})
    """
    if not isinstance(reconstructions, dict):
        reconstructions = {"reconstruction": reconstructions}
    first = as_pixels("originals", originals)
    others = [as_pixels(f"reconstructions[{k!r}]", v, clip=True) for k, v in reconstructions.items()]
    for label, other in zip(reconstructions, others, strict=True):
        if other.shape != first.shape:
            raise ValueError(
                f"`reconstructions` must have the shape of `originals`, {np.shape(originals)}. "
                f"Received: shape {np.shape(reconstructions[label])} for {label!r}."
            )
    columns = min(integer("columns", columns if columns is not None else 8), len(first))
    stacks = np.stack([_rows_of(enlarged(p, _scale(scale)), columns) for p in (first, *others)], axis=1)
    bands, kinds = stacks.shape[:2]
    labels = ["original", *map(str, reconstructions)] * bands
    gaps = [3 * GAP if i and i % kinds == 0 else 0 for i in range(bands * kinds)]
    return _finish(sheet(stacks.reshape(bands * kinds, *stacks.shape[2:]), labels, row_gaps=gaps), path)


def traversal_grid(images, labels=None, path=None, *, column_labels=None, scale=None):
    """One row per latent dimension, one column per value of it: what each dimension does to the image.

    Args:
        images: array (rows, steps, height, width, channels), floats or uint8, 1 or 3 channels, as `latent_traversal`
            gives; values outside [0, 1] are clipped; NaN is refused.
        labels: sequence of str, one per row ("z3 = x position"); by default "z0", "z1", ...
        path: str or Path of a PNG file to write as well.
        column_labels: sequence of str or numbers, one per step, written above the columns; default none.
        scale: int, pixels per pixel; by default the least that makes a tile 96 pixels wide.

    Returns:
        uint8 array (height, width, 3), the picture.

    Raises:
        ValueError: for another shape, NaN, or labels that are not one per row and one per column.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).random((2, 5, 64, 64, 1))
        >>> picture = traversal_grid(x, ["x position", "y position"], column_labels=[-3, -1.5, 0, 1.5, 3])
    """
    pixels = as_pixels("images", images, rank=5, clip=True)
    labels = [f"z{i}" for i in range(len(pixels))] if labels is None else [str(label) for label in labels]
    _one_each("labels", labels, len(pixels), "row")
    if column_labels is not None:
        column_labels = [v if isinstance(v, str) else f"{v:+.2g}" if v else "0" for v in column_labels]
        _one_each("column_labels", column_labels, pixels.shape[1], "step")
    return _finish(sheet(enlarged(pixels, _scale(scale)), labels, column_labels), path)


def _scale(scale):
    return scale if scale is None else integer("scale", scale)


def _squarest(count):
    return min(16, int(np.ceil(np.sqrt(count))))


def _rows_of(pixels, columns):
    """(batch, height, width, 3) -> (rows, columns, height, width, 3), the last row filled up with paper."""
    missing = -len(pixels) % columns
    padded = np.concatenate([pixels, np.full((missing, *pixels.shape[1:]), PAPER, "uint8")])
    return padded.reshape(-1, columns, *pixels.shape[1:])


def _one_each(name, labels, count, what):
    if len(labels) != count:
        raise ValueError(f"`{name}` must be one per {what}, {count}. Received: {len(labels)} labels.")


def _finish(picture, path):
    if path is not None:
        write_png(path, picture)
    return picture
