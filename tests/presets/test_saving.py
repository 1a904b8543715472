"""What `save_pretrained` writes, what it refuses, and that a failure leaves the disk as it was."""

import json
import pathlib

import h5py
import keras
import numpy as np
import pytest

import keras_vae
from harness import images
from keras_vae import PresetError, load_pretrained, save_pretrained
from keras_vae.presets import pretrained_metadata, saving
from small_models import KINDS, facts, plain, small

FILES = ["README.md", "config.json", "metadata.json", "model.weights.h5"]
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def model():
    return small("plain")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_round_trip_gives_equal_answers(tmp_path, kind):
    model = small(kind)
    folder = save_pretrained(model, tmp_path / kind, **facts())
    copy = load_pretrained(folder)
    assert names(folder) == FILES
    assert type(copy) is type(model)
    assert not copy.compiled
    np.testing.assert_array_equal(copy.reconstruct(images(5)), model.reconstruct(images(5)))
    for ours, theirs in zip(model.weights, copy.weights, strict=True):  # codebook, counts, sums and step among them
        np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(weight.value) for weight in (ours, theirs)))


def test_the_optimizer_and_the_losses_stay_behind(tmp_path):
    model = small("plain")
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=False)
    model.fit(images(8), batch_size=4, verbose=0)
    model.save_weights(tmp_path / "theirs.weights.h5")
    folder = save_pretrained(model, tmp_path / "ours", **facts())

    def groups(path):
        found = []
        with h5py.File(path) as file:
            file.visit(found.append)
        return found

    assert any("optimizer" in name for name in groups(tmp_path / "theirs.weights.h5"))
    assert not any("optimizer" in name for name in groups(folder / "model.weights.h5"))
    assert "compile_config" not in (folder / "config.json").read_text()
    copy = load_pretrained(folder)
    assert not copy.compiled
    assert int(keras.ops.convert_to_numpy(copy.step)) == 2  # what a schedule goes on from
    copy.compile("adam")
    copy.fit(images(8), batch_size=4, verbose=0)  # a loaded preset trains on
    assert int(keras.ops.convert_to_numpy(copy.step)) == 4


def test_a_functional_encoder_of_plain_keras_layers(tmp_path):
    inputs = keras.Input((8, 8, 1))
    hidden = keras.layers.Dense(5, "gelu", kernel_regularizer="l2")(keras.layers.Flatten()(inputs))
    encoder = keras.Model(inputs, keras.ops.tanh(hidden * 2.0))
    decoder = keras.Sequential([keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))])
    model = keras_vae.PlainAutoencoder(encoder, decoder)
    model.build((None, 8, 8, 1))
    copy = load_pretrained(save_pretrained(model, tmp_path / "functional", **facts()))
    np.testing.assert_array_equal(copy.encode(images(3)), model.encode(images(3)))


def test_metadata_says_where_the_weights_come_from(tmp_path, model):
    given = facts(metrics={"nll": np.float32(86.5), "psnr": {"mean": 27.5, "range": (27.0, 28.0)}}, seed=np.int64(7))
    folder = save_pretrained(model, tmp_path / "tiny", **given)
    metadata = json.loads((folder / "metadata.json").read_text())
    assert metadata["schema"] == 2
    assert (metadata["name"], metadata["model"]) == ("tiny", "PlainAutoencoder")
    assert (metadata["recipe"], metadata["dataset"], metadata["licence"]) == ("tests", "noise", "CC0-1.0")
    assert metadata["seed"] == 7
    assert metadata["metrics"] == {"nll": 86.5, "psnr": {"mean": 27.5, "range": [27.0, 28.0]}}
    assert metadata["data_shape"] == [8, 8, 1]
    assert metadata["latent_shape"] == [3]
    assert metadata["parameter_count"] == model.count_params()
    assert metadata["trained_on_backend"] == keras.backend.backend()
    assert metadata["keras_version"] == keras.__version__
    assert metadata["keras_vae_version"] == keras_vae.__version__
    assert set(metadata["files"]) == {"config.json", "model.weights.h5"}
    assert metadata["files"]["model.weights.h5"]["bytes"] == (folder / "model.weights.h5").stat().st_size
    assert pretrained_metadata(folder) == {**metadata, "folder": str(folder)}


