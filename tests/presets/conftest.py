"""A preset to be altered, written once for each file of tests."""

import shutil

import pytest

from keras_vae import save_pretrained
from small_models import facts, small


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """The folder of a preset; a test must leave it as it found it."""
    return save_pretrained(small("plain"), tmp_path_factory.mktemp("presets") / "tiny", **facts())


@pytest.fixture
def folder(original, tmp_path):
    """A copy of the preset, for a test to alter."""
    return shutil.copytree(original, tmp_path / "tiny")
