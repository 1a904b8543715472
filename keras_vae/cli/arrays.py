"""Arrays from and to .npy and .npz files: nothing is unpickled, nothing is left half-written."""

import pathlib
import zipfile
import zlib

import numpy as np

from keras_vae.reports import written_whole


def read_arrays(path):
    """name -> array from an .npz file; {"": array} from an .npy file.

    Args:
        path: str or Path.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: it is neither, is damaged, or holds Python objects.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    try:
        with open(path, "rb") as file:  # numpy leaves a file open that it cannot read
            loaded = np.load(file, allow_pickle=False)
            return {"": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not an .npy or .npz file that can be read: {error}") from error


def write_arrays(path, **arrays):
    """Writes an .npz file, whole or not at all.

    Args:
        path: str or Path that ends in .npz.
        **arrays: arrays by name.
    """
    with written_whole(path) as temporary:
        np.savez(temporary, **arrays)
