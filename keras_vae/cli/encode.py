"""encode and decode: images to latents in a file, and back."""

import keras
import numpy as np

from keras_vae.cli.arrays import read_arrays, write_arrays
from keras_vae.cli.handles import given, load_autoencoder
from keras_vae.cli.images import read_images
from keras_vae.cli.messages import counted
from keras_vae.cli.output import check_out, write_images
from keras_vae.reports import image_grid


def encode(args):
    """`keras-vae encode NAME IMAGES... -o codes.npz`.

    Args:
        args: namespace of the parser's.
    """
    out = check_out(args.out, ".npz")
    model = load_autoencoder(args.name)
    images, names = read_images(args.images, model.data_shape, args.limit)
    latents = latents_of(model, images, given(model, args))
    write_arrays(out, **latents, names=np.array(names))
    told = ", ".join(f"{key} {'x'.join(map(str, value.shape[1:]))}" for key, value in latents.items())
    print(f"{out}: {counted(len(names), 'image')}, each {told}")


def decode(args):
    """`keras-vae decode NAME codes.npz -o FILE`.

    Args:
        args: namespace of the parser's.
    """
    out = check_out(args.out, ".png", ".npy")
    arrays = read_arrays(args.codes)
    model = load_autoencoder(args.name)
    keys = ("indices",) if model.has_codes else ("z_mean", "z")
    key = next((key for key in (*keys, "") if key in arrays), None)
    if key is None:
        raise ValueError(f"{args.codes} must hold `{'` or `'.join(keys)}`. Received: {', '.join(arrays) or 'nothing'}.")
    images = model.decode(_finite(args.codes, arrays[key]), condition=given(model, args))
    write_images(out, images, lambda path: image_grid(images, args.columns, path, clip=True))
    print(f"{out}: {counted(len(images), 'image')}")


def latents_of(model, images, condition=None):
    """The latents of images by name: "indices" of codes; "z_mean" and "z_log_var" of a Gaussian; "z" of the rest.

    With "z" come the parameters of its posterior, where it has some.

    Args:
        model: a built model.
        images: array (batch, *data_shape).
        condition: of a conditional model, one for all. Default: None.
    """
    if model.has_codes:
        return _by_name("indices", model.encode(images, condition=condition))
    posterior = model.encode(images, output="distribution", condition=condition)
    parts = posterior.served()
    parts = parts if "z_mean" in parts else {"z": posterior.mode, **parts}
    return {key: keras.ops.convert_to_numpy(value) for key, value in parts.items()}


def _by_name(name, levels):
    return {f"{name}_{level}": part for level, part in levels.items()} if isinstance(levels, dict) else {name: levels}


def _finite(path, latents):
    if latents.dtype.kind not in "iuf" or not np.isfinite(latents).all():
        raise ValueError(f"{path} must hold finite numbers. Received: dtype {latents.dtype}, or NaN or infinity in it.")
    return latents
