"""The wheel holds the library, the presets and the command, and nothing else."""

import importlib.metadata
import importlib.util
import pathlib
import subprocess
import sys
import tomllib
import zipfile

import pytest

import keras_vae

ROOT = pathlib.Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LIMIT = 90e6  # bytes; an index refuses wheels of more than a hundred megabytes


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return next(folder.glob("*.whl"))


def test_the_presets_are_in_the_wheel(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    presets = [path.parent for path in (ROOT / "saved_models").glob("*/config.json")]
    assert presets
    for preset in presets:
        files = {f"keras_vae/saved_models/{preset.name}/{path.name}" for path in preset.iterdir() if path.is_file()}
        assert files <= names
    assert wheel.stat().st_size < LIMIT


def test_nothing_else_is_in_the_wheel(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    stray = [n for n in names if not n.startswith("keras_vae/") and ".dist-info/" not in n]
    assert not stray
    assert not [n for n in names if "__pycache__" in n or n.endswith((".pyc", ".npz"))]
    assert any(n.endswith("licenses/LICENSE") for n in names)


def test_the_command_is_there(wheel):
    archive = zipfile.ZipFile(wheel)
    entry = next(n for n in archive.namelist() if n.endswith("entry_points.txt"))
    assert "keras-vae = keras_vae.cli:main" in archive.read(entry).decode()


def test_the_version_is_the_same_everywhere():
    assert keras_vae.__version__ == PROJECT["version"]


def test_the_library_needs_nothing_but_keras():
    assert [d.split(">")[0] for d in PROJECT["dependencies"]] == ["keras"]
    assert tuple(int(part) for part in importlib.metadata.version("keras").split(".")[:2]) >= (3, 15)
    assert importlib.util.find_spec("h5py") and importlib.util.find_spec("numpy")


def test_extras_by_backend():
    extras = PROJECT["optional-dependencies"]
    backends = {name + end for name in ("tensorflow", "jax", "torch") for end in ("", "-cuda")}
    assert backends | {"data", "viz", "recipes", "tune", "hub", "export", "test"} == set(extras)


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text and "END OF TERMS AND CONDITIONS" in text and len(text) > 11_000
