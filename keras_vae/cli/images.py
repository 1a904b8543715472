"""Images from the disk, made into what a model takes: files, folders and arrays in, float32 in [0, 1] out."""

import pathlib

import numpy as np

from keras_vae.cli.arrays import read_arrays
from keras_vae.cli.messages import counted, note
from keras_vae.core.checks import integer
from keras_vae.core.optional import require
from keras_vae.datasets import to_float
from keras_vae.training import check_values

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
ARRAYS = (".npy", ".npz")


def read_images(paths, shape, limit=None):
    """The images of files, folders and arrays, made to fit `shape`; a note says where that changes them.

    A folder stands for the pictures in it, sorted by name. The crop keeps the centre; resizing is Lanczos.

    Args:
        paths: sequence of str.
        shape: tuple, the model's `data_shape`.
        limit: int or None, only the first `limit` images. Default: None.

    Returns:
        float32 array (batch, *shape) in [0, 1], and the list of the images' names.

    Raises:
        FileNotFoundError: a path that is not there.
        ValueError: not an image, an empty folder, values that are not images, a model of something else than images.
    """
    images, names = raw_images(paths, shape, limit)
    return fitted(images, names, tuple(shape)), names


def raw_images(paths, shape, limit=None):
    """The images of files, folders and arrays as they are there, uint8 or floats in [0, 1], and their names.

    Args:
        paths: sequence of str.
        shape: tuple, the model's `data_shape`.
        limit: int or None, only the first `limit` images. Default: None.
    """
    limit = None if limit is None else integer("limit", limit)
    shape, images, names = tuple(shape), [], []
    for path in _files(paths):
        if limit is not None and len(names) >= limit:
            break
        own, own_names = (
            _array(path, shape) if path.suffix.lower() in ARRAYS else ([_picture(path, shape)], [str(path)])
        )
        images.extend(own[:limit])
        names.extend(own_names[:limit])
    return images[:limit], names[:limit]


def fitted(images, names, shape, resampling="LANCZOS"):
    """Images as one float32 array (batch, *shape) in [0, 1]; says what was done to how many, and names the first.

    Args:
        images: sequence of arrays (height, width, 1 or 3), uint8 or floats in [0, 1].
        names: sequence of str, one per image.
        shape: tuple (height, width, channels).
        resampling: str, of Pillow's; "BOX" means over areas, without ringing at edges. Default: "LANCZOS".
    """
    fit, changes = np.empty((len(images), *shape), "float32"), {}
    for i, (image, name) in enumerate(zip(images, names, strict=True)):
        image, changed = _fitted(image, shape, resampling)
        fit[i] = to_float(image) if image.dtype == np.uint8 else image
        if changed:
            changes.setdefault(", ".join(changed), []).append(name)
    for changed, which in changes.items():
        note(f"{counted(len(which), 'image')} of {len(images):,} {changed} (the first: {which[0]})")
    return fit


