"""Priors that draw position by position, on a model and as presets of their own: controls, in-painting, figures."""

import json
import pathlib

import numpy as np
import pytest
from PIL import Image

import keras_vae
from keras_vae.cli.known import read_known
from keras_vae.datasets import static_binarize, to_float
from keras_vae.generation import inpaint
from keras_vae.reports import image_grid
from small_models import facts

UPPER = np.repeat(np.arange(8)[:, None] < 5, 8, axis=1)  # five rows of pixels, two of codes


def trained(prior, shape):
    """As if it had been: weights that NumPy drew."""
    prior.build((None, *shape))
    rng = np.random.default_rng(0)
    for variable in prior.trainable_variables:
        variable.assign(0.5 * rng.normal(size=variable.shape))
    prior.step.assign(1)
    return prior


def net():
    return keras_vae.PixelCNN(filters=4, depth=0, stem_size=3)


@pytest.fixture(scope="module")
def priors(shelf):
    """Presets by name: `codes` of the shelf with a prior, that prior alone, and priors of pixels, binary and of 4."""
    over_codes = trained(keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(16), net()), (4, 4))
    models = {
        "priored": keras_vae.load_pretrained(shelf / "codes").with_prior(over_codes),
        "grids": over_codes,
        "binary": trained(keras_vae.PixelCNNPrior(keras_vae.BernoulliLikelihood(), net()), (8, 8, 1)),
        "greys": trained(keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(4), net()), (8, 8, 1)),
    }
    for name, model in models.items():
        keras_vae.save_pretrained(model, shelf.parent / "runs" / name / "model", **facts())
    return models


@pytest.fixture
def mask():
    """mask.png, whose upper five rows are white."""
    Image.fromarray(255 * UPPER.astype("uint8")).save("mask.png")
    return UPPER


def test_controls_reach_the_prior(run, priors):
    run("sample runs/priored -n 3 --seed 2 --temperature 0.7 --top-k 5 --top-p 0.9 -o a.npy")
    expected = priors["priored"].sample(3, seed=2, temperature=0.7, top_k=5, top_p=0.9)
    np.testing.assert_allclose(np.load("a.npy"), expected, atol=1e-6)
    run("sample runs/priored -n 3 --seed 2 -o b.npy")
    assert np.abs(np.load("b.npy") - expected).max() > 1e-3


@pytest.mark.parametrize("name", ["binary", "greys"])
def test_a_prior_over_pixels_draws_pictures(run, priors, name):
    out, err = run(f"sample runs/{name} -n 4 --seed 1 -o a.npy")
    assert out == "a.npy: 4 samples, seed 1\n" and err == ""
    expected = priors[name].sample(4, seed=1)
    np.testing.assert_array_equal(np.load("a.npy"), expected)
    run(f"sample runs/{name} -n 4 --seed 1")
    top = {"binary": 1.0, "greys": 3.0}[name]
    assert expected.max() == top
    np.testing.assert_array_equal(np.asarray(Image.open("samples.png")), image_grid(expected / top))


def test_a_prior_over_codes_writes_arrays(run, refused, priors):
    run("sample runs/grids -n 4 --seed 1 -o a.npy")
    np.testing.assert_array_equal(np.load("a.npy"), priors["grids"].sample(4, seed=1))
    told = "needs a model of images. Received: runs/grids, a PixelCNNPrior of arrays of shape (4, 4)"
    assert refused("sample runs/grids") == f"a picture {told}; `sample` writes its draws as .npy."
    assert refused("evaluate runs/grids pictures").startswith(f"evaluate {told}")


def test_the_rest_of_an_image_in_codes(run, priors, mask, x):
    out, _ = run("sample runs/priored -n 3 --known pictures/2.png --mask mask.png --top-p 0.9 -o a.npy")
    expected = inpaint(priors["priored"], to_float(x[2:3]), mask, n=3, seed=0, top_p=0.9)[0]
    np.testing.assert_allclose(np.load("a.npy"), expected, atol=1e-6)
    assert out == "a.npy: 3 samples, seed 0, around the 62% of pictures/2.png that is known\n"


def test_the_rest_of_an_image_in_pixels(run, priors, mask, x):
    _, err = run("sample runs/binary -n 3 --known pictures/2.png --mask mask.png --seed 4 -o a.npy")
    drawn, known = np.load("a.npy"), static_binarize(x[2:3], 4)
    np.testing.assert_array_equal(drawn[:, :5], np.repeat(known[:, :5], 3, axis=0))
    np.testing.assert_array_equal(drawn, inpaint(priors["binary"], known, mask, n=3, seed=4)[0])
    assert err.startswith("note: greys binarised, one Bernoulli draw with seed 4")
    _, err = run("sample runs/greys -n 2 --known pictures/2.png --mask mask.png -o b.npy")
    classes = np.round(3 * to_float(x[2]))
    np.testing.assert_array_equal(np.load("b.npy")[:, :5], np.stack([classes[:5]] * 2))
    assert err == ""


