"""Every way a preset's folder can be wrong is refused with one error that says what is wrong."""

import inspect
import json
import shutil

import keras
import numpy as np
import pytest

from keras_vae import PresetError, load_pretrained, save_pretrained
from keras_vae.presets import allow_list, loading
from small_models import facts, reseal, small

FILES = ["config.json", "metadata.json", "model.weights.h5"]


def edit(path, change):
    """Applies `change` to the object of a JSON file; what it returns, if anything, takes its place."""
    value = json.loads(path.read_text())
    value = change(value) or value
    path.write_text(json.dumps(value))


def refused(folder, message):
    with pytest.raises(PresetError, match=message):
        load_pretrained(folder)


def test_the_original_loads(folder):
    assert load_pretrained(folder).latent_shape == (3,)
    assert issubclass(PresetError, ValueError)


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
@pytest.mark.parametrize("place", [0, 0.5, -1])
def test_a_flipped_bit(folder, name, place):
    content = bytearray((folder / name).read_bytes())
    content[int(place * len(content)) if place != -1 else -1] ^= 1
    (folder / name).write_bytes(content)
    refused(folder, f"{name} is damaged: its SHA-256 is [0-9a-f]{{64}}, [0-9a-f]{{64}} expected")


@pytest.mark.parametrize("name", ["config.json", "model.weights.h5"])
def test_a_truncated_file(folder, name):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-100])
    refused(folder, f"{name} is truncated or was changed: {len(content) - 100} bytes, {len(content)} expected")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    refused(folder, f"{name} is missing")


def test_hashes_come_before_opening(folder, monkeypatch):
    opened = []
    monkeypatch.setattr(loading, "read_json", lambda path: opened.append(path))
    monkeypatch.setattr(keras.Model, "load_weights", lambda self, path: opened.append(path))
    (folder / "model.weights.h5").write_bytes(b"x")
    refused(folder, "truncated or was changed")
    assert not opened


@pytest.mark.parametrize("name", ["metadata.json", "config.json"])
@pytest.mark.parametrize("content", ["{", "", "\udcff", "[1]", "[" * 100_000])
def test_bad_json(folder, name, content):
    (folder / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    if name == "config.json":
        reseal(folder)
    refused(folder, f"{name} (is not valid JSON|must hold a JSON object. Received: list)")


def test_a_huge_json(folder, monkeypatch):
    monkeypatch.setattr("keras_vae.presets.metadata.JSON_BYTES", 100)
    refused(folder, "metadata.json must be at most 100 bytes. Received:")


@pytest.mark.parametrize("schema", [3, 10**9])
def test_a_newer_schema(folder, schema):
    edit(folder / "metadata.json", lambda metadata: metadata.update(schema=schema))
    refused(folder, f"made by a newer keras_vae .schema {schema}, .*upgrade keras_vae")


@pytest.mark.parametrize("schema", [None, 0, "1", True, 1.0])
def test_no_schema(folder, schema):
    edit(folder / "metadata.json", lambda metadata: metadata.update(schema=schema))
    refused(folder, "`schema` must be an integer in .1, 2.. Received: schema=")


@pytest.mark.parametrize(
    "name",
    ["../secret", "/etc/passwd", "sub/model.weights.h5", "..\\secret", "C:\\secret", "", "model.pkl", "config.json "],
)
def test_a_file_outside_the_folder(folder, name):
    entry = {"sha256": "0" * 64, "bytes": 1}
    edit(folder / "metadata.json", lambda metadata: metadata["files"].update({name: entry}))
    refused(folder, "`files` may name config.json, model.weights.h5 and nothing else. Received: ")


@pytest.mark.parametrize("files", [None, [], "config.json", {}])
def test_no_hashes(folder, files):
    edit(folder / "metadata.json", lambda metadata: metadata.update(files=files))
    refused(folder, "`files` must (map|have)")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (None, "`sha256` must be 64 hexadecimal digits. Received: None"),
        ({"bytes": 1}, "`sha256` must be 64 hexadecimal digits. Received: None"),
        ({"sha256": "d41d8cd98f00b204e9800998ecf8427e", "bytes": 1}, "`sha256` must be 64 hexadecimal digits"),
        ({"sha256": "0" * 64, "bytes": "1"}, "`bytes` must be an integer >= 0. Received: '1'"),
        ({"sha256": "0" * 64, "bytes": True}, "`bytes` must be an integer >= 0. Received: True"),
    ],
)
def test_a_hash_that_is_none(folder, entry, message):
    edit(folder / "metadata.json", lambda metadata: metadata["files"].update({"config.json": entry}))
    refused(folder, message)


DENSE = {"module": "keras.layers", "class_name": "Dense", "config": {"units": 3}, "registered_name": None}
FOREIGN = {
    "plain keras at the top": DENSE,
    "unknown class of ours": {"class_name": "Trojan", "registered_name": "keras_vae>Trojan", "config": {}},
    "other package": {"class_name": "VAE", "registered_name": "other>VAE", "config": {}},
    "our name, another class": {"class_name": "Dense", "registered_name": "keras_vae>VAE", "config": {}},
    "no class": {"config": {}},
}


