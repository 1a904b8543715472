"""Altered presets by the thousand know two outcomes, a model or a PresetError, within bounds of time and memory.

The short form runs always. The long one takes some minutes on each backend:

    KERAS_BACKEND=jax pytest -m fuzz
"""

import json
import pathlib
import subprocess
import sys

import keras
import pytest

from small_models import environment

CHILD = pathlib.Path(__file__).parents[1] / "fuzz_presets.py"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="FIFOs, alarms and `resource` are of POSIX")


def fuzz(folder, *arguments):
    done = subprocess.run(
        [sys.executable, str(CHILD), *arguments],
        cwd=folder,
        env=environment(keras.backend.backend()),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"case {done.stderr[-3000:]}"
    report = json.loads(done.stdout.splitlines()[-1])
    print(report)
    assert not report["faults"]
    assert set(report["outcomes"]) == {"model", "PresetError"}
    assert report["slowest"][0] < 30  # of CPU time, on any machine
    assert not list(folder.iterdir())
    return report


def test_some_altered_presets(tmp_path):
    report = fuzz(tmp_path, "--count", "150", "--seed", "0")
    assert report["megabytes"] < 1000


@pytest.mark.fuzz
@pytest.mark.timeout(7200)
def test_many_altered_presets(tmp_path):
    report = fuzz(tmp_path, "--count", "5000", "--seed", "1", "--slow")
    assert report["megabytes"] < 3000  # which models leave behind in the backend, thousands of them
