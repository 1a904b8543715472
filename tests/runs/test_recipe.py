"""The run of a recipe: options, folder, seed, training that is gone on with, a preset that says where it is from."""

import json

import keras
import numpy as np
import pytest

import keras_vae
from harness import images
from keras_vae.runs import Recipe
from small_models import SHAPE, plain


def started(folder, *options):
    return Recipe("A recipe.", "somewhere/recipes/tiny.py", ["--runs", str(folder), *options])


def fitted(run, epochs, **options):
    keras.utils.set_random_seed(run.seed)
    model = plain()
    model.build((None, *SHAPE))
    model.compile("adam")
    x = np.uint8(255 * images(32))
    batches = keras_vae.datasets.ImageBatches(x, 16, seed=run.seed, drop_remainder=True)
    return model, run.fit(model, batches, epochs, verbose=0, **options)


def test_options_name_the_folder_and_set_the_seed(tmp_path):
    run = started(tmp_path, "--seed", "3", "--full")
    drawn = keras.ops.convert_to_numpy(keras.random.normal((4,)))
    assert run.path == tmp_path / "tiny" and run.pick(1, 2, 3) == 2 and not run.resumed
    run.finish("Drawn", {})
    again = started(tmp_path, "--seed", "3", "--name", "other", "--resume")
    assert again.path == tmp_path / "other" and again.pick(1, 2, 3) == 1 and again.resumed
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(keras.random.normal((4,))), drawn)


def test_a_dtype_policy_is_an_option_of_those_that_say_so(tmp_path, capsys):
    options = ["--runs", str(tmp_path), "--policy", "mixed_bfloat16"]
    assert Recipe("A recipe.", "recipes/tiny.py", options, policy=True).policy == "mixed_bfloat16"
    with pytest.raises(SystemExit):
        started(tmp_path, *options[2:])
    assert "unrecognized arguments: --policy" in capsys.readouterr().err


def test_what_is_trained_in_the_policy_asked_for_is_measured_in_float32(tmp_path):
    run = Recipe("A recipe.", "recipes/tiny.py", ["--runs", str(tmp_path), "--policy", "mixed_bfloat16"], policy=True)
    trained, measured = run.in_policy(plain)
    assert (trained.dtype_policy.name, measured.dtype_policy.name) == ("mixed_bfloat16", "float32")
    with pytest.raises(ZeroDivisionError):
        run.in_policy(lambda: 1 / 0)
    assert keras.mixed_precision.dtype_policy().name == "float32"


def test_a_fit_is_gone_on_with_part_by_part(tmp_path):
    pytest.importorskip("matplotlib")
    whole, _ = fitted(started(tmp_path / "whole"), 3)
    run = started(tmp_path / "cut")
    fitted(run, 2, part="first")
    run.lock.release()
    resumed = started(tmp_path / "cut", "--resume")
    model, history = fitted(resumed, 3, part="first", curves=False)
    assert history.epoch == [2]
    for ours, theirs in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    _, history = fitted(resumed, 1, part="second")  # which the run that was cut short had not reached
    assert history.epoch == [0]
    assert [p.name for p in (tmp_path / "whole" / "tiny" / "pictures").iterdir()] == ["curves.png"]
    assert {p.name for p in resumed.pictures.iterdir()} == {"curves_first.png", "curves_second.png"}


def test_curves_of_a_finished_run_stay(tmp_path):
    pytest.importorskip("matplotlib")
    run = started(tmp_path)
    fitted(run, 1)
    drawn = (run.pictures / "curves.png").read_bytes()
    run.lock.release()
    _, history = fitted(started(tmp_path, "--resume"), 1)
    assert history.epoch == [] and (run.pictures / "curves.png").read_bytes() == drawn


def test_what_is_published_says_where_it_is_from(tmp_path):
    run = started(tmp_path, "--seed", "7")
    model, _ = fitted(run, 1, curves=False)
    folder = run.publish(model, {"psnr": 12.5}, dataset="noise", licence="CC0-1.0", limits="Noise only.")
    metadata = json.loads((folder / "metadata.json").read_text())
    expected = {"recipe": "recipes/tiny.py", "seed": 7, "metrics": {"psnr": 12.5}, "dataset": "noise"}
    assert expected.items() <= metadata.items() and folder == tmp_path.resolve() / "tiny" / "model"
    x = images(4)
    np.testing.assert_array_equal(keras_vae.load_pretrained(folder).reconstruct(x), model.reconstruct(x))


def test_a_run_of_several_presets_names_each(tmp_path):
    run = started(tmp_path)
    model, _ = fitted(run, 1, curves=False)
    for name in ("one", "two"):
        folder = run.publish(model, {}, part=name, dataset="noise", licence="CC0-1.0")
        assert folder == tmp_path.resolve() / "tiny" / "model" / name
        assert json.loads((folder / "metadata.json").read_text())["name"] == name
