"""Between pictures in [0, 1] and the values that a model is of: greys, zeros and ones, class numbers."""

import numpy as np

from keras_vae.cli.messages import note
from keras_vae.datasets import static_binarize


def values_of(model, images, seed=0):
    """Images as the model takes them: binarised for binary pixels, which a note says; numbered for classes.

    Args:
        model: a built model with `likelihood`.
        images: float32 array (batch, *data_shape) in [0, 1].
        seed: int, of the draw that binarises. Default: 0.

    Returns:
        Array of the same shape; `images` itself where nothing had to be done.
    """
    likelihood = model.likelihood
    if likelihood.whole:
        low, high = likelihood.interval
        return np.round(low + (high - low) * images).astype(model.input_dtype)
    if likelihood.binary and np.any((images != 0) & (images != 1)):
        note(f"greys binarised, one Bernoulli draw with seed {seed}: the model's likelihood is that of binary pixels")
        return static_binarize(images, seed)
    return images


def pictures_of(model, values):
    """What a model gives as images in [0, 1]: class numbers as greys, anything else as it is.

    Args:
        model: a built model.
        values: array (batch, *data_shape).
    """
    likelihood = getattr(model, "likelihood", None)
    if likelihood is None or not likelihood.whole:
        return values
    low, high = likelihood.interval
    return ((values - low) / (high - low)).astype("float32")


def check_pictures(model, name, what):
    """Raises unless the model is of images.

    Args:
        model: a built model.
        name: str, what the user called it.
        what: str, who asks for images.
    """
    shape = tuple(model.data_shape)
    if len(shape) != 3 or shape[-1] not in (1, 3):
        hint = "" if hasattr(model, "encode") else "; `sample` writes its draws as .npy"
        raise ValueError(
            f"{what} needs a model of images. Received: {name}, a {type(model).__name__} of arrays of shape "
            f"{shape}{hint}."
        )
