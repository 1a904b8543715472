"""Files that are there whole or not at all."""

import contextlib
import json
import os
from pathlib import Path

from keras_vae.core.folders import workplace
from keras_vae.core.plain import plain


@contextlib.contextmanager
def written_whole(path):
    """Gives a temporary path beside `path`, of the same name, renamed to `path` when the block ends without an error.

    No reader and no crash in the middle meets a half-written file: the old one stays until the new one is complete.
    What a writer that was killed left behind, the next one removes.

    Args:
        path: str or Path; the folder is made if it is missing.

    Example:
        >>> import os, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with written_whole(os.path.join(folder, "note.txt")) as temporary:
        ...     _ = temporary.write_text("whole")
        >>> os.listdir(folder)
        ['note.txt']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with workplace(path) as temporary:
        yield temporary
        os.replace(temporary, path)


def write_json(path, value):
    """Writes `value` as indented JSON, whole or not at all; numpy numbers and arrays become plain ones, NaN null.

    Args:
        path: str or Path of the file.
        value: what JSON can hold, and numpy or backend scalars and arrays inside it.

    Raises:
        TypeError: for an object that JSON cannot hold; nothing is written.
    """
    text = json.dumps(plain(value, infinite=True), indent=2, allow_nan=False) + "\n"
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
