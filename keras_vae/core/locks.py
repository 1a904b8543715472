"""A folder as the business of one process at a time."""

import atexit
import errno
import os
import platform
import threading
import warnings
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

LOCK = ".lock"
_BYTE = 2**20  # the byte that is locked: beyond the text, which other processes must be able to read
_BUSY = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
_OPEN = {}  # (process id, path) -> [the locked file, how many locks of this process rest on it]
_MUTEX = threading.Lock()


class FolderLock:
    """Keeps other processes out of a folder while this one writes there; within a process it may be held many times.

    What is locked is a byte of the file `.lock`. The kernel lets go of it when the process ends, however it ends, so
    that no lock outlives its holder; the file stays behind and says nothing. Workers forked by the holder do not hold
    it. Where a file system has no locks, a warning says so and the folder is used without.

    Args:
        folder: str or path of an existing folder.

    Example:

    >>> import tempfile
    >>> from keras_vae.core.locks import FolderLock
    >>> with FolderLock(tempfile.mkdtemp()) as lock:
    ...     lock.held
    True
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._key = None

    @property
    def held(self):
        """Whether this lock is held."""
        return self._key is not None

    def acquire(self):
        """Takes the folder; returns the lock.

        Raises:
            BlockingIOError: another process has it; the message says which.
            OSError: the lock's file cannot be written.
        """
        key = (os.getpid(), os.path.realpath(self.folder))
        with _MUTEX:
            if not self.held:
                if key not in _OPEN:
                    _OPEN[key] = [self._opened(), 0]
                _OPEN[key][1] += 1
                self._key = key
        return self

    def acquire_abandoned(self):
        """Takes the folder if no process holds it, this one included; returns whether it did."""
        with _MUTEX:
            if (key := (os.getpid(), os.path.realpath(self.folder))) in _OPEN:
                return False
            try:
                _OPEN[key] = [self._opened(unlocked=False), 1]
            except OSError:  # held, gone meanwhile, not ours to write, or no file system for locks: not to be touched
                return False
            self._key = key
        return True

    def release(self):
        """Lets go of the folder, if it is held."""
        key, self._key = self._key, None
        with _MUTEX:
            if key is not None and key[0] == os.getpid():
                _OPEN[key][1] -= 1
                if not _OPEN[key][1]:
                    _OPEN.pop(key)[0].close()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *_):
        self.release()

    def _opened(self, unlocked=True):
        file = open(self.folder / LOCK, "a+", encoding="utf-8", errors="replace")
        try:
            self._lock(file, unlocked)
            file.truncate(0)
            file.write(f"process {os.getpid()} of {platform.node()}")
            file.flush()
        except BaseException:
            file.close()
            raise
        return file

    def _lock(self, file, unlocked):
        try:
            if fcntl is None:
                file.seek(_BYTE)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                # Not `flock`: its locks are inherited by forked workers, which may outlive a process that is killed.
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _BYTE)
        except OSError as error:
            if error.errno in _BUSY:
                file.seek(0)
                raise BlockingIOError(
                    f"`folder` must be used by one process at a time. Received: {self.folder}, in which "
                    f"{file.read(100)!r} is at work."
                ) from error
            if not unlocked:
                raise
            warnings.warn(f"{self.folder} cannot be locked ({error}): let no other process write there.", stacklevel=5)


@atexit.register
def _close():
    """Closes what is held until the process ends, as a run's folder is, before Python warns of it."""
    for file, _ in _OPEN.values():
        file.close()