def test_the_card_repeats_the_metadata(tmp_path, model):
    given = facts(licence="non-commercial research only", description="Noise, learned.", limits="Knows no faces.")
    folder = save_pretrained(model, tmp_path / "tiny", preview=images(1)[0], **given)
    card = (folder / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: keras\nlicense: other\n")
    for text in ("# tiny", "Noise, learned.", 'load_pretrained("tiny")', "**non-commercial research only**", "`psnr`"):
        assert text in card
    assert "(preview.png)" in card and "Knows no faces." in card and f"{model.count_params():,}" in card


@pytest.mark.parametrize("kind", ["vae", "plain"])
def test_the_example_of_the_card_runs(tmp_path, monkeypatch, kind):
    save_pretrained(small(kind), tmp_path / "tiny", **facts())
    code = (tmp_path / "tiny" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.setenv("KERAS_VAE_SAVED_MODELS", str(tmp_path))
    scope = {"images": images(2)}
    exec(code, scope)
    assert len(scope["z"]) == 2 and scope["images"].shape == (2, 8, 8, 1)
    assert ("samples" in scope) == (kind == "vae") and len(scope.get("samples", range(16))) == 16


def test_the_example_of_a_classifiers_card_runs(tmp_path, monkeypatch):
    model = small("plain")
    save_pretrained(model.as_classifier(4), tmp_path / "tiny", **facts())
    code = (tmp_path / "tiny" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.setenv("KERAS_VAE_SAVED_MODELS", str(tmp_path))
    scope = {"x": images(2)}
    exec(code, scope)
    assert scope["answers"].shape == (2, 4)
    np.testing.assert_allclose(scope["features"], model.encode(images(2)), rtol=1e-5)


@pytest.mark.parametrize("kind", ["alone", "of a class", "of a map"])
def test_the_example_of_a_priors_card_runs(tmp_path, monkeypatch, kind):
    conditions = {
        "alone": (None, None),
        "of a class": (keras_vae.ClassCondition(4), np.array([1, 2], "int32")),
        "of a map": (keras_vae.MapCondition((2, 2, 1)), np.ones((2, 2, 2, 1), "float32")),
    }
    told, given = conditions[kind]
    net = keras_vae.PixelCNN(4, depth=0, stem_size=3)
    prior = keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(4), net, condition=told)
    prior.build((None, 4, 4) if told is None else {"x": (None, 4, 4)})
    prior.step.assign(1)
    save_pretrained(prior, tmp_path / "tiny", **facts())
    card = (tmp_path / "tiny" / "README.md").read_text()
    assert "tags: [keras_vae, pixelcnnprior, prior]" in card
    code = card.split("```python\n")[1].split("```")[0].replace("sample(16", "sample(2")  # as many as there are maps
    monkeypatch.setenv("KERAS_VAE_SAVED_MODELS", str(tmp_path))
    scope = {"x": np.zeros((2, 4, 4), "int32"), "labels": given, "condition": given}
    exec(code, scope)
    assert scope["log_prob"].shape == (2,) and scope["samples"].shape == (2, 4, 4)


def test_the_preview_is_a_picture(tmp_path, model):
    gray, colour = images(1)[0, :, :, 0], (images(1, channels=3)[0] * 255).astype("uint8")
    for i, preview in enumerate((gray, colour)):
        folder = save_pretrained(model, tmp_path / f"tiny{i}", preview=preview, **facts())
        assert names(folder) == sorted([*FILES, "preview.png"])
        assert (folder / "preview.png").read_bytes().startswith(PNG)
    copied = save_pretrained(model, tmp_path / "copied", preview=tmp_path / "tiny0" / "preview.png", **facts())
    assert (copied / "preview.png").read_bytes() == (tmp_path / "tiny0" / "preview.png").read_bytes()


@pytest.mark.parametrize(
    ("preview", "message"),
    [
        (np.zeros((4, 4, 2)), "`preview` must have shape .* Received: shape"),
        (np.zeros((4, 4)) + 2, r"`preview` must be uint8, or floats in \[0, 1\]. Received: floats in \[2, 2\]"),
        (np.full((4, 4), np.nan), "`preview` must be finite. Received: 16 NaN or infinite values"),
        (pathlib.Path(__file__), "`preview` must be a PNG file or an array. Received: preview="),
    ],
)
def test_refuses_what_is_no_picture(tmp_path, model, preview, message):
    with pytest.raises(ValueError, match=message):
        save_pretrained(model, tmp_path / "tiny", preview=preview, **facts())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"recipe": ""}, ValueError, "`recipe` must not be empty"),
        ({"licence": "  "}, ValueError, "`licence` must not be empty"),
        ({"dataset": None}, TypeError, "`dataset` must be a str. Received: dataset=None"),
        ({"seed": "7"}, TypeError, "`seed` must be an int or None. Received: seed='7'"),
        ({"seed": True}, TypeError, "`seed` must be an int or None. Received: seed=True"),
        ({"metrics": [1]}, TypeError, r"`metrics` must be a dict. Received: metrics=\[1\]"),
        ({"metrics": {"nll": float("nan")}}, ValueError, r"`metrics\['nll'\]` must be finite. Received: .*=nan"),
        ({"metrics": {"a": {"b": object()}}}, TypeError, r"`metrics\['a'\]\['b'\]` must hold numbers, strings, lists"),
    ],
)
def test_refuses_bad_provenance(tmp_path, model, change, error, message):
    with pytest.raises(error, match=message):
        save_pretrained(model, tmp_path / "tiny", **facts(**change))
    assert not list(tmp_path.iterdir())