def _fitted(image, shape, resampling):
    """One image of `shape`, and what was done to it: nothing where it has that shape already.

    Args:
        image: array (height, width, 1 or 3), uint8 or floats in [0, 1]; floats are rounded to 8 bits if it must change.
        shape: tuple (height, width, channels).
        resampling: str, as of `fitted`.
    """
    if image.shape == shape:
        return image, []
    pillow, changed = require("PIL.Image", "viz", "Resizing an image"), []
    height, width, channels = shape
    if image.dtype != np.uint8:
        image = np.round(255 * image).astype("uint8")
    if image.shape[-1] > channels:
        if np.any(image != image[..., :1]):
            changed.append("turned to grey")
    elif image.shape[-1] < channels:
        changed.append("grey, given to a model of colour")
    picture = pillow.fromarray(image[..., 0] if image.shape[-1] == 1 else image).convert(
        "L" if channels == 1 else "RGB"
    )
    scale = min(picture.width / width, picture.height / height)
    kept = (max(1, round(width * scale)), max(1, round(height * scale)))
    if kept != picture.size:
        changed.append(f"cropped from {picture.width}x{picture.height} to the centre {kept[0]}x{kept[1]}")
        left, top = ((had - keep) // 2 for had, keep in zip(picture.size, kept, strict=True))
        picture = picture.crop((left, top, left + kept[0], top + kept[1]))
    if kept != (width, height):
        changed.append(f"resized to {width}x{height}")
        picture = picture.resize((width, height), pillow.Resampling[resampling])
    return np.asarray(picture).reshape(shape), changed


def _files(paths):
    files = []
    for path in map(pathlib.Path, paths):
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
            if not inside:
                raise ValueError(f"{path} must hold pictures ({', '.join(SUFFIXES)}). Received: a folder without any.")
            files.extend(inside)
        elif path.exists():
            files.append(path)
        else:
            raise FileNotFoundError(f"there is no file {path}")
    return files


def _picture(path, shape):
    """uint8 (height, width, 1 or 3) from a file that Pillow reads, upright, on white where it is transparent."""
    if len(shape) != 3 or shape[-1] not in (1, 3):
        raise ValueError(f"{path} is a picture, and this model takes arrays of shape {shape}: give it .npy or .npz.")
    pillow = require("PIL.Image", "viz", "Reading an image")
    turned = require("PIL.ImageOps", "viz", "Reading an image").exif_transpose
    try:
        with pillow.open(path) as picture:
            pixels = _bytes_of(turned(picture), pillow)
    except (OSError, SyntaxError, ValueError, pillow.DecompressionBombError) as error:  # what Pillow's readers raise
        raise ValueError(f"{path} is not an image that can be read: {error}") from error
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _bytes_of(picture, pillow):
    if picture.mode.startswith("I"):  # 16 bits a pixel; Pillow's own conversion would cut off instead of scaling
        deep = np.asarray(picture)
        if deep.min() < 0 or deep.max() > 65535:
            raise ValueError(f"its greys go from {deep.min()} to {deep.max()}, beyond 16 bits")
        return np.round(deep / 257.0).astype("uint8")
    if picture.mode == "F":
        raise ValueError("its pixels are floats: save it as .npy with values in [0, 1]")
    if picture.has_transparency_data:
        above = picture.convert("RGBA")
        white = pillow.new("RGBA", above.size, "white")
        return np.asarray(pillow.alpha_composite(white, above).convert("RGB"))
    return np.asarray(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))


def _array(path, shape):
    """The images of an .npy or .npz file as (batch, height, width, channels), and their names."""
    arrays = read_arrays(path)
    chosen = next((key for key in ("images", "x", "image") if key in arrays), None)
    if chosen is None and len(arrays) != 1:
        raise ValueError(
            f"{path} must hold one array, or `images` among them. Received: {', '.join(arrays) or 'none'}."
        )
    values = arrays[chosen or next(iter(arrays))]
    if values.dtype == bool:
        values = values.astype("float32")
    if values.dtype != np.uint8 and values.dtype.kind != "f":
        raise ValueError(f"{path} must hold uint8, or floats in [0, 1]. Received: dtype {values.dtype}.")
    batch = _batch(path, values, shape)
    if batch.dtype != np.uint8:
        check_values(str(path), batch, interval=(0.0, 1.0), reason="an image")
    return batch, [str(path)] if len(batch) == 1 else [f"{path}[{i}]" for i in range(len(batch))]


def _batch(path, values, shape):
    if values.shape == shape:
        values = values[None]
    elif values.shape[1:] != shape and values.ndim in (2, 3) and len(shape) == 3:
        if values.ndim == 2 or values.shape[-1] not in (1, 3):  # a grey image, or greys in a row
            values = values[..., None]
        values = values if values.ndim == 4 else values[None]
    accepted = values.shape[1:] == shape
    if not accepted and len(shape) == 3 and shape[-1] in (1, 3):
        accepted = values.ndim == 4 and values.shape[-1] in (1, 3)
    if not accepted or not values.size:
        raise ValueError(
            f"{path} must hold images: (batch, height, width, channels) with 1 or 3 channels, or (batch, *{shape}). "
            f"Received: shape {values.shape}."
        )
    return values
