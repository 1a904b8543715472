"""Other processes for a test: scripts of a few lines, started with this Python and this environment."""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import textwrap

from keras_vae.core import locks


def start(script, *arguments, **environment):
    """Starts a script; its errors are kept for `finish`, and it is spoken with through `stdin` and `stdout`."""
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment}, text=True, **pipes
    )


def finish(process):
    """Waits for a script, which must end well; returns what it printed."""
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return said


@contextlib.contextmanager
def holder(folder, more=""):
    """Another process that holds a folder by its lock; killed in the end. `more` is what it does before it says so."""
    script = f"""
        import os, runpy, sys, time

        lock = runpy.run_path(sys.argv[1])["FolderLock"](sys.argv[2]).acquire()
        {more}
        print(os.getpid(), flush=True)
        time.sleep(60)
    """
    process = start(script, pathlib.Path(locks.__file__), folder)
    try:
        assert process.stdout.readline() == f"{process.pid}\n"
        yield process
    finally:
        kill(process)


def kill(process):
    """As `kill -9` does; waits until it is gone."""
    process.send_signal(signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()
