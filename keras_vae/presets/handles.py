"""From a handle (a name, a folder, https://, hf://) to a folder on this machine that holds the preset's files."""

import difflib
import hashlib
import os
import pathlib
import re
import tempfile
import urllib.parse

from keras_vae.core.optional import require
from keras_vae.presets.download import checked_address, download
from keras_vae.presets.files import sha256
from keras_vae.presets.json_files import JSON_BYTES
from keras_vae.presets.layout import METADATA, NAME, shipped_folder, shipped_names
from keras_vae.presets.metadata import read_metadata
from keras_vae.presets.preset_error import PresetError

HUB = re.compile(r"hf://(?P<repository>[\w.-]+/[\w.-]+)(?P<folder>(/[\w.-]+)*)(@(?P<revision>[\w./-]+))?")


def resolve(handle, metadata_sha256=None, cache_dir=None):
    """The folder (`pathlib.Path`) that `handle` stands for, downloaded if need be; arguments as `load_pretrained`."""
    if not isinstance(handle, (str, os.PathLike)):
        raise TypeError(f"`handle` must be a str or a path. Received: handle={handle!r}.")
    if metadata_sha256 is not None and not re.fullmatch("[0-9a-f]{64}", str(metadata_sha256)):
        raise PresetError(f"`metadata_sha256` must be 64 hexadecimal digits. Received: {metadata_sha256!r}.")
    text = os.fspath(handle)
    scheme, separator, _ = text.partition("://") if isinstance(handle, str) else ("", "", "")
    if not separator:
        return _from_disk(handle, text)
    if scheme.lower() == "hf":
        return _from_hub(text, metadata_sha256, cache_dir)
    if scheme.lower() in ("https", "http"):
        return _from_web(text, metadata_sha256, cache_dir)
    raise PresetError(f"`handle` must be a name, a folder, https:// or hf://. Received: handle={text!r}.")


def _from_disk(handle, text):
    if isinstance(handle, str) and NAME.fullmatch(text) and (shipped_folder() / text / METADATA).is_file():
        return shipped_folder() / text
    folder = pathlib.Path(os.path.expanduser(text))
    if text and os.path.isdir(folder):  # which answers for any text, where pathlib raises for some
        return folder
    names = shipped_names()
    close = difflib.get_close_matches(pathlib.Path(text).name.lower(), names, n=3, cutoff=0.4)
    hint = f" Did you mean {' or '.join(repr(name) for name in close)}?" if close else ""
    raise PresetError(
        f"`handle` must be the name of a preset ({', '.join(names) or 'none is installed'}), a folder, https:// or "
        f"hf://. Received: handle={text!r}.{hint}"
    )


def _from_web(address, metadata_sha256, cache_dir):
    parts = checked_address(address)
    folder = _cache(cache_dir) / "keras_vae" / hashlib.sha256(address.encode()).hexdigest()[:16]

    def fetch(name, limit, digest):
        path = parts.path.rstrip("/") + "/" + name
        if digest is None or not _is_there(folder / name, limit, digest):
            download(urllib.parse.urlunsplit(parts._replace(path=path)), folder / name, limit, digest)

    fetch(METADATA, JSON_BYTES, metadata_sha256)
    for name, entry in read_metadata(folder, metadata_sha256)["files"].items():  # which has refused any other name
        fetch(name, entry["bytes"], entry["sha256"])
    return folder


def _cache(cache_dir):
    """Where downloads are kept: as `keras.utils.get_file` decides it, which does not tell."""
    if cache_dir is not None:
        return pathlib.Path(cache_dir).expanduser()
    home = pathlib.Path(os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras"))
    try:
        home.mkdir(parents=True, exist_ok=True)
        if os.access(home, os.W_OK):
            return home
    except OSError:  # a home that is read-only, or no folder: the next line is for it
        pass
    return pathlib.Path("/tmp" if os.path.isdir("/tmp") else tempfile.gettempdir(), ".keras")


def _is_there(path, limit, digest):
    try:
        return sha256(path, limit) == digest
    except PresetError:  # not there, or something else is: it is fetched
        return False


def _from_hub(handle, metadata_sha256, cache_dir):
    match = HUB.fullmatch(handle)
    parts = handle.removeprefix("hf://").split("@")[0].split("/")
    if match is None or "." in parts or ".." in parts:
        raise PresetError(
            f"`handle` must be hf://owner/repository, then /folder and @revision if any. Received: handle={handle!r}."
        )
    hub = require("huggingface_hub", "hub", "Loading a preset from hf://")

    def fetch(name, limit):
        place = {"subfolder": match["folder"].strip("/") or None, "revision": match["revision"], "cache_dir": cache_dir}
        try:
            size = hub.hf_hub_download(match["repository"], name, dry_run=True, **place).file_size
            if size is None or size > limit:
                raise ValueError(f"the hub announces {size} bytes, at most {limit} are expected")
            return pathlib.Path(hub.hf_hub_download(match["repository"], name, **place))
        except Exception as error:  # the hub's own classes, those of its HTTP library, OSError
            raise PresetError(f"{handle}: {name} could not be downloaded: {error}") from error

    folder = fetch(METADATA, JSON_BYTES).parent
    for name, entry in read_metadata(folder, metadata_sha256)["files"].items():
        fetch(name, entry["bytes"])
    return folder
