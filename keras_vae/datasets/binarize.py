"""Greys as the probabilities of binary pixels: one draw for good, and what the draw of each epoch shares with it."""

import numpy as np

from keras_vae.core.checks import integer

_CHUNK = 4096  # images drawn at once: uniforms of a whole set would take four bytes a pixel


def to_float(images):
    """Greys 0 to 255 as float32 in [0, 1]: grey / 255.

    Args:
        images: array of any shape, uint8.

    Returns:
        A float32 array of the same shape.

    Raises:
        TypeError: `images` is not uint8, for example already scaled.

    Example:

    >>> import numpy as np
    >>> from keras_vae.datasets import to_float
    >>> to_float(np.array([0, 51, 255], "uint8")).tolist()
    [0.0, 0.20000000298023224, 1.0]
    """
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise TypeError(f"`images` must be uint8, greys 0 to 255. Received: images of dtype {images.dtype}.")
    return np.divide(images, np.float32(255), dtype=np.float32)


def static_binarize(images, seed=0):
    """One seeded Bernoulli draw of greys: x_i ~ Bernoulli(grey_i), the same at every use.

    For test sets, and for validation that is the same in every epoch. It is this library's own draw: bounds on it may
    be compared with those of other draws of dynamically binarised test data (Burda et al. 2016), where training drew
    anew each epoch; not with figures on the fixed files of Larochelle and Murray 2011, whose training set is one draw
    too: those are `load_images("binarized_mnist")`.

    Args:
        images: array (n, ...), uint8 greys 0 to 255 or floats in [0, 1].
        seed: int, >= 0. Default 0.

    Returns:
        A float32 array of the shape of `images`, zeros and ones.

    Raises:
        TypeError: `images` is neither uint8 nor floating point.
        ValueError: `images` is empty or has values outside [0, 1], or `seed` is negative.

    Reference:
        Salakhutdinov and Murray 2008, "On the Quantitative Analysis of Deep Belief Networks"; Larochelle and Murray
        2011, "The Neural Autoregressive Distribution Estimator".

    Example:

    >>> import numpy as np
    >>> from keras_vae.datasets import static_binarize
    >>> static_binarize(np.array([[0.0, 1.0, 0.0]])).tolist()
    [[0.0, 1.0, 0.0]]
    """
    images = as_greys("images", images)
    rng = np.random.default_rng(integer("seed", seed, low=0))
    binary = np.empty(images.shape, np.float32)
    for start in range(0, len(images), _CHUNK):
        binary[start : start + _CHUNK] = draw(images[start : start + _CHUNK], rng)
    return binary


def draw(greys, rng):
    """A Bernoulli draw of checked greys by `rng`, as float32 zeros and ones."""
    probabilities = to_float(greys) if greys.dtype == np.uint8 else greys
    uniforms = rng.random(greys.shape, dtype=np.float32)  # in [0, 1): a grey of 0 is never drawn, one of 255 always
    return np.less(uniforms, probabilities).astype(np.float32)


def as_greys(name, images):
    """`images` as a uint8 or float32 array of at least one image, checked to be greys."""
    images = np.asarray(images)
    if images.dtype != np.uint8 and not np.issubdtype(images.dtype, np.floating):
        raise TypeError(f"`{name}` must be uint8 greys or floats in [0, 1]. Received: {name} of dtype {images.dtype}.")
    if images.ndim < 2 or not images.size:
        raise ValueError(f"`{name}` must be of shape (n, ...) with n >= 1. Received: {name} of shape {images.shape}.")
    if images.dtype == np.uint8:
        return images
    low, high = float(images.min()), float(images.max())  # NaN if any value is
    if not (low >= 0 and high <= 1):
        raise ValueError(f"`{name}` must be uint8 or in [0, 1]. Received: floats from {low:g} to {high:g}.")
    return images.astype(np.float32, copy=False)
