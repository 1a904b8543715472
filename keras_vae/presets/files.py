"""A preset's files as they are opened: regular ones, of a bounded size, read once and hashed as they are read."""

import contextlib
import hashlib
import os
import stat

from keras_vae.presets.preset_error import PresetError

CHUNK = 2**20
ANY = 2**63  # bytes: no limit


@contextlib.contextmanager
def opened(path, limit):
    """A regular file of at most `limit` bytes, open for reading. What it is, is asked of the open file and not of its
    name, which may stand for something else a moment later; a FIFO or a device is refused without waiting for it.

    Args:
        path: path-like.
        limit: int, in bytes.

    Yields:
        Binary file object, unbuffered.
    """
    try:
        # Absent on Windows, where there are no FIFOs to wait for and text is translated.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise PresetError(f"{path} is missing.") from error
    except (OSError, ValueError) as error:  # ValueError: a null in the name
        raise PresetError(f"{path} cannot be read: {error}") from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PresetError(f"{path} must be a regular file, no folder, device or pipe.")
        if status.st_size > limit:
            raise PresetError(f"{path} must be at most {limit} bytes. Received: {status.st_size} bytes.")
        with open(descriptor, "rb", buffering=0, closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def read_whole(path, limit):
    """The bytes of a regular file of at most `limit` bytes.

    Args:
        path: path-like.
        limit: int, in bytes.
    """
    with opened(path, limit) as file:
        return b"".join(_chunks(file, path, limit))


def sha256(path, limit=ANY):
    """The SHA-256 of a regular file, as 64 hexadecimal digits.

    Args:
        path: path-like.
        limit: int, in bytes.
    """
    digest = hashlib.sha256()
    with opened(path, limit) as file:
        for chunk in _chunks(file, path, limit):
            digest.update(chunk)
    return digest.hexdigest()


def copy_verified(path, target, entry):
    """Copies a file whose size and SHA-256 are known, and raises where either differs: what is opened afterwards is
    what was verified, whatever becomes of `path`.

    Args:
        path: path-like.
        target: path-like, the copy.
        entry: dict with "bytes" and "sha256".
    """
    digest = hashlib.sha256()
    with opened(path, ANY) as file, open(target, "wb") as copy:
        size = os.fstat(file.fileno()).st_size
        if size != entry["bytes"]:
            raise PresetError(f"{path} is truncated or was changed: {size} bytes, {entry['bytes']} expected.")
        for chunk in _chunks(file, path, limit=size):
            digest.update(chunk)
            copy.write(chunk)
    if digest.hexdigest() != entry["sha256"]:
        raise PresetError(f"{path} is damaged: its SHA-256 is {digest.hexdigest()}, {entry['sha256']} expected.")


def _chunks(file, path, limit):
    size = 0
    while chunk := file.read(CHUNK):
        size += len(chunk)
        if size > limit:  # it has grown, or is one of those of the system that have no size and no end
            raise PresetError(f"{path} must be at most {limit} bytes. Received: more.")
        yield chunk
