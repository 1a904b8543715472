"""TensorFlow's start-up messages: gone at the user's level, nothing else lost, and nothing of them in a command."""

import importlib
import os
import subprocess
import sys

import keras
import pytest

from harness import needs
from keras_vae._backend.quiet import quiet_tensorflow
from small_models import environment

STARTUP = """\
WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795280678.807381   22887 port.cc:153] oneDNN custom operations are on.
2025-01-02 12:00:00.123456: I tensorflow/core/util/port.cc:113] oneDNN custom operations are on.
W0000 00:00:1795280678.807381   22887 gpu_device.cc:2344] Cannot dlopen some GPU libraries.
E0000 00:00:1795280678.807381   22887 cuda_blas.cc:1418] Unable to register cuBLAS factory: it is there already
E0000 00:00:1795280678.807381   22887 cuda_platform.cc:51] failed call to cuInit
a line of another thread
"""
INFO, OLD_INFO, WARNING, FACTORY, ERROR, OTHER = STARTUP.splitlines()[1:]


@pytest.fixture
def import_tensorflow(tmp_path, monkeypatch):
    """Imports, as if for the first time, a `tensorflow` whose C code writes STARTUP to stderr, at a log level."""
    (tmp_path / "tensorflow.py").write_text(f"import os\nos.write(2, {STARTUP.encode()!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    kept = [finder for finder in sys.meta_path if type(finder).__module__ != quiet_tensorflow.__module__]
    monkeypatch.setattr(sys, "meta_path", kept)

    def run(level):
        if level is None:
            monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
        else:
            monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
        quiet_tensorflow()
        importlib.import_module("tensorflow")

    yield run
    sys.modules.pop("tensorflow", None)  # before the true one, if it was there, is put back


@pytest.mark.parametrize(
    "level, shown",
    [
        (None, [WARNING, ERROR, OTHER]),
        ("1", [WARNING, ERROR, OTHER]),
        ("2", [ERROR, OTHER]),
        ("3", [OTHER]),
        ("0", STARTUP.splitlines()),
        ("verbose", STARTUP.splitlines()),
    ],
)
def test_the_level_that_tensorflow_ignores_is_kept(import_tensorflow, capfd, level, shown):
    import_tensorflow(level)
    assert capfd.readouterr().err.splitlines() == shown
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == (level or "1")  # a user's own choice stays
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_an_import_that_fails_shows_its_lines_and_raises(import_tensorflow, tmp_path, capfd):
    (tmp_path / "tensorflow.py").write_text(
        "import os\nos.write(2, b'no such instruction\\n')\nraise ImportError('AVX')\n"
    )
    with pytest.raises(ImportError, match="AVX"):
        import_tensorflow("1")
    assert capfd.readouterr().err == "no such instruction\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["-m", "keras_vae", "list"], id="list"),
        pytest.param(["-m", "keras_vae", "sample", "vae_mnist", "-n", "2", "-o", "samples.npy"], id="sample"),
        # What Keras or tensorflow-datasets do on the other backends, where it is installed too:
        pytest.param(
            ["-c", "import keras_vae, tensorflow as tf; tf.ones(3) + 1"], id="both", marks=needs("tensorflow")
        ),
    ],
)
def test_a_command_writes_nothing_beside_its_result(command, tmp_path):
    quiet = {key: value for key, value in environment(keras.backend.backend()).items()}
    quiet.pop("TF_CPP_MIN_LOG_LEVEL", None)
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, env=quiet, capture_output=True, text=True, timeout=170, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
