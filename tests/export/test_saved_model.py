"""Where `export_saved_model` writes, what it refuses, and that a failure leaves nothing."""

import importlib.util
import subprocess
import sys

import keras
import numpy as np
import pytest

from harness import images, needs
from keras_vae.export import ExportError, export_saved_model, other_python, saved_model
from keras_vae.export.checked_endpoint import checked_endpoint
from keras_vae.export.saved_model import version_folder
from keras_vae.training.signature import Signature, data_input
from small_models import environment, plain, small

BACKEND = keras.backend.backend()
IN_PROCESS = [needs("tensorflow"), pytest.mark.skipif(BACKEND == "torch", reason="torch exports by another process")]
IN_PROCESS += [] if BACKEND == "tensorflow" else [pytest.mark.cross_backend]


def in_process(test):
    """The marks of a test that writes a SavedModel in this process."""
    for mark in IN_PROCESS:
        test = mark(test)
    return test


@pytest.fixture(scope="module")
def model():
    return small("plain")


@pytest.fixture
def pretend(monkeypatch):
    """Replaces the writing by a file that looks like a SavedModel: for the tests of everything around it."""
    monkeypatch.setattr(saved_model, "_require_tensorflow", lambda: None)

    def write(model, folder, *rest):
        (folder / saved_model.MARK).write_bytes(b"new")

    monkeypatch.setattr(saved_model, "write_and_compare", write)
    monkeypatch.setattr(saved_model, "write_in_other_python", write)


def test_the_path_gets_a_version(tmp_path):
    assert version_folder(tmp_path / "faces", 1) == tmp_path / "faces" / "1"
    assert version_folder(tmp_path / "faces", 12) == tmp_path / "faces" / "12"
    assert version_folder(tmp_path / "faces" / "3", 1) == tmp_path / "faces" / "3"
    assert version_folder(f"{tmp_path}/faces/3/", 1) == tmp_path / "faces" / "3"


@pytest.mark.parametrize("version", [0, -1, 1.5, "1", True])
def test_refuses_a_version_that_is_no_integer(tmp_path, model, version):
    with pytest.raises((ValueError, TypeError), match="`version` must be an integer >= 1. Received: version="):
        export_saved_model(model, tmp_path / "faces", version=version)


@pytest.mark.parametrize("batch_size", [0, -4, 2.5, "8", True])
def test_refuses_a_batch_size_that_no_call_can_have(tmp_path, model, batch_size):
    with pytest.raises((ValueError, TypeError), match="`batch_size` must be an integer >= 1. Received: batch_size="):
        export_saved_model(model, tmp_path / "faces", batch_size=batch_size)
    assert not list(tmp_path.iterdir())


def test_refuses_a_tolerance_of_nothing(tmp_path, model):
    with pytest.raises(ValueError, match="`tolerance` must be a finite number > 0. Received: tolerance=0"):
        export_saved_model(model, tmp_path / "faces", tolerance=0)


def test_refuses_a_model_that_is_not_built(tmp_path):
    with pytest.raises(ValueError, match="`model` must be built"):
        export_saved_model(plain(), tmp_path / "faces")


def test_refuses_a_folder_with_other_things_in_it(tmp_path, model):
    (tmp_path / "2024").mkdir()
    (tmp_path / "2024" / "holiday.jpg").write_bytes(b"beach")
    for overwrite in (False, True):
        with pytest.raises(ValueError, match="`path` must be new, empty or a SavedModel. Received: .*something else"):
            export_saved_model(model, tmp_path / "2024", overwrite=overwrite)
    assert (tmp_path / "2024" / "holiday.jpg").read_bytes() == b"beach"


def test_replaces_a_saved_model_only_when_told_to(tmp_path, model, pretend):
    mark = tmp_path / "faces" / "1" / saved_model.MARK
    mark.parent.mkdir(parents=True)
    mark.write_bytes(b"old")
    with pytest.raises(ValueError, match="`path` must be new unless overwrite=True"):
        export_saved_model(model, tmp_path / "faces")
    assert mark.read_bytes() == b"old"
    assert export_saved_model(model, tmp_path / "faces", overwrite=True) == mark.parent
    assert mark.read_bytes() == b"new"
    assert [path.name for path in mark.parent.parent.iterdir()] == ["1"]


def test_an_interrupted_export_keeps_the_old_one(tmp_path, model, pretend, monkeypatch):
    export_saved_model(model, tmp_path / "faces")

    def broken(model, folder, *rest):
        (folder / "half").write_bytes(b"")
        raise KeyboardInterrupt

    monkeypatch.setattr(saved_model, "write_and_compare", broken)
    monkeypatch.setattr(saved_model, "write_in_other_python", broken)
    with pytest.raises(KeyboardInterrupt):
        export_saved_model(model, tmp_path / "faces", overwrite=True)
    with pytest.raises(KeyboardInterrupt):
        export_saved_model(model, tmp_path / "new" / "faces")
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")) == [
        "faces",
        "faces/1",
        f"faces/1/{saved_model.MARK}",
    ]


