"""Latent traversals: what each dimension of the latent does to the image."""

import numpy as np

from keras_vae.core.checks import integer, positive


def latent_traversal(model, x0, dims=None, span=3.0, steps=11, condition=None):
    """Decodes the posterior mean of an image with one latent dimension at a time moved from -span to +span.

    Args:
        model: a built model with a continuous latent.
        x0: array (height, width, channels), the image to start from.
        dims: sequence of int, the latent dimensions (of the flattened latent), one row each; default all. For a large
            latent, `most_active_dimensions` finds those that matter.
        span: float > 0, how far to go, in the standard deviations of a standard normal prior. Default 3.
        steps: int >= 2, images in a row. Default 11.
        condition: of a conditional model, one, which is held. Default None.

    Returns:
        float array (rows, steps, height, width, channels), what `keras_vae.reports.traversal_grid` draws; the value in
        column j is np.linspace(-span, span, steps)[j].

    Raises:
        ValueError: for a model of discrete codes, an image of another shape, dimensions that the latent does not have.

    Example:
        >>> import keras_vae
        >>> nets = keras_vae.MLPEncoder([8]), keras_vae.MLPDecoder((4, 4, 1), [8])
        >>> model = keras_vae.VAE(*nets, latent_dim=2)
        >>> model.build((None, 4, 4, 1))
        >>> latent_traversal(model, [[[0.5]] * 4] * 4, steps=3).shape
        (2, 3, 4, 4, 1)
    """
    if model.has_codes:
        raise ValueError(
            f"`model` must have a continuous latent to traverse. Received: {type(model).__name__}, of codes."
        )
    x0 = np.asarray(x0, "float32")
    if x0.shape != tuple(model.data_shape):
        raise ValueError(f"`x0` must be one image of shape {tuple(model.data_shape)}. Received: shape {x0.shape}.")
    steps, span = integer("steps", steps, 2), positive("span", span)
    given = {} if condition is None else {"condition": condition}
    start = np.asarray(model.encode(x0[None], output="mean", **given))[0]
    dims = _dimensions(dims, start.size)
    latents = np.tile(start.reshape(-1), (len(dims), steps, 1))  # (rows, steps, latent_dim)
    for row, dim in enumerate(dims):
        latents[row, :, dim] = np.linspace(-span, span, steps)
    images = np.asarray(model.decode(latents.reshape(-1, *start.shape), **given))
    return images.reshape(len(dims), steps, *images.shape[1:])


def most_active_dimensions(model, x, count=10):
    """The latent dimensions whose posterior mean varies most over images, the most active first.

    Args:
        model: a built model with a continuous latent.
        x: array (batch, height, width, channels), a few hundred images or more.
        count: int >= 1, how many dimensions at most; default 10.

    Returns:
        int array, indices into the flattened latent.

    Example:
        >>> import keras_vae, numpy as np
        >>> nets = keras_vae.MLPEncoder([8]), keras_vae.MLPDecoder((4, 4, 1), [8])
        >>> model = keras_vae.VAE(*nets, latent_dim=2)
        >>> model.build((None, 4, 4, 1))
        >>> len(most_active_dimensions(model, np.random.default_rng(0).random((16, 4, 4, 1)), count=1))
        1
    """
    z_mean = np.asarray(model.encode(np.asarray(x, "float32"), output="mean"), "float64")
    variance = z_mean.reshape(len(z_mean), -1).var(axis=0)
    return np.argsort(-variance, kind="stable")[: integer("count", count)]


def _dimensions(dims, size):
    if dims is None:
        return np.arange(size)
    dims = np.asarray(dims)
    if dims.ndim != 1 or dims.size == 0 or dims.dtype.kind not in "iu" or dims.min() < 0 or dims.max() >= size:
        raise ValueError(
            f"`dims` must be integers from 0 to {size - 1}, the latent's dimensions. Received: dims={dims!r}."
        )
    return dims
