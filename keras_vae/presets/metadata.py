"""`metadata.json`: its schema, the type of every field, and the hashes that vouch for the other files."""

import hashlib
import re

from keras_vae.presets.files import read_whole
from keras_vae.presets.json_files import JSON_BYTES, parse_json
from keras_vae.presets.layout import METADATA, SCHEMA, VERIFIED
from keras_vae.presets.preset_error import PresetError

TEXTS = (
    "name model keras_vae_version keras_version trained_on_backend recipe dataset licence description limits".split()
)
SIZES = "a list of integers >= 1, null where a size is not fixed"


def read_metadata(folder, expected=None):
    """The checked content of `metadata.json`: a schema this release knows, and plain file names with their hashes.

    Args:
        folder: `pathlib.Path`, the preset's.
        expected: str, the SHA-256 that the file must have, or None. Default: None.
    """
    path = folder / METADATA
    content = read_whole(path, JSON_BYTES)
    if expected not in (None, hashlib.sha256(content).hexdigest()):
        raise PresetError(f"{path} has not the SHA-256 of `metadata_sha256`: {expected}.")
    metadata = parse_json(content, path)
    _check_schema(path, metadata.get("schema"))
    if metadata["schema"] == 1 and "data_shape" not in metadata:
        metadata = {("data_shape" if key == "image_shape" else key): value for key, value in metadata.items()}
    _check_files(path, metadata.get("files"))
    _check_facts(path, metadata)
    return metadata


def _check_schema(path, schema):
    if not _is_int(schema) or schema < 1:
        raise PresetError(f"{path}: `schema` must be an integer in [1, {SCHEMA}]. Received: schema={schema!r}.")
    if schema > SCHEMA:
        raise PresetError(
            f"{path}: made by a newer keras_vae (schema {schema}, this one reads up to {SCHEMA}): upgrade keras_vae."
        )


def _check_files(path, files):
    if not isinstance(files, dict):
        raise PresetError(f"{path}: `files` must map {', '.join(VERIFIED)} to hashes. Received: files={files!r}.")
    for name, entry in files.items():
        if name not in VERIFIED:
            raise PresetError(f"{path}: `files` may name {', '.join(VERIFIED)} and nothing else. Received: {name!r}.")
        _check_entry(f"{path}: files[{name!r}]", entry)
    for name in VERIFIED:
        if name not in files:
            raise PresetError(f"{path}: `files` must have the SHA-256 of {name}. Received: {sorted(files)}.")


def _check_entry(where, entry):
    digest = entry.get("sha256") if isinstance(entry, dict) else None
    size = entry.get("bytes") if isinstance(entry, dict) else None
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise PresetError(f"{where}: `sha256` must be 64 hexadecimal digits. Received: {digest!r}.")
    if not _is_int(size) or size < 0:
        raise PresetError(f"{where}: `bytes` must be an integer >= 0. Received: {size!r}.")


def _check_facts(path, metadata):
    """The types of what is told about a preset, so that whoever prints it need not ask."""

    def require(name, right, accepted):
        if not right:
            raise PresetError(f"{path}: `{name}` must be {accepted}. Received: {name}={metadata.get(name)!r}.")

    for name in TEXTS:
        require(name, isinstance(metadata.get(name), str), "a string")
    by_level = SIZES + ", or an object of them by level"
    require("data_shape", _are_shapes(metadata.get("data_shape")), by_level)
    latent = metadata.get("latent_shape")  # null of a model without latents: a classifier, a prior
    require("latent_shape", latent is None or _are_shapes(latent), by_level)
    count = metadata.get("parameter_count")
    require("parameter_count", _is_int(count) and count >= 0, "an integer >= 0")
    require("seed", metadata.get("seed") is None or _is_int(metadata["seed"]), "an integer or null")
    require("metrics", isinstance(metadata.get("metrics"), dict), "an object")


def _are_shapes(value):
    return bool(value) and all(map(_is_shape, value.values())) if isinstance(value, dict) else _is_shape(value)


def _is_shape(value):
    sizes = value if isinstance(value, list) and value else [0]
    return all(size is None or (_is_int(size) and size > 0) for size in sizes)


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)
