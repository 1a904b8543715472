"""evaluate and export: the figures are those of the model's own methods."""

import json
import pathlib
import random

import keras
import numpy as np
import pytest

import keras_vae
from harness import images, needs
from keras_vae.datasets import Sprites, static_binarize, to_float
from keras_vae.metrics import psnr, ssim


def fresh(folder):
    """The model of a folder whose draws start where those of the command start."""
    random.seed(0)
    model = keras_vae.load_pretrained(folder)
    model.compile()
    return model


def figures(path="e.json"):
    return json.loads(pathlib.Path(path).read_text())


def test_a_vae_on_files(run, shelf, x):
    out, err = run("evaluate digits pictures --num-samples 8 --json e.json")
    binary = static_binarize(x, seed=0)
    model = fresh(shelf / "digits")
    expected = model.evaluate(binary, return_dict=True, verbose=0)
    expected["nll"] = -model.log_likelihood(binary, num_samples=8, seed=0).mean()
    expected["psnr"] = psnr(binary, model.reconstruct(binary)).mean()
    told = figures()
    assert told["metrics"] == pytest.approx(expected, rel=1e-5)  # no SSIM: its window is larger than 8x8
    facts = {"model": "digits", "data": "pictures", "images": 6, "binarised": True, "seed": 0, "num_samples": 8}
    assert {key: told[key] for key in facts} == facts
    assert told["metrics"]["nll"] < -told["metrics"]["elbo"] + 1.0
    assert "greys binarised, one Bernoulli draw with seed 0" in err
    assert "digits on 6 images: pictures" in out and "nats, -log p(x) by importance weighting, 8 samples" in out


def test_binary_pictures_are_taken_as_they_are(run, shelf, x):
    binary = (x > 127).astype("float32")
    np.save("b.npy", binary)
    _, err = run("evaluate digits b.npy --json e.json")
    assert err == "" and figures()["binarised"] is False and figures()["num_samples"] is None
    expected = fresh(shelf / "digits").evaluate(binary, return_dict=True, verbose=0)
    assert figures()["metrics"]["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    assert "nll" not in figures()["metrics"]


def test_the_same_seed_repeats_and_another_does_not(run):
    losses = []
    for seed in (0, 0, 1):
        run(f"evaluate digits pictures --seed {seed} --json e.json")
        losses.append(figures()["metrics"]["loss"])
    assert losses[0] == losses[1] != losses[2]


def test_codes_on_files(run, shelf, x):
    out, err = run("evaluate codes pictures --json e.json --batch-size 4")
    model = fresh(shelf / "codes")
    expected = model.evaluate(to_float(x), batch_size=4, return_dict=True, verbose=0)
    expected |= {"psnr": psnr(to_float(x), model.reconstruct(to_float(x))).mean()}
    expected |= {"bits_per_image": 64.0, "compression_ratio": 8.0}
    assert figures()["metrics"] == pytest.approx(expected, rel=1e-5)
    indices = model.encode(to_float(x))
    share = np.bincount(indices.ravel(), minlength=16) / indices.size
    entropy = -np.sum(share[share > 0] * np.log(share[share > 0]))
    assert figures()["metrics"]["perplexity"] == pytest.approx(np.exp(entropy), rel=1e-4)
    assert figures()["metrics"]["codebook_usage"] == np.mean(share > 0)
    assert "of 16 codes" in out and "share of the codes" in out and err == ""


def test_colour_has_ssim_and_keeps_its_greys(run, shelf):
    x = images(3, size=16, channels=3)[:, :, 2:14]
    np.save("c.npy", x)
    _, err = run("evaluate runs/colour c.npy --limit 2 --json e.json")
    model = fresh(shelf.parent / "runs" / "colour" / "model")
    told = figures()
    assert told["images"] == 2 and told["binarised"] is False and err == ""
    assert told["metrics"]["ssim"] == pytest.approx(ssim(x[:2], model.reconstruct(x[:2])).mean(), rel=1e-4)
    assert told["model"] == "runs/colour/model"


def test_sprites_are_rendered_and_fitted(run, shelf, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", "absent")
    out, err = run("evaluate plain --data sprites --limit 5 --seed 2 --json e.json")
    assert "5 images: sprites, drawn with seed 2" in out and "5 images of 5 resized to 8x8" in err
    big, _ = Sprites(64).sample(5, seed=2, dtype="uint8")
    np.save("big.npy", big)
    run("evaluate plain big.npy --json f.json")
    assert figures()["metrics"] == pytest.approx(figures("f.json")["metrics"], rel=2e-2)  # floats pass through 8 bits


def test_a_dataset_goes_through_the_loader(run, shelf, x, monkeypatch):
    asked = []

    def load_images(name, split, **options):
        asked.append((name, split, options))
        return x

    def stream(*_):
        class Stream:
            image_shape = (28, 28, 1)

        return Stream

    monkeypatch.setattr("keras_vae.cli.evaluation.load_images", load_images)
    monkeypatch.setattr("keras_vae.cli.evaluation.stream", stream)
    options = {"download": False, "size": 8, "crop": None, "limit": None}
    _, err = run("evaluate plain --data mnist --json e.json")
    assert "note: mnist: cropped to the centre and resized to 8x8" in err
    run("evaluate plain --data mnist:3.0.1:test[:100] --download --crop 20 --limit 6")
    run("evaluate plain --data celeb_a/one:train")
    assert asked == [
        ("mnist", "test", options),
        ("mnist:3.0.1", "test[:100]", {**options, "download": True, "crop": 20, "limit": 6}),
        ("celeb_a/one", "train", options),
    ]
    expected = fresh(shelf / "plain").evaluate(to_float(x), return_dict=True, verbose=0)
    assert figures()["metrics"]["loss"] == pytest.approx(expected["loss"], rel=1e-5)


@pytest.mark.data
def test_mnist_itself(run):
    run("evaluate digits --data mnist:test[:20] --json e.json")
    assert figures()["images"] == 20 and figures()["data"] == "mnist, test[:20]" and figures()["binarised"] is True


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("evaluate digits", "evaluate needs either IMAGES or `--data`. Received: neither."),
        ("evaluate digits pictures --data mnist", "evaluate needs either IMAGES or `--data`. Received: both."),
        ("evaluate digits pictures --crop 4", "`--crop` and `--download` are for `--data`."),
        ("evaluate digits --data absent_set", "The dataset 'absent_set' is not on this machine"),
        ("evaluate digits --data :test", "`--data` must be DATASET or DATASET:SPLIT. Received: ':test'."),
        ("evaluate digits --data sprites:test", "sprites have no splits"),
        ("evaluate digits --data sprites --limit 0", "`limit` must be an integer >= 1"),
        ("evaluate digits pictures --num-samples -1", "`num_samples` must be an integer >= 0"),
        ("evaluate digits pictures --seed -1", "`seed` must be an integer >= 0"),
        ("evaluate codes pictures --num-samples 5", "`log_likelihood` needs"),
    ],
)
def test_refusals(refused, monkeypatch, line, told):
    monkeypatch.setenv("TFDS_DATA_DIR", "nowhere")
    assert told in refused(line)