def test_refuses_what_is_no_trained_model(tmp_path):
    with pytest.raises(TypeError, match="`model` must be a model of keras_vae. Received: model="):
        save_pretrained(keras.Sequential([keras.layers.Dense(1)]), tmp_path / "tiny", **facts())
    with pytest.raises(ValueError, match="`model` must be built"):
        save_pretrained(plain(), tmp_path / "tiny", **facts())
    broken = small("plain")
    broken.trainable_variables[0].assign(np.full(broken.trainable_variables[0].shape, np.inf, "float32"))
    with pytest.raises(ValueError, match="`model` must have finite weights. Received: NaN or infinity in '.*kernel'"):
        save_pretrained(broken, tmp_path / "tiny", **facts())
    assert not list(tmp_path.iterdir())


def test_refuses_a_model_with_a_lambda(tmp_path):
    decoder = keras.Sequential([keras.layers.Dense(64), keras.layers.Lambda(keras.ops.relu, name="code")])
    model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((4,)), decoder)
    model.build((None, 64))
    with pytest.raises(PresetError, match="only keras_vae's classes and plain Keras .* Received: class_name='Lambda'"):
        save_pretrained(model, tmp_path / "tiny", **facts())
    assert not list(tmp_path.iterdir())


def test_replaces_a_preset_but_no_other_folder(tmp_path, model):
    folder = save_pretrained(model, tmp_path / "tiny", preview=images(1)[0], **facts())
    other = small("plain", seed=1)
    assert save_pretrained(other, folder, **facts()) == folder
    assert names(folder) == FILES  # the old preview is not the new model's
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
    np.testing.assert_array_equal(load_pretrained(folder).encode(images(2)), other.encode(images(2)))
    (folder / "thesis.tex").write_text("ten years of work")
    with pytest.raises(PresetError, match="`folder` must be new, empty or a preset. Received: .*thesis.tex"):
        save_pretrained(model, folder, **facts())
    assert (folder / "thesis.tex").read_text() == "ten years of work"
    (tmp_path / "file").write_text("")
    with pytest.raises(PresetError, match="`folder` must be a folder. Received: the file"):
        save_pretrained(model, tmp_path / "file", **facts())
    with pytest.raises(ValueError, match="`folder` must end in a name"):
        save_pretrained(model, tmp_path / "what a name", **facts())


def test_a_failure_leaves_the_older_preset(tmp_path, model, monkeypatch):
    folder = save_pretrained(model, tmp_path / "tiny", **facts())
    before = {name: (folder / name).read_bytes() for name in FILES}

    def fail(*args, **kwargs):
        raise OSError("the disk is full")

    monkeypatch.setattr(saving, "model_card", fail)
    for target in (folder, tmp_path / "deep" / "new"):
        with pytest.raises(OSError, match="disk is full"):
            save_pretrained(small("plain", seed=1), target, **facts())
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]
    assert {name: (folder / name).read_bytes() for name in FILES} == before


def test_what_does_not_survive_saving_is_an_error(tmp_path, monkeypatch):
    def zeros(layer, store):
        for i, weight in enumerate((layer.kernel, layer.bias)):
            store[str(i)] = np.zeros(weight.shape, "float32")

    monkeypatch.setattr(keras.layers.Dense, "save_own_variables", zeros)
    with pytest.raises(PresetError, match="did not survive saving: its layer saves other values than it has"):
        save_pretrained(small("plain"), tmp_path / "tiny", **facts())
    assert not list(tmp_path.iterdir())
