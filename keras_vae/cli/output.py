"""Where a command's images go: a picture to look at, or the array itself."""

import pathlib

import numpy as np

from keras_vae.reports import written_whole

TILES = 2000  # more than this many on one sheet and nobody can look at it


def check_out(path, *suffixes):
    """The path to write to as a `pathlib.Path`, checked before any work is done.

    Args:
        path: str.
        *suffixes: str, what the name may end in.
    """
    path = pathlib.Path(path)
    if path.suffix.lower() not in suffixes:
        raise ValueError(f"`--out` must end in {' or '.join(suffixes)}. Received: {path}.")
    if path.is_dir():
        raise ValueError(f"`--out` must be a file. Received: the folder {path}.")
    return path


def write_images(path, images, draw):
    """Writes `images` as they are to an .npy file, else calls `draw(path)`, which writes a picture of them.

    Args:
        path: `pathlib.Path`, as `check_out` returns it.
        images: array.
        draw: callable.
    """
    if path.suffix.lower() == ".npy":
        with written_whole(path) as temporary:
            np.save(temporary, images)
        return
    if len(images) > TILES:
        raise ValueError(
            f"a picture must have at most {TILES} images. Received: {len(images)}. Write .npy, or set `--limit`."
        )
    draw(path)
