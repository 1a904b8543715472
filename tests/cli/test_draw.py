"""sample, reconstruct, traverse: what is written is what the model says."""

import numpy as np
import pytest
from PIL import Image

import keras_vae
from keras_vae.datasets import to_float
from keras_vae.generation.traversal import latent_traversal
from keras_vae.metrics import psnr
from keras_vae.reports import comparison_grid, image_grid, traversal_grid


def pixels(path):
    return np.asarray(Image.open(path))


def test_samples_are_the_models_own_and_repeat(run, shelf):
    out, err = run("sample digits -n 5 --seed 3 -o a.npy")
    assert out == "a.npy: 5 samples, seed 3\n" and err == ""
    run("sample digits -n 5 --seed 3 -o b.npy")
    run("sample digits -n 5 --seed 4 -o c.npy")
    expected = keras_vae.load_pretrained(shelf / "digits").sample(5, seed=3)
    np.testing.assert_array_equal(np.load("a.npy"), np.load("b.npy"))
    np.testing.assert_allclose(np.load("a.npy"), expected, atol=1e-6)
    assert np.abs(np.load("a.npy") - np.load("c.npy")).max() > 1e-3


def test_samples_as_a_picture(run):
    run("sample digits -n 5 -o new/folder/a.png --columns 3")
    run("sample digits -n 5 -o a.npy")
    np.testing.assert_array_equal(pixels("new/folder/a.png"), image_grid(np.load("a.npy"), 3))


def test_uniform_codes_are_told_in_a_note(run):
    out, err = run("sample codes -n 2")
    assert out == "samples.png: 2 samples, seed 0\n"
    assert err.startswith("note: This VQVAE has no learned prior") and err.count("\n") == 1


@pytest.mark.parametrize("name", ["digits", "codes", "plain"])
def test_reconstructions_are_the_models_own(run, shelf, x, name):
    out, err = run(f"reconstruct {name} pictures -o r.npy")
    expected = keras_vae.load_pretrained(shelf / name).reconstruct(to_float(x))
    np.testing.assert_allclose(np.load("r.npy"), expected, atol=1e-6)
    assert out == f"r.npy: 6 reconstructions, PSNR {psnr(to_float(x), expected).mean():.2f} dB\n" and err == ""


def test_reconstructions_as_a_picture(run, x):
    run("reconstruct digits pictures/2.png pictures/0.png -o r.npy")
    run("reconstruct digits pictures/2.png pictures/0.png")
    np.testing.assert_array_equal(pixels("reconstructions.png"), comparison_grid(x[[2, 0]], np.load("r.npy")))


def test_limit_takes_the_first(run):
    run("reconstruct digits pictures -o all.npy")
    run("reconstruct digits pictures --limit 2 -o two.npy")
    np.testing.assert_allclose(np.load("two.npy"), np.load("all.npy")[:2], atol=1e-6)


def test_traversal_is_that_of_the_callbacks(run, shelf, x):
    out, _ = run("traverse digits --image pictures/4.png --dims 2 0 --span 2 --steps 5 -o t.npy")
    model = keras_vae.load_pretrained(shelf / "digits")
    expected = latent_traversal(model, to_float(x)[4], dims=[2, 0], span=2.0, steps=5)
    np.testing.assert_allclose(np.load("t.npy"), expected, atol=1e-6)
    assert out == "t.npy: z2, z0 from -2 to 2, around pictures/4.png\n"
    run("traverse digits --image pictures/4.png --dims 2 0 --span 2 --steps 5 -o t.png")
    picture = traversal_grid(expected, ["z2", "z0"], column_labels=[-2, -1, 0, 1, 2])
    np.testing.assert_array_equal(pixels("t.png"), picture)


def test_traversal_starts_at_a_sample_without_an_image(run, shelf):
    out, _ = run("traverse digits --seed 5 --steps 3 -o t.npy")
    model = keras_vae.load_pretrained(shelf / "digits")
    expected = latent_traversal(model, model.sample(1, seed=5)[0], steps=3)
    np.testing.assert_allclose(np.load("t.npy"), expected, atol=1e-5)
    assert "z0, z1, z2 from -3 to 3, around a sample of seed 5" in out


def test_traversal_of_many_dimensions_shows_the_ten_that_vary(run, shelf):
    out, err = run("traverse runs/colour --steps 2 -o t.npy")
    model = keras_vae.load_pretrained(shelf.parent / "runs" / "colour" / "model")
    spread = model.encode(np.clip(model.sample(256, seed=0), 0, 1)).var(axis=0)
    assert "10 of 12 latent dimensions" in err
    assert out.split(": ")[1].split(" from ")[0] == ", ".join(f"z{d}" for d in np.argsort(-spread)[:10])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sample digits -n 0", "`n` must be an integer >= 1. Received: n=0."),
        ("sample digits -o samples.gif", "`--out` must end in .png or .npy. Received: samples.gif."),
        ("sample digits -o pictures.png", "`--out` must be a file. Received: the folder pictures.png."),
        ("sample plain", "PlainAutoencoder has none"),
        ("sample digits --columns 0", "`columns` must be an integer >= 1"),
        ("sample digits -n 2001", "at most 2000 images"),
        ("reconstruct digits pictures --limit 0", "`limit` must be an integer >= 1. Received: limit=0."),
        ("traverse codes", "traverse needs a continuous latent. Received: codes, a VQVAE of codes."),
        ("traverse plain", "`--image` must be given: PlainAutoencoder has no prior"),
        ("traverse digits --dims 3", "`dims` must be integers from 0 to 2"),
        ("traverse digits --span -1", "`span` must be a finite number > 0"),
        ("traverse digits --image two.npy", "`--image` must be one image. Received: two.npy, which holds 2."),
    ],
)
def test_refusals(refused, tmp_path, x, line, told):
    (tmp_path / "pictures.png").mkdir()
    np.save("two.npy", x[:2])
    assert told in refused(line)
