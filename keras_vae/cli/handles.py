"""From what the user calls a model to the model: presets, run folders, addresses."""

import difflib
import math
import pathlib
import random

import numpy as np

from keras_vae.cli.arrays import read_arrays
from keras_vae.presets import PresetError, load_pretrained
from keras_vae.presets.layout import METADATA, shipped_names


def resolved(name):
    """What `load_pretrained` takes for NAME: a preset or an address as it is, a run's folder as that of its model.

    Args:
        name: str, a preset's name, a preset's or a run's folder, https:// or hf://.

    Raises:
        PresetError: no such preset or folder, told with the closest names; or a folder without a finished model.
    """
    if "://" in name or name in shipped_names():  # a bare name means the shipped preset first
        return name
    folder = pathlib.Path(name).expanduser()
    if not name or not folder.is_dir():
        raise PresetError(_unknown(name))
    for candidate in (folder, folder / "model"):
        if (candidate / METADATA).is_file():
            return str(candidate)
    raise PresetError(
        f"{folder} must be a preset or a finished run. Received: a folder with neither {METADATA} nor model/{METADATA}."
    )


def load(name, seed=0):
    """The model that NAME stands for. What it draws afterwards, as in `evaluate`, repeats with the seed.

    Args:
        name: str; see `resolved`.
        seed: int >= 0. Default: 0.
    """
    # Keras's seed generators draw their seeds here. Its `set_random_seed` would do, and import TensorFlow on any
    # backend.
    random.seed(seed)
    return load_pretrained(resolved(name))


def load_autoencoder(name, seed=0):
    """`load`, for commands that encode, decode or draw: a preset may also be a classifier or a prior.

    Args:
        name: str; see `resolved`.
        seed: int >= 0. Default: 0.

    Raises:
        ValueError: for a model that is no autoencoder.
    """
    model = load(name, seed)
    if not hasattr(model, "encode"):
        raise ValueError(f"`name` must be that of an autoencoder. Received: {name}, a {type(model).__name__}.")
    return model


def load_generator(name, seed=0):
    """`load`, for commands that draw, or that score images: an autoencoder, or a learned prior by itself.

    Args:
        name: str; see `resolved`.
        seed: int >= 0. Default: 0.

    Raises:
        ValueError: for a model that is neither.
    """
    model = load(name, seed)
    if not hasattr(model, "sample"):
        raise ValueError(
            f"`name` must be that of an autoencoder or a prior. Received: {name}, a {type(model).__name__}."
        )
    return model


def given(model, args):
    """The condition that the user gave by `--condition`, as the model takes it; None where there is none.

    Args:
        model: a built model.
        args: namespace of the parser's, with `condition`, a list of str, or None: numbers, one condition for all; or
            the name of an .npy file, of one condition or of one for each example, which the model itself checks.

    Raises:
        FileNotFoundError: a file that is not there.
        ValueError: for a model without a condition, a conditional one without it, or numbers of another size.
    """
    if model.condition is None:
        if args.condition is not None:
            raise ValueError(f"`--condition` is for conditional models. Received: a {type(model).__name__}.")
        return None
    words = args.condition or []
    if len(words) == 1 and words[0].endswith(".npy"):
        return read_arrays(words[0])[""]
    shape, dtype = model.condition.input_shape_of_one, np.dtype(model.condition.input_dtype)
    values = np.asarray([_number(word) for word in words])
    if values.size != math.prod(shape) or (dtype.kind == "i" and np.any(values != np.round(values))):
        wanted = f"{math.prod(shape)} {'integer' if dtype.kind == 'i' else 'number'}(s)"
        raise ValueError(
            f"`--condition` must be {wanted} for this model, or an .npy file. Received: {' '.join(words) or None}."
        )
    return values.astype(dtype).reshape(shape)


def _number(word):
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"`--condition` must be numbers, or one .npy file. Received: {word}.") from None


def _unknown(name):
    runs = [path.parents[1].as_posix() for path in sorted(pathlib.Path("runs").glob(f"*/model/{METADATA}"))]
    names = [*shipped_names(), *runs]
    wanted = pathlib.Path(name).name.lower()
    # by their last part, so that "vae_mnst" finds runs/vae_mnist as well
    close = difflib.get_close_matches(wanted, [pathlib.Path(n).name for n in names], n=3, cutoff=0.5)
    meant = [n for n in names if pathlib.Path(n).name in close[: 1 if wanted in close else None]]
    if meant:
        return f"there is no preset and no folder {name!r}. Did you mean {' or '.join(repr(n) for n in meant)}?"
    return f"there is no preset and no folder {name!r}. Presets: {', '.join(names) or 'none is installed'}."
