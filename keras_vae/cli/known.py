"""What is known of an image whose rest is to be drawn: the image and its mask."""

import numpy as np

from keras_vae.cli.images import fitted, raw_images
from keras_vae.cli.messages import note


def read_known(image, mask, shape):
    """An image and where it is known, from two files of one size, cropped and resized alike.

    White is known: 255, or 1 in an array. What is resized is known where all of it is.

    Args:
        image: str, path of a picture, or of an .npy file.
        mask: str, path of a black and white picture, or of an .npy file.
        shape: tuple (height, width, channels), the model's `data_shape`.

    Returns:
        float32 array of `shape` in [0, 1], and bool array (height, width).

    Raises:
        FileNotFoundError: a path that is not there.
        ValueError: more than one image in a file, sizes that differ, or what `read_images` refuses.
    """
    pixels, black_and_white = _one("--known", image, shape), _one("--mask", mask, (*shape[:2], 1))
    if black_and_white.shape[:2] != pixels.shape[:2]:
        raise ValueError(
            f"`--mask` must have the size of `--known`, {_size(pixels)}. Received: {_size(black_and_white)}."
        )
    white = 255 if black_and_white.dtype == np.uint8 and black_and_white.max() > 1 else 1
    if not np.isin(black_and_white, (0, white)).all():
        note(f"{mask} has more than black and white: known is what is white")
    known = np.all(black_and_white == white, axis=-1, keepdims=True).astype("float32")
    known = fitted([known], [mask], (*shape[:2], 1), "BOX")[0, ..., 0] == 1
    return fitted([pixels], [image], shape)[0], known


def _one(option, path, shape):
    images, _ = raw_images([path], shape)
    if len(images) != 1:
        raise ValueError(f"`{option}` must be one image. Received: {path}, which holds {len(images)}.")
    return images[0]


def _size(image):
    return f"{image.shape[1]}x{image.shape[0]}"