@pytest.mark.parametrize("config", FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_class_at_the_top(folder, config):
    edit(folder / "config.json", lambda _: config)
    reseal(folder)
    refused(folder, "the model must be one of keras_vae's classes. Received: registered_name=")


NESTED = {
    "lambda": {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "relu"}},
    "marshalled code": {"class_name": "__lambda__", "config": {"value": ["4wEAAAA=", None, None]}},
    "saved model": {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "/tmp/evil"}},
    "file reader": {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
    "registered elsewhere": {"module": None, "class_name": "Evil", "config": {}, "registered_name": "evil>Evil"},
    "registered as a layer": {**DENSE, "registered_name": "evil>Evil"},
    "function": {"module": "builtins", "class_name": "function", "config": "load_model", "registered_name": "function"},
    "function of keras": {
        "module": "keras.utils",
        "class_name": "get_file",
        "config": {"origin": "file:///etc/passwd"},
    },
    "dotted name": {"module": "keras", "class_name": "utils.get_file", "config": {}},
    "function as a layer": {"module": "keras", "class_name": "Function", "config": {}},
    "not a layer": {"module": "keras.layers", "class_name": "deserialize", "config": {}},
    "private module": {"module": "keras.src.utils.file_utils", "class_name": "Progbar", "config": {}},
    "any module": {"module": "subprocess", "class_name": "Popen", "config": {"args": "id"}},
    "type spec": {"class_name": "__typespec__", "config": [], "spec_name": "TensorSpec", "module": "tf"},
    "no string": {"module": "keras.layers", "class_name": ["Dense"], "config": {}},
}


@pytest.mark.parametrize("config", NESTED.values(), ids=NESTED)
@pytest.mark.parametrize("depth", ["argument", "deep"])
def test_a_foreign_class_inside(folder, config, depth):
    def plant(whole):
        if depth == "argument":
            whole["config"]["encoder"] = config
        else:
            whole["config"]["encoder"]["config"]["extra"] = [{"layers": [DENSE, config]}]

    edit(folder / "config.json", plant)
    reseal(folder)
    refused(folder, r"config.json\.config\.encoder.*only keras_vae's classes and plain Keras .* Received: class_name=")


def test_layers_that_run_or_read_what_the_config_names_are_all_refused():
    suspicious = {
        "function",
        "fn",
        "call_fn",
        "init_fn",
        "filepath",
        "module",
        "vocabulary",
        "callable",
        "path",
        "file",
    }
    for name, cls in vars(keras.layers).items():
        if inspect.isclass(cls) and suspicious & set(inspect.signature(cls.__init__).parameters):
            assert name in allow_list.REFUSED, f"keras.layers.{name} takes {inspect.signature(cls.__init__)}"


def test_a_compile_config_is_left_alone(folder):
    evil = {"optimizer": {"module": "subprocess", "class_name": "Popen", "config": {}}}

    def plant(whole):
        whole["compile_config"] = evil
        whole["config"]["encoder"]["compile_config"] = evil

    edit(folder / "config.json", plant)
    reseal(folder)
    assert not load_pretrained(folder).compiled


def test_arguments_that_the_class_refuses(folder):
    edit(folder / "config.json", lambda config: config["config"]["encoder"]["config"].update(units=[-1]))
    reseal(folder)
    refused(folder, "config.json cannot be made into a model .saved with keras .*`units.0.` must be an integer >= 1")


def test_a_config_without_shapes(folder):
    edit(folder / "config.json", lambda config: config.pop("build_config") and None)
    reseal(folder)
    refused(folder, "must describe a model with its `build_config`")


def test_weights_of_another_model(folder, tmp_path):
    other = save_pretrained(small("vae"), tmp_path / "other", **facts())
    shutil.copy(other / "model.weights.h5", folder)
    reseal(folder)
    refused(folder, "model.weights.h5 does not fit the model of config.json .saved with keras")


def test_weights_of_another_size(folder):
    def widen(config):
        config["config"]["encoder"]["config"]["units"] = [17, 3]

    count = json.loads((folder / "metadata.json").read_text())["parameter_count"]
    edit(folder / "config.json", widen)
    reseal(folder)
    refused(folder, f"the model has {count + 65 + 3} parameters, metadata.json says parameter_count={count}")
    edit(folder / "metadata.json", lambda metadata: metadata.update(parameter_count=count + 68))
    place = r"encoder/parts/dense/vars/0 is \(64, 16\) floats, expected \(64, 17\) floats; "
    refused(folder, f"model.weights.h5 does not fit the model of config.json .saved with keras .*: {place}")


def test_weights_that_are_no_weights(folder):
    (folder / "model.weights.h5").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")  # a pickle
    reseal(folder)
    refused(folder, "model.weights.h5 is not a file of weights as Keras saves them: .*file signature not found")
    np.savez(folder / "model.weights.h5.npz", x=np.ones(3))
    shutil.move(folder / "model.weights.h5.npz", folder / "model.weights.h5")
    reseal(folder)
    refused(folder, "model.weights.h5 is not a file of weights as Keras saves them")