def test_export_hands_every_option_on(run, shelf, monkeypatch):
    given = {}

    def export_saved_model(model, path, **options):
        given.update(options, path=path, weights=model.get_weights())
        return f"{path}/7"

    monkeypatch.setattr("keras_vae.cli.serving.export_saved_model", export_saved_model)
    line = "export digits serving/digits --version 7 --batch-size 4 --overwrite --python python3 --tolerance 0.01"
    out, _ = run(line)
    assert out.startswith("serving/digits/7: written")
    for ours, theirs in zip(given.pop("weights"), fresh(shelf / "digits").get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    options = {"version": 7, "batch_size": 4, "overwrite": True, "python": "python3", "tolerance": 0.01}
    assert given == {"path": "serving/digits", **options}


@needs("tensorflow")
@pytest.mark.skipif(keras.backend.backend() == "torch", reason="exports by a second process, tested in tests/export")
def test_an_export_answers_as_the_model_does(run, shelf, x):
    import tensorflow as tf

    run("export plain serving/plain")
    served = tf.saved_model.load("serving/plain/1").signatures["serving_default"]
    (answer,) = served(tf.constant(to_float(x))).values()
    expected = fresh(shelf / "plain").reconstruct(to_float(x))
    np.testing.assert_allclose(answer.numpy(), expected, atol=1e-5)


def test_an_export_does_not_replace(refused, here):
    (here / "serving" / "1").mkdir(parents=True)
    (here / "serving" / "1" / "mine.txt").write_text("")
    assert "must be new, empty or a SavedModel" in refused("export plain serving/1")


def test_what_an_export_lacks_is_told(refused, monkeypatch):
    def export_saved_model(*_, **__):
        raise ImportError('Exporting a SavedModel needs `tensorflow`: pip install "keras_vae[tensorflow]"')

    monkeypatch.setattr("keras_vae.cli.serving.export_saved_model", export_saved_model)
    assert 'pip install "keras_vae[tensorflow]"' in refused("export plain serving")


def test_a_long_error_is_cut_to_its_first_line(refused, monkeypatch):
    from keras_vae.export import ExportError

    def export_saved_model(*_, **__):
        raise ExportError("The export failed: reason\nline 1\nline 2")

    monkeypatch.setattr("keras_vae.cli.serving.export_saved_model", export_saved_model)
    assert refused("export plain serving") == "The export failed: reason (--debug shows the rest)"
