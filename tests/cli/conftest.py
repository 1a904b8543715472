"""A shelf of small presets and a folder of pictures, in which every command of these tests runs."""

import json
import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

import keras_vae
from harness import images, set_weights
from keras_vae.cli import main
from small_models import facts


def digits():
    encoder, decoder = keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder((8, 8, 1), (16,))
    return keras_vae.VAE(encoder, decoder, latent_dim=3), (8, 8, 1)


def codes():
    encoder, decoder = keras.layers.Conv2D(4, 2, strides=2), keras.layers.Conv2DTranspose(1, 2, strides=2)
    return keras_vae.VQVAE(encoder, decoder, keras_vae.VectorQuantizer(16, 4)), (8, 8, 1)


def plain():
    encoder, decoder = keras_vae.MLPEncoder((16, 3)), keras_vae.MLPDecoder((8, 8, 1), (16,))
    return keras_vae.PlainAutoencoder(encoder, decoder), (8, 8, 1)


def colour():
    encoder, decoder = keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder((16, 12, 3), (16,))
    likelihood = keras_vae.GaussianLikelihood(stddev=0.5)
    return keras_vae.VAE(encoder, decoder, latent_dim=12, likelihood=likelihood), (16, 12, 3)


def made(model, shape):
    model.build((None, *shape))
    return set_weights(model)


@pytest.fixture(scope="session")
def shelf(tmp_path_factory):
    """The folder of shipped presets `digits` (VAE), `codes` (VQVAE), `plain`; beside it runs/colour/model."""
    root = tmp_path_factory.mktemp("cli")
    eights = facts(metrics={"nll": 80.5, "psnr": 12.5, "per_unit": [0.5] * 12}, description="Eights.")
    keras_vae.save_pretrained(made(*digits()), root / "shelf" / "digits", **eights)
    keras_vae.save_pretrained(made(*codes()), root / "shelf" / "codes", **facts(metrics={"vq": {"psnr": 21.5}}))
    keras_vae.save_pretrained(made(*plain()), root / "shelf" / "plain", **facts(metrics={}))
    keras_vae.save_pretrained(made(*colour()), root / "runs" / "colour" / "model", **facts())
    (root / "runs" / "unfinished" / "pictures").mkdir(parents=True)
    return root / "shelf"


@pytest.fixture(scope="session")
def x():
    """Six grey 8x8 pictures, as 8-bit files hold them."""
    return np.round(255 * images(6)).astype("uint8")


@pytest.fixture(autouse=True)
def here(shelf, x, tmp_path, monkeypatch):
    """Runs the test in a folder with runs/ and with x as pictures/0.png ..., with `shelf` as the shipped presets."""
    monkeypatch.setenv("KERAS_VAE_SAVED_MODELS", str(shelf))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").symlink_to(shelf.parent / "runs", target_is_directory=True)
    (tmp_path / "pictures").mkdir()
    for i, image in enumerate(x):
        Image.fromarray(image[..., 0]).save(tmp_path / "pictures" / f"{i}.png")
    return tmp_path


@pytest.fixture
def run(capsys):
    """Runs a command that must succeed; gives its stdout and stderr."""

    def command(line):
        status = main(line.split())
        out, err = capsys.readouterr()
        assert status == 0, err
        return out, err

    return command


@pytest.fixture
def refused(capsys):
    """Runs a command that must fail with status 2, in one line on stderr, and write no file; gives the line."""

    def command(line):
        before = sorted(pathlib.Path().rglob("*"))
        assert main(line.split()) == 2
        out, err = capsys.readouterr()
        assert sorted(pathlib.Path().rglob("*")) == before
        last = err.strip().splitlines()[-1]
        assert out == "" and last.startswith("keras-vae: error: ") and "Traceback" not in err, err
        return last.removeprefix("keras-vae: error: ")

    return command


@pytest.fixture
def metadata(shelf):
    """The metadata of a preset on the shelf, by its name."""
    return lambda name: json.loads((shelf / name / "metadata.json").read_text())
