"""encode and decode: images to latents in a file, and back."""

import keras
import numpy as np

from keras_vae.cli.arrays import read_arrays, write_arrays
from keras_vae.cli.handles import given, load_autoencoder
from keras_vae.cli.images import read_images
from keras_vae.cli.messages import counted
from keras_vae.cli.output import check_out, write_images
from keras_vae.reports import image_grid
from keras_vae.training.signature import served_levels, unserved_levels


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
    images = model.decode(_latents(args.codes, arrays, model), condition=given(model, args))
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
        return served_levels("indices", model.encode(images, condition=condition))
    posterior = model.encode(images, output="distribution", condition=condition)
    parts = posterior.served()
    parts = parts if "z_mean" in parts else {"z": posterior.mode, **parts}
    return {key: keras.ops.convert_to_numpy(value) for key, value in parts.items()}


def _latents(path, arrays, model):
    """What `latents_of` wrote; or the one array of a bare file. Of several levels they are indices_top and so on."""
    shape = model.latent_shape
    if isinstance(shape, dict):
        names = list(served_levels("indices", shape))
        if not set(names) <= set(arrays):
            raise ValueError(f"{path} must hold `{'` and `'.join(names)}`. Received: {_told(arrays)}.")
        return unserved_levels("indices", {name: _finite(path, arrays[name]) for name in names}, shape)
    keys = ("indices",) if model.has_codes else ("z_mean", "z")
    key = next((key for key in (*keys, "") if key in arrays), None)
    if key is None:
        raise ValueError(f"{path} must hold `{'` or `'.join(keys)}`. Received: {_told(arrays)}.")
    return _finite(path, arrays[key])


def _told(arrays):
    return ", ".join(name or "one array" for name in arrays) or "nothing"


def _finite(path, latents):
    if latents.dtype.kind not in "iuf" or not np.isfinite(latents).all():
        raise ValueError(f"{path} must hold finite numbers. Received: dtype {latents.dtype}, or NaN or infinity in it.")
    return latents