def test_says_how_to_install_tensorflow(tmp_path, model, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "tensorflow" else find(name))
    with pytest.raises(ImportError, match=r"keras_vae\[tensorflow\]"):
        export_saved_model(model, tmp_path / "faces")
    assert not list(tmp_path.iterdir())


@in_process
def test_an_export_that_differs_is_removed(tmp_path, model, monkeypatch):
    honest = saved_model.live_answers

    def altered(model, rows):
        answers = honest(model, rows)
        answers["decode/out/images"] = answers["decode/out/images"] + 0.01
        return answers

    monkeypatch.setattr(saved_model, "live_answers", altered)
    with pytest.raises(
        ExportError, match="`decode/images` must equal the live model's to 0.0001. Received: difference"
    ):
        export_saved_model(model, tmp_path / "faces")
    assert not list(tmp_path.iterdir())
    export_saved_model(model, tmp_path / "faces", tolerance=0.1)  # a difference that the caller accepts
    assert (tmp_path / "faces" / "1" / saved_model.MARK).is_file()


@in_process
def test_weights_that_are_not_finite_are_not_exported(tmp_path):
    model = small("plain")
    last = model.trainable_variables[-1]  # after the last relu, which may turn NaN into zero
    last.assign(np.full(last.shape, np.nan, "float32"))
    with pytest.raises(ExportError, match="Received: difference nan"):
        export_saved_model(model, tmp_path / "faces")


@in_process
def test_a_model_that_cannot_be_traced_is_named(tmp_path, model, monkeypatch):
    def encode(images):
        raise TypeError("this layer needs to know its batch")

    served = {"encode": Signature(encode, {"images": data_input((8, 8, 1))})}
    monkeypatch.setattr(type(model), "signatures", lambda self: served)
    monkeypatch.setattr(saved_model, "live_answers", lambda model, rows: {})
    message = "`encode` cannot be traced for any number of rows: .*needs to know its batch.*fixed `batch_size` may help"
    with pytest.raises(ExportError, match=message):
        export_saved_model(model, tmp_path / "faces")
    assert not list(tmp_path.iterdir())


@in_process
def test_a_fixed_batch_size(tmp_path, model):
    import tensorflow as tf

    folder = export_saved_model(model, tmp_path / "faces", batch_size=4)
    encode = tf.saved_model.load(str(folder)).signatures["encode"]
    assert encode.structured_input_signature[1]["images"].shape == (4, 8, 8, 1)
    np.testing.assert_allclose(encode(images=images(4))["z"], model.encode(images(4)), atol=1e-5)
    with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError)):
        encode(images=images(3))


@in_process
def test_a_checked_endpoint_refuses_what_its_limits_exclude():
    import tensorflow as tf

    spec = keras.InputSpec(shape=(None, 2), dtype="float32", name="codes")
    limits = {"interval": (0.0, 255.0), "whole": True, "reason": "bytes"}
    endpoint = checked_endpoint(tf.function(lambda codes: 2 * codes), [spec], [limits])
    np.testing.assert_array_equal(endpoint(np.array([[0, 255]], "float32")), [[0, 510]])
    for value, message in {
        0.5: "`codes` must hold whole numbers. Received:. .fractions",
        256: r"`codes` must be in \[0, 255\] for bytes. Received:. .values from. .1. .to. .256",
        -1: r"`codes` must be in \[0, 255\] for bytes. Received:. .values from. .-1. .to. .1",
        np.inf: "`codes` must be finite. Received:. .NaN or infinity",
    }.items():
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            endpoint(np.array([[1, value]], "float32"))


@in_process
def test_export_is_a_method_and_half_precision_passes(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small("plain")
        folder = model.export(tmp_path / "half" / "7")
    finally:
        keras.config.set_dtype_policy("float32")
    assert folder == tmp_path / "half" / "7"
    assert sorted(path.name for path in folder.iterdir() if path.name != "assets") == [
        "fingerprint.pb",
        "saved_model.pb",
        "variables",
    ]


def test_another_python_that_fails_says_why(tmp_path, model):
    with pytest.raises(ExportError, match="did not run: .*no_such_python"):
        other_python.write_in_other_python(model, tmp_path, {}, None, 1e-4, python="/no_such_python")
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho 'ModuleNotFoundError: tensorflow' >&2\nexit 3\n")
    script.chmod(0o755)
    with pytest.raises(ExportError, match="failed: ModuleNotFoundError: tensorflow"):
        other_python.write_in_other_python(model, tmp_path, {}, None, 1e-4, python=str(script))


@needs("tensorflow")
@pytest.mark.slow
def test_the_command_line_exports_a_keras_file(tmp_path, model):
    model.save(tmp_path / "model.keras")
    command = [sys.executable, "-m", "keras_vae.export", str(tmp_path / "model.keras"), str(tmp_path / "faces")]
    done = subprocess.run(
        command, env=environment("tensorflow"), capture_output=True, text=True, timeout=170, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "written, loaded again and compared" in done.stdout
    assert (tmp_path / "faces" / "1" / saved_model.MARK).is_file()
