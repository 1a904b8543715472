"""What a preset's folder holds, and the checks that its files must pass before anything in them is used."""

import hashlib
import json
import os
import pathlib
import re

from keras_vae.presets.preset_error import PresetError

SCHEMA = 1
CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
CARD, PREVIEW = "README.md", "preview.png"
VERIFIED = (CONFIG, WEIGHTS)  # what loading opens; metadata.json holds their hashes
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
JSON_BYTES = 16 * 2**20  # far above any real config: a bound on what a hostile file can make us read

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
    return sorted(path.parent.name for path in shipped_folder().glob(f"*/{METADATA}"))


def sha256(path):
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_json(path):
    """The object in a JSON file, or a `PresetError` that says what is wrong with the file."""
    try:
        if path.stat().st_size > JSON_BYTES:
            raise PresetError(f"{path} must be at most {JSON_BYTES} bytes. Received: {path.stat().st_size} bytes.")
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PresetError(f"{path} is missing. A preset's folder holds {METADATA}, {CONFIG} and {WEIGHTS}.") from error
    except OSError as error:
        raise PresetError(f"{path} cannot be read: {error}") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, PresetError):
            raise
        raise PresetError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise PresetError(f"{path} must hold a JSON object. Received: {type(value).__name__}.")
    return value


def read_metadata(folder):
    """The checked content of `metadata.json`: a schema this release knows, and plain file names with their hashes."""
    path = folder / METADATA
    metadata = read_json(path)
    schema, files = metadata.get("schema"), metadata.get("files")
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise PresetError(f"{path}: `schema` must be an integer in [1, {SCHEMA}]. Received: schema={schema!r}.")
    if schema > SCHEMA:
        raise PresetError(
            f"{path}: made by a newer keras_vae (schema {schema}, this one reads up to {SCHEMA}): upgrade keras_vae."
        )
    if not isinstance(files, dict):
        raise PresetError(f"{path}: `files` must map {', '.join(VERIFIED)} to hashes. Received: files={files!r}.")
    for name, entry in files.items():
        if name not in VERIFIED:
            raise PresetError(f"{path}: `files` may name {', '.join(VERIFIED)} and nothing else. Received: {name!r}.")
        _check_entry(f"{path}: files[{name!r}]", entry)
    for name in VERIFIED:
        if name not in files:
            raise PresetError(f"{path}: `files` must have the SHA-256 of {name}. Received: {sorted(files)}.")
    return metadata


def verify_files(folder, metadata):
    """Compares size and SHA-256 of each file that loading opens with `metadata`, and raises on the first difference."""
    for name in VERIFIED:
        path, expected = folder / name, metadata["files"][name]
        if not path.is_file():
            raise PresetError(f"{path} is missing.")
        size = path.stat().st_size
        if size != expected["bytes"]:
            raise PresetError(f"{path} is truncated or was changed: {size} bytes, {expected['bytes']} expected.")
        found = sha256(path)
        if found != expected["sha256"]:
            raise PresetError(f"{path} is damaged: its SHA-256 is {found}, {expected['sha256']} expected.")


def file_entry(path):
    """The entry of a file in `metadata.json`."""
    return {"sha256": sha256(path), "bytes": path.stat().st_size}


def _check_entry(where, entry):
    digest = entry.get("sha256") if isinstance(entry, dict) else None
    size = entry.get("bytes") if isinstance(entry, dict) else None
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise PresetError(f"{where}: `sha256` must be 64 hexadecimal digits. Received: {digest!r}.")
    if isinstance(size, bool) or not isinstance(size, int) or size < 0:
        raise PresetError(f"{where}: `bytes` must be an integer >= 0. Received: {size!r}.")
