"""Weights of units as pictures."""

import numpy as np
from keras import ops

from keras_vae.core.checks import integer, integers
from keras_vae.reports.grids import image_grid


def filters_grid(kernel, shape, count=100, columns=None, path=None):
    """What each unit looks for: the weights of the strongest units as grey images, zero in the middle of the scale.

    Units come in the order of the norm of their weights; each image has a scale of its own.

    Args:
        kernel: array, tensor or variable (inputs, units), as of a Dense layer on flattened images.
        shape: (height, width) or (height, width, channels) with 1 or 3 channels, whose product is `inputs`.
        count: int >= 1, the most units shown. Default: 100.
        columns: int, images in a row; by default the nearest to a square. Default: None.
        path: str or Path of a PNG file to write as well. Default: None.

    Returns:
        uint8 array (height, width, 3), the picture.

    Raises:
        ValueError: for another shape, NaN or infinite weights.

    Example:
        >>> import numpy as np
        >>> filters_grid(np.random.default_rng(0).normal(size=(64, 9)), (8, 8)).shape
        (312, 312, 3)
    """
    kernel, shape = np.asarray(ops.convert_to_numpy(kernel), "float64"), integers("shape", shape, shortest=2)
    if kernel.ndim != 2 or kernel.shape[0] != np.prod(shape):
        raise ValueError(f"`kernel` must have shape ({np.prod(shape)}, units). Received: shape {kernel.shape}.")
    if not np.isfinite(kernel).all():
        raise ValueError("`kernel` must be finite. Received: NaN or infinite weights.")
    order = np.argsort(-np.linalg.norm(kernel, axis=0), kind="stable")[: integer("count", count)]
    weights = kernel[:, order].T
    weights = 0.5 + 0.5 * weights / np.maximum(np.abs(weights).max(axis=1, keepdims=True), 1e-12)
    return image_grid(weights.reshape(-1, *shape), columns, path)
