"""In-painting: what a prior that draws position by position makes of the rest of an image."""

import numpy as np

from keras_vae.core.checks import integer
from keras_vae.models.parts import takes


def inpaint(model, images, mask, n=1, seed=None, condition=None, batch_size=128, **controls):
    """Draws what a mask leaves open, given what it says is known.

    A prior over pixels keeps every known pixel exactly. A model of codes encodes the images: a code is known where its
    whole block of pixels is, see `known_codes`, the others are drawn, and all are decoded; so that known pixels come
    back as a reconstruction, and those near the open part change with what was drawn. What stands in the open part of
    an image reaches the known codes beside it through the encoder: something plain is best there.

    A position is drawn from what comes before it in raster order, known or drawn: best is to know the upper part.

    Args:
        model: built model with codes in a grid and a prior such as `PixelCNNPrior`; or such a prior over pixels.
        images: array (batch, *data_shape).
        mask: array (height, width) for all images, or (batch, height, width), 1 where a pixel is known, 0 where it is
            drawn.
        n: int >= 1, draws for each image. Default: 1.
        seed: int or None. The same seed gives the same draws on every backend. Default: None.
        condition: of a conditional model, one for all images or one for each. Default: None.
        batch_size: int, draws at a time. Default: 128.
        **controls: `temperature`, `top_k` and `top_p`, as of `PixelCNNPrior.sample`.

    Returns:
        numpy array (batch, n, *data_shape).

    Raises:
        ValueError: for a model without such codes, images or a mask that do not fit, or an argument out of range.
        TypeError: for a prior that cannot be told what is known.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.PixelCNNPrior(keras_vae.BernoulliLikelihood(), keras_vae.PixelCNN(filters=4, depth=0))
    >>> prior.compile("adam")
    >>> images, mask = np.ones((8, 4, 4, 1)), np.arange(4)[:, None] * np.ones(4) < 2
    >>> history = prior.fit(images, verbose=0)
    >>> drawn = keras_vae.generation.inpaint(prior, images[:2], mask, n=3, seed=0)
    >>> drawn.shape, drawn[:, :, :2].min()
    ((2, 3, 4, 4, 1), np.float32(1.0))
    """
    if model.data_shape is None:
        raise ValueError(f"`model` must be built first. Received: a {type(model).__name__} that is not.")
    if "known" in controls:
        raise TypeError("`known` is what `images` and `mask` say. Received: both.")
    shape, images = tuple(model.data_shape), model.check_data(images, "images")
    if images.shape[1:] != shape or not len(images):
        raise ValueError(f"`images` must have shape (batch, *{shape}). Received: shape={images.shape}.")
    count, n = len(images), integer("n", n)
    mask = np.broadcast_to(_checked(mask, shape[:2], count), (count, *shape[:2]))
    known, prior = images, getattr(model, "prior", model)
    if hasattr(model, "encode"):
        grid = model.latent_shape
        if not model.has_codes or isinstance(grid, dict) or len(grid) != 2:
            raise ValueError(
                f"`model` must have codes in a grid, or be a prior over pixels. Received: a {type(model).__name__} "
                f"with latents of shape {grid}."
            )
    if not (hasattr(prior, "sample") and takes(prior.sample, "known")):
        raise TypeError(
            "`model` must have a prior that draws one position after the other, such as `PixelCNNPrior`. "
            f"Received: a {type(prior).__name__}."
        )
    if prior is not model:
        known, mask = (
            model.encode(images, batch_size=batch_size, condition=condition),
            known_codes(mask, model.latent_shape),
        )
    condition = model.host_condition(condition, count)
    given = {} if condition is None else {"condition": np.repeat(condition, n, axis=0)}
    given.update(known=np.repeat(known, n, axis=0), mask=np.repeat(mask, n, axis=0))
    drawn = model.sample(count * n, seed=seed, batch_size=batch_size, **given, **controls)
    return drawn.reshape(count, n, *drawn.shape[1:])


def known_codes(mask, grid):
    """Which codes are known: those whose whole block of pixels is, the minimum of the mask over it.

    Where the sizes do not divide, a code has every pixel that its share of the image touches.

    Args:
        mask: array (height, width) or (batch, height, width), 1 where a pixel is known, 0 elsewhere.
        grid: (rows, columns) of codes, ints, at most the sizes of the mask.

    Returns:
        bool array (rows, columns) or (batch, rows, columns).

    Raises:
        ValueError: for a mask of other values, or more codes than pixels.

    Example:

    >>> import numpy as np
    >>> from keras_vae.generation import known_codes
    >>> mask = np.ones((4, 6))
    >>> mask[3, 2] = 0
    >>> known_codes(mask, (2, 3)).tolist()
    [[True, True, True], [True, False, True]]
    """
    mask = np.asarray(mask)
    mask = _checked(mask, mask.shape[-2:], *mask.shape[:-2])
    for axis, cells in zip((-2, -1), grid, strict=True):
        size = mask.shape[axis]
        if not 1 <= cells <= size:
            raise ValueError(f"`grid` must be from 1 to the sizes of the mask, {mask.shape[-2:]}. Received: {grid}.")
        pixels = [range(i * size // cells, -(-(i + 1) * size // cells)) for i in range(cells)]
        mask = np.stack([np.take(mask, block, axis).all(axis) for block in pixels], axis)
    return mask


def _checked(mask, sizes, *count):
    """A mask of zeros and ones as bools, for all or for each of `count` images."""
    mask = np.asarray(mask)
    if len(sizes) != 2 or mask.shape not in (tuple(sizes), (*count, *sizes)):
        raise ValueError(
            f"`mask` must have shape {tuple(sizes)}, or (batch, height, width) with one for each image. "
            f"Received: shape={mask.shape}."
        )
    if mask.dtype.kind not in "biuf" or not np.isin(mask, (0, 1)).all():
        raise ValueError("`mask` must be 1 where a pixel is known and 0 where it is drawn. Received: other values.")
    return mask.astype(bool)
