"""Folders that appear whole or not at all: written beside their place, then renamed into it."""

import contextlib
import os
import pathlib
import secrets
import shutil


@contextlib.contextmanager
def replaced_folder(path):
    """A new folder to write into, which takes the place of `path` when the block ends well; otherwise nothing changes.

    The new folder is a hidden sibling of `path`, so that the last step is a rename on the same disk. A folder that is
    already at `path` is set aside, put back should the rename fail, and removed at the very end.

    Args:
        path: str or path-like, the folder to create or replace. Missing parents are created.

    Yields:
        `pathlib.Path` of the new, empty folder.
    """
    path = pathlib.Path(os.path.realpath(path))
    created = [parent for parent in path.parents if not parent.exists()]  # nearest first
    path.parent.mkdir(parents=True, exist_ok=True)
    token = secrets.token_hex(4)
    fresh = path.with_name(f".{path.name}.{token}.partial")
    aside = path.with_name(f".{path.name}.{token}.replaced")
    try:
        fresh.mkdir()
        yield fresh
        if path.exists():
            os.rename(path, aside)
        try:
            os.rename(fresh, path)
        except OSError:
            if aside.exists():
                os.rename(aside, path)
            raise
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        for parent in created:
            with contextlib.suppress(OSError):  # not empty: somebody else writes there too
                parent.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)
