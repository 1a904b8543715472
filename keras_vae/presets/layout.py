"""What a preset's folder holds, and where the presets are that came with the library."""

import os
import pathlib
import re

from keras_vae.presets.files import copy_verified, sha256

SCHEMA = 2  # 1 called data_shape image_shape
CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
CARD, PREVIEW = "README.md", "preview.png"
VERIFIED = (CONFIG, WEIGHTS)  # what loading opens; metadata.json holds their hashes
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")

_ROOT = pathlib.Path(__file__).resolve().parents[1]


def shipped_folder():
    """The folder of the presets that came with the library, as a `pathlib.Path`.

    `KERAS_VAE_SAVED_MODELS` where it is set; else `saved_models` inside the package, which is where the wheel puts it;
    else beside the package, which is where a source checkout (an editable install) has it.
    """
    if chosen := os.environ.get("KERAS_VAE_SAVED_MODELS"):
        return pathlib.Path(chosen)
    inside, beside = _ROOT / "saved_models", _ROOT.parent / "saved_models"
    checkout = (_ROOT.parent / "pyproject.toml").is_file()  # site-packages has none: a folder there is not ours
    return beside if checkout and not inside.is_dir() else inside


def shipped_names():
    """The sorted names of the presets in `shipped_folder()`."""
    names = (path.parent.name for path in shipped_folder().glob(f"*/{METADATA}"))
    return sorted(name for name in names if NAME.fullmatch(name))


def copy_files(folder, metadata, copies):
    """Copies each file that loading opens; its size and SHA-256 must be those of `metadata`, or it raises.

    Args:
        folder: `pathlib.Path`, the preset's.
        metadata: dict, as `read_metadata` returns it.
        copies: `pathlib.Path`, a folder that nobody else writes to.
    """
    for name in VERIFIED:
        copy_verified(folder / name, copies / name, metadata["files"][name])


def file_entry(path):
    """The entry of a file in `metadata.json`."""
    return {"sha256": sha256(path), "bytes": path.stat().st_size}
