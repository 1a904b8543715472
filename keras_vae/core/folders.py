"""Files and folders that appear whole or not at all: written beside their place, then renamed into it."""

import contextlib
import os
import pathlib
import re
import secrets
import shutil

from keras_vae.core.locks import FolderLock

_LEAVING = re.compile(r"\.(.+)\.[0-9a-f]{8}\.partial")
_REPLACED = ".replaced"  # what a new folder takes the place of, until that is done


@contextlib.contextmanager
def workplace(path):
    """A path to write to, of the name of `path`, in a hidden folder beside it that is gone when the block ends.

    What writers of the same thing left there when they were killed is removed first; a writer that still lives is told
    by the lock of its folder.

    Args:
        path: `pathlib.Path` in an existing folder, what is to be written.

    Yields:
        `pathlib.Path`, on the same disk as `path`; nothing is there yet.
    """
    remove_leavings(path.parent, path.name)
    lock = _claimed(path)
    try:
        yield lock.folder / path.name
    finally:
        lock.release()
        _clear(lock.folder, path)


@contextlib.contextmanager
def replaced_folder(path):
    """A new folder to write into, which takes the place of `path` when the block ends well; otherwise nothing changes.

    A folder that is already at `path` is set aside, put back should the rename fail, and removed at the very end. If
    the process is killed between the two renames, the next one to write there puts it back first.

    Args:
        path: str or path-like, the folder to create or replace. Missing parents are created.

    Yields:
        `pathlib.Path` of the new, empty folder.
    """
    path = pathlib.Path(os.path.realpath(path))
    created = [parent for parent in path.parents if not parent.exists()]  # nearest first
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with workplace(path) as fresh:
            fresh.mkdir()
            yield fresh
            if path.exists():
                os.rename(path, fresh.with_name(_REPLACED))
            os.rename(fresh, path)
    except BaseException:
        for parent in created:
            with contextlib.suppress(OSError):  # not empty: somebody else writes there too
                parent.rmdir()
        raise


def remove_leavings(folder, name=None):
    """Removes from `folder` what killed writers of `name` left behind, or of anything; live ones keep theirs.

    Args:
        folder: `pathlib.Path`.
        name: str, a file's or a folder's name, or None for all. Default: None.
    """
    for leaving in sorted(folder.iterdir()):
        match = _LEAVING.fullmatch(leaving.name)
        if not match or name not in (None, match[1]):
            continue
        lock = FolderLock(leaving)
        if lock.acquire_abandoned():
            _clear(leaving, folder / match[1])
            lock.release()


def write_synced(path, content):
    """Writes bytes and waits until they are on the disk: one that is full says so here, and not after a rename.

    Args:
        path: str or path of the file.
        content: bytes.

    Raises:
        OSError: they could not be written.
    """
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _clear(leaving, path):
    if (leaving / _REPLACED).exists() and not path.exists():
        os.rename(leaving / _REPLACED, path)
    shutil.rmtree(leaving, ignore_errors=True)


def _claimed(path):
    """The lock of a new hidden folder beside `path`."""
    while True:
        lock = FolderLock(path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial"))
        lock.folder.mkdir()
        try:
            return lock.acquire()
        except (BlockingIOError, FileNotFoundError):  # somebody took the new folder for a leaving, and removes it
            continue
        except BaseException:
            shutil.rmtree(lock.folder, ignore_errors=True)
            raise
