"""From a handle (a name, a folder, https://, hf://) to a folder on this machine that holds the preset's files."""

import contextlib
import difflib
import hashlib
import os
import pathlib
import re
import secrets
import urllib.parse

import keras

from keras_vae.ops.optional import require
from keras_vae.presets.layout import METADATA, NAME, VERIFIED, read_metadata, sha256, shipped_folder, shipped_names
from keras_vae.presets.preset_error import PresetError

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
HUB = re.compile(r"hf://(?P<repository>[\w.-]+/[\w.-]+)(?P<folder>(/[\w.-]+)*)(@(?P<revision>[\w./-]+))?")


def resolve(handle, metadata_sha256=None, cache_dir=None):
    """The folder (`pathlib.Path`) that `handle` stands for, downloaded if need be; arguments as `load_pretrained`."""
    if not isinstance(handle, (str, os.PathLike)):
        raise TypeError(f"`handle` must be a str or a path. Received: handle={handle!r}.")
    if metadata_sha256 is not None and not re.fullmatch("[0-9a-f]{64}", str(metadata_sha256)):
        raise PresetError(f"`metadata_sha256` must be 64 hexadecimal digits. Received: {metadata_sha256!r}.")
    text = os.fspath(handle)
    scheme = urllib.parse.urlsplit(text).scheme if isinstance(handle, str) and "://" in text else ""
    if scheme == "hf":
        folder = _from_hub(text, cache_dir)
    elif scheme in ("https", "http"):
        folder = _from_web(text, metadata_sha256, cache_dir)
    elif scheme:
        raise PresetError(f"`handle` must be a name, a folder, https:// or hf://. Received: handle={text!r}.")
    else:
        folder = _from_disk(handle, text)
    if metadata_sha256 is not None and (folder / METADATA).is_file() and sha256(folder / METADATA) != metadata_sha256:
        raise PresetError(f"{folder / METADATA} has not the SHA-256 of `metadata_sha256`: {metadata_sha256}.")
    return folder


def _from_disk(handle, text):
    if isinstance(handle, str) and NAME.fullmatch(text) and (shipped_folder() / text / METADATA).is_file():
        return shipped_folder() / text
    folder = pathlib.Path(text).expanduser()
    if text and folder.is_dir():
        return folder
    names = shipped_names()
    close = difflib.get_close_matches(pathlib.Path(text).name.lower(), names, n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    raise PresetError(
        f"`handle` must be the name of a preset ({', '.join(names) or 'none is installed'}), a folder, https:// or "
        f"hf://. Received: handle={text!r}.{hint}"
    )


def _from_web(address, metadata_sha256, cache_dir):
    parts = urllib.parse.urlsplit(address)
    if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
        raise PresetError(f"`handle` must be https://, plain http can be altered on its way. Received: {address!r}.")
    if not parts.hostname or parts.fragment:
        raise PresetError(f"`handle` must be https://host/path of a preset's folder. Received: handle={address!r}.")
    place = f"keras_vae/{hashlib.sha256(address.encode()).hexdigest()[:16]}"

    def fetch(name, digest):
        path = parts.path.rstrip("/") + "/" + name
        return _fetch(urllib.parse.urlunsplit(parts._replace(path=path)), name, digest, place, cache_dir)

    folder = fetch(METADATA, metadata_sha256).parent
    for name, entry in read_metadata(folder)["files"].items():  # read_metadata has refused any other name
        fetch(name, entry["sha256"])
    return folder


def _fetch(address, name, digest, place, cache_dir):
    """Downloads beside the cached file, verifies, then renames: a broken download never takes a good file's place."""
    home = pathlib.Path(cache_dir or keras.config.keras_home()).expanduser()
    cached = home / place / name
    if digest is not None and cached.is_file() and sha256(cached) == digest:
        return cached
    partial = f"{name}.{secrets.token_hex(4)}.partial"
    try:
        cached.parent.mkdir(parents=True, exist_ok=True)  # else get_file takes a folder that all users share
        fetched = keras.utils.get_file(partial, address, file_hash=digest, cache_subdir=place, cache_dir=str(home))
        os.replace(fetched, cached)
    except Exception as error:  # get_file raises a bare Exception when the network fails
        with contextlib.suppress(OSError):
            cached.with_name(partial).unlink()
        raise PresetError(f"{address} could not be downloaded and verified into {home}: {error}") from error
    return cached


def _from_hub(handle, cache_dir):
    match = HUB.fullmatch(handle)
    parts = handle.removeprefix("hf://").split("@")[0].split("/")
    if match is None or "." in parts or ".." in parts:
        raise PresetError(
            f"`handle` must be hf://owner/repository, then /folder and @revision if any. Received: handle={handle!r}."
        )
    hub = require("huggingface_hub", "hub", "Loading a preset from hf://")

    def fetch(name):
        try:
            return pathlib.Path(
                hub.hf_hub_download(
                    match["repository"],
                    name,
                    subfolder=match["folder"].strip("/") or None,
                    revision=match["revision"],
                    cache_dir=cache_dir,
                )
            )
        except Exception as error:  # the hub's own classes, those of its HTTP library, OSError
            raise PresetError(f"{handle}: {name} could not be downloaded: {error}") from error

    folder = fetch(METADATA).parent
    read_metadata(folder)
    for name in VERIFIED:
        fetch(name)
    return folder