def test_image_and_mask_are_read_alike(x, mask, capsys):
    image, known = read_known("pictures/1.png", "mask.png", (8, 8, 1))
    np.testing.assert_array_equal(image, to_float(x[1]))
    np.testing.assert_array_equal(known, mask)
    for values in (mask, mask.astype("uint8"), mask.astype("float32")[..., None]):
        np.save("mask.npy", values)
        np.testing.assert_array_equal(read_known("pictures/1.png", "mask.npy", (8, 8, 1))[1], mask)
    assert capsys.readouterr().err == ""
    wide = np.zeros((16, 40), "uint8")
    wide[:9, 12:] = 255  # beyond the crop of the centre, 12 to 28, and half a pixel down
    Image.fromarray(wide).save("wide.png")
    np.testing.assert_array_equal(read_known("wide.png", "wide.png", (8, 8, 1))[1], np.roll(mask, -1, axis=0) & mask)
    Image.fromarray(np.where(mask, 255, 200).astype("uint8")).save("greyish.png")
    np.testing.assert_array_equal(read_known("pictures/1.png", "greyish.png", (8, 8, 1))[1], mask)
    assert "greyish.png has more than black and white: known is what is white" in capsys.readouterr().err


def test_figures_of_a_prior_over_pixels(run, refused, priors, x):
    out, err = run("evaluate runs/binary pictures --json e.json")
    told = json.loads(pathlib.Path("e.json").read_text())
    model = priors["binary"]
    model.compile()
    expected = model.evaluate(static_binarize(x, 0), return_dict=True, verbose=0)
    assert told["metrics"] == pytest.approx(expected, rel=1e-5) and told["binarised"]
    assert "nats, -log p(x)" in out and "bits_per_dim" in out and err.startswith("note: greys binarised")
    assert "`--num-samples` is for models with latents" in refused("evaluate runs/binary pictures --num-samples 5")


def test_what_is_known_of_a_prior(run, priors):
    out, _ = run("info runs/binary")
    assert "PixelCNNPrior" in out and "8x8x1" in out
    out, _ = run("info runs/priored")
    assert "VQVAE" in out and "4x4" in out


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sample digits --temperature 0.5", "`temperature` of `sample` is for priors that draw one"),
        ("sample codes --top-k 3", "Received: top_k=3 for a UniformCodes."),
        ("sample codes --known pictures/0.png --mask mask.png", "such as `PixelCNNPrior`. Received: a UniformCodes."),
        ("sample digits --known pictures/0.png --mask mask.png", "`model` must have codes in a grid, or be a prior"),
        ("sample runs/priored --temperature 0", "`temperature` must be a finite number > 0"),
        ("sample runs/priored --top-k 0", "`top_k` must be an integer >= 1"),
        ("sample runs/priored --top-p 1.5", "`top_p` must be in [0, 1]"),
        ("sample runs/priored --known pictures/0.png", "go together: an image, and where it is known"),
        ("sample runs/priored --mask mask.png", "Received: `--mask` alone."),
        ("sample runs/priored --known no.png --mask mask.png", "there is no file no.png"),
        ("sample runs/priored --known pictures/0.png --mask small.npy", "must have the size of `--known`, 8x8."),
        ("sample runs/priored --known pictures --mask mask.png", "`--known` must be one image. Received: pictures,"),
        ("sample runs/grids --known pictures/0.png --mask mask.png -o a.npy", "`--known` needs a model of images"),
        (
            "reconstruct runs/binary pictures",
            "must be that of an autoencoder. Received: runs/binary, a PixelCNNPrior.",
        ),
        (
            "encode runs/binary pictures",
            "must be that of an autoencoder. Received: runs/binary, a PixelCNNPrior.",
        ),
        ("traverse runs/binary", "must be that of an autoencoder. Received: runs/binary, a PixelCNNPrior."),
        (
            "neighbours runs/binary pictures/0.png --among pictures",
            "must be that of an autoencoder. Received: runs/binary, a PixelCNNPrior.",
        ),
    ],
)
def test_refusals(refused, priors, mask, line, told):
    np.save("small.npy", UPPER[:4])
    assert told in refused(line)
