"""TensorFlow's start-up messages, kept out of the terminal at the level that TensorFlow itself ignores for them."""

import contextlib
import importlib.abc
import importlib.machinery
import os
import re
import sys
import tempfile

HIDDEN = {"1": b"I", "2": b"IW", "3": b"IWE"}  # letters of absl's log lines, by TF_CPP_MIN_LOG_LEVEL
STARTUP = rb"(\S+ \S+: )?[%s](\d{4})? .*\.cc:\d+\] |WARNING: All log messages before absl|.* register cu\w+ factory"


def quiet_tensorflow():
    """Hides TensorFlow's notes on this machine, whoever imports it: Keras on any backend, or tensorflow-datasets.

    TF_CPP_MIN_LOG_LEVEL is set to 1, warnings and errors alone, where the user has not set it; with 0 all is shown. The
    C++ code logs before it has read the level, so that while TensorFlow is imported its lines are filtered.
    """
    level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    if level in HIDDEN and "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _Finder(re.compile(STARTUP % HIDDEN[level])))


class _Finder(importlib.abc.MetaPathFinder):
    """Finds TensorFlow where Python would, and has its import filtered."""

    def __init__(self, startup):
        self.startup = startup

    def find_spec(self, name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name == "tensorflow" else None
        if spec is not None and sys.stderr is not None:
            run = spec.loader.exec_module

            def filtered(module):
                with without_lines(self.startup):
                    run(module)

            spec.loader.exec_module = filtered
        return spec


@contextlib.contextmanager
def without_lines(pattern):
    """Drops the lines that match from what the process, C code included, writes to stderr within the block.

    Args:
        pattern: compiled pattern of bytes, matched at the beginning of a line.
    """
    try:
        sys.stderr.flush()
        terminal = os.dup(2)
    except OSError:  # a process without a terminal or a log: there is nothing to keep clean
        yield
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            kept.seek(0)
            with open(2, "wb", closefd=False) as stderr:
                stderr.writelines(line for line in kept if not pattern.match(line))
