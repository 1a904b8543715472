"""`import keras_vae` alone: it picks an installed backend, and brings in nothing but Keras and that backend."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

BACKENDS = ("tensorflow", "jax", "torch")
INSTALLED = [name for name in BACKENDS if importlib.util.find_spec(name)]


def run(code, home, **environment):
    """The last line that `code` prints in a fresh process, KERAS_BACKEND unset unless it is given."""
    inherited = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**inherited, "KERAS_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


def test_picks_an_installed_backend(tmp_path):
    chosen = run("import keras_vae, keras; print(keras.backend.backend())", tmp_path)
    assert chosen == INSTALLED[0]


def test_ignores_a_keras_json_whose_backend_is_missing(tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "no_such_backend"}))
    chosen = run("from keras_vae import *; import keras; print(keras.backend.backend())", tmp_path)
    assert chosen == INSTALLED[0]


def test_follows_a_keras_json_whose_backend_is_installed(tmp_path):
    (tmp_path / "keras.json").write_text(json.dumps({"backend": INSTALLED[-1]}))
    assert run("import keras_vae, keras; print(keras.backend.backend())", tmp_path) == INSTALLED[-1]


def test_leaves_an_explicit_choice(tmp_path):
    code = "import keras_vae, keras; print(keras.backend.backend())"
    assert run(code, tmp_path, KERAS_BACKEND=INSTALLED[-1]) == INSTALLED[-1]


def test_says_what_to_install_when_there_is_no_backend(tmp_path):
    code = """
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name in ("tensorflow", "jax", "torch") else found(name, *a)
try:
    import keras_vae
except ImportError as error:
    print(error)
"""
    message = run(code, tmp_path)
    assert "tensorflow, jax or torch" in message and 'pip install "keras_vae[' in message


def test_import_needs_keras_and_its_backend_only(tmp_path):
    code = """
import json, sys
import keras
before = set(sys.modules)
import keras_vae
new = {name.split(".")[0] for name in set(sys.modules) - before}
rooms = [r for r in ("tuning", "export", "distribute", "cli") if f"keras_vae.{r}" in sys.modules]
print(json.dumps([sorted(new - set(sys.stdlib_module_names) - {"keras_vae", "keras", "numpy"}), rooms]))
"""
    packages, rooms = json.loads(run(code, tmp_path, KERAS_BACKEND=INSTALLED[0]))
    assert packages == [], f"import keras_vae also loads {packages}: import them where they are used"
    assert rooms == [], f"import keras_vae also loads keras_vae.{rooms}"


@pytest.mark.skipif(not os.environ.get("KERAS_VAE_ONLY"), reason="only in the test environments of one backend")
def test_the_other_backends_are_absent():
    assert INSTALLED == [os.environ["KERAS_VAE_ONLY"]]
