"""Each crafted attack is refused, with an error that says what is wrong and that a terminal can print."""

import os
import threading

import keras
import numpy as np
import pytest

import keras_vae
from cases import CASES
from fuzz_presets import SLOW
from hostile_presets import ATTACKS, craft, edit
from keras_vae import PresetError, load_pretrained, save_pretrained
from keras_vae._backend import SymbolicOnly
from keras_vae._backend.unallocated import OverBudgetError, unallocated
from keras_vae.core.registration import REGISTRY
from keras_vae.presets import allow_list, building, pretrained_metadata
from small_models import facts

FOREIGN = "only keras_vae's classes and plain Keras .* Received: class_name='TFSMLayer'"
STORED = "vars/0 is stored in chunks, compressed or elsewhere"
LARGER = "declares more than the file holds"
BUDGET = "it has more than 518 weights, or more than 4,198,792 numbers in them"
MESSAGES = {
    **{name: FOREIGN for name in ATTACKS if name.startswith("TFSMLayer")},
    "chunks never written": STORED,
    "a block never written": rf"vars/0 of shape \(1000000000,\) {LARGER}",
    "chunks of zeros": STORED,
    "a fill value": STORED,
    "external storage": STORED,
    "one block for many arrays": rf"a[0-9]+ of shape \(64, 16\) {LARGER}",
    "a virtual array": STORED,
    "a link to a file": "vars/0 is a link",
    "a soft link": "vars/0 is a link",
    "a link to itself": "vars/0 is a link",
    "a group in itself": "vars/0 is another name of an earlier item",
    "a type": "vars/0 is a Datatype",
    "text": "holds object, not numbers",
    "references": "holds object, not numbers",
    "records": "'b', '<f4'.*, not numbers",
    "complex numbers": "holds complex64, not numbers",
    "integers": r"does not fit the model .*vars/0 is \(64, 16\) integers, expected \(64, 16\) floats",
    "another rank": r"vars/0 is \(64, 16, 1\) floats, expected \(64, 16\) floats",
    "a large attribute": "encoder has an attribute of 64000 bytes",
    "many groups": "it has more than 20000 items",
    "deep groups": "lies deeper than 100 groups",
    "a name that turns a terminal red": r"one of its names is '\\x1b\[31m'",
    "NaN": "the model must have finite weights. Received: NaN or infinity in 'mlp_encoder.*/dense_0/kernel'",
    "infinity": "the model must have finite weights",
    "10^9 outputs": BUDGET,
    "10^9 outputs of Keras": BUDGET,
    "10^9 embeddings": BUDGET,
    "10^12 pixels": BUDGET,
    "20,000 layers": "must describe at most 2000 layers. Received: 200[0-9]{2}",
    "20,000 units": "must describe at most 2000 layers. Received: 200[0-9]{2}",
    "1,000,000 residual blocks": "must describe at most 2000 layers. Received: 10000[0-9]{2}",
    "text of 10^8 characters": "`dtype` must be .*of numbers. Received: 'U100000000'",
    "a loop over time": "`unroll` must be false, for it has no bound. Received: True",
    "a layer for each of 10^6 times": "only keras_vae's classes .* Received: class_name='TimeDistributed'",
    "a table of 10^12 numbers": "only keras_vae's classes .* Received: class_name='MelSpectrogram'",
    "no shape": "config.json must describe a model with its `build_config`",
    "a shape of unknown sizes": r"`input_shape` must be \(None, ...\) with known sizes",
    "another image shape": r"`data_shape` must be \[8, 8, 1\]. Received: \[28, 28, 1\]",
    "deep config": "at most 100 levels of lists and objects in each other",
    "deeper config": "is not valid JSON",
    "lists upon lists": "at most 300000 values",
    "long keys on the way": "at most 300000 values",
    "not UTF-8": "config.json is not valid JSON: 'utf-8' codec",
    "half a character": r"text without control characters. Received: '\\ud800'",
    "a number of 10,000 digits": "config.json is not valid JSON",
    "a number of 3,000 digits": "integers of at most 64 bits. Received: 9966 bits",
    "a name that clears the screen": r"text without control characters. Received: '\\x1b\[2J\\x07'",
    "a licence that clears the screen": r"metadata.json must hold text without control .* '\\x1b\[2J'",
    "NaN among the metrics": "metadata.json must hold finite numbers. Received: nan",
    "a licence of 10^6 characters": "strings of at most 10000 characters. Received: 1000000",
}


@pytest.mark.parametrize("attack", [name for name in ATTACKS if name not in SLOW])
def test_an_attack(folder, attack):
    craft(attack, folder)
    with pytest.raises(PresetError, match=MESSAGES.get(attack, "tiny")) as caught:
        load_pretrained(folder)
    message = str(caught.value)
    assert len(message) <= 2000
    assert all(char.isprintable() or char in "\n\t" for char in message)


def test_an_error_is_bounded_and_printable():
    assert str(PresetError("a\x1b[1mbold\x1b[0m\nb\x1b]0;title\x07\u202e")) == "abold\nb\\x1b]0;title\\x07\\u202e"
    assert len(str(PresetError("\x00" * 10**6))) == 2000


class TestFiles:
    @pytest.mark.parametrize("name", ["metadata.json", "config.json", "model.weights.h5"])
    @pytest.mark.parametrize("device", ["/dev/zero", "/dev/null"])
    def test_a_link_to_a_device(self, folder, name, device):
        (folder / name).unlink()
        (folder / name).symlink_to(device)
        with pytest.raises(PresetError, match=f"{name} must be a regular file, no folder, device or pipe"):
            load_pretrained(folder)

    @pytest.mark.parametrize("name", ["metadata.json", "config.json", "model.weights.h5"])
    def test_a_pipe_and_a_folder(self, folder, name):
        (folder / name).unlink()
        os.mkfifo(folder / name)  # to open one for reading waits for somebody who writes
        with pytest.raises(PresetError, match=f"{name} must be a regular file"):
            load_pretrained(folder)
        (folder / name).unlink()
        (folder / name).mkdir()
        with pytest.raises(PresetError, match=f"{name} must be a regular file"):
            load_pretrained(folder)

    def test_a_file_without_an_end(self, folder):
        """Files of the system say that they have no bytes, and have some."""
        (folder / "config.json").unlink()
        (folder / "config.json").symlink_to("/proc/self/maps")
        with pytest.raises(PresetError, match="config.json is truncated or was changed: 0 bytes"):
            load_pretrained(folder)

    def test_what_was_verified_is_what_is_opened(self, folder, monkeypatch):
        """Another model's files in place of the verified ones, after the hashes and before the build."""
        expected = keras.ops.convert_to_numpy(load_pretrained(folder).weights[0])
        honest = building.weights_layout

        def swapped(path, where):
            for name in ("config.json", "model.weights.h5"):
                (folder / name).write_bytes(b"swapped")
            return honest(path, where)

        monkeypatch.setattr(building, "weights_layout", swapped)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(load_pretrained(folder).weights[0]), expected)


class TestMetadata:
    @pytest.mark.parametrize("value", [{}, True, ["a"], -1.5])
    @pytest.mark.parametrize("name", ["name", "licence", "data_shape", "latent_shape", "parameter_count", "metrics"])
    def test_a_field_of_the_wrong_type(self, folder, name, value):
        if (name, value) == ("metrics", {}):
            value = None
        edit(folder / "metadata.json", lambda metadata: metadata.update({name: value}))
        with pytest.raises(PresetError, match=f"metadata.json: `{name}` must be a"):
            pretrained_metadata(folder)


def sized(cls, arguments, x):
    """How many weights an object of `cls` has, or None where these arguments make none."""
    try:
        layer = cls(**arguments)
        direct = isinstance(layer, (keras.Model, keras_vae.priors.Prior))  # whose `build` needs no call
        layer.build((None, *x.shape[1:])) if direct else layer(keras.KerasTensor(x.shape))
    except (ValueError, NotImplementedError):
        return None
    return len(layer.weights)


OF_ONE_INPUT = [name for name in CASES if not isinstance(CASES[name].x, (tuple, dict))]


@pytest.mark.parametrize("name", [name for name in OF_ONE_INPUT if "net" not in CASES[name].arguments()])
def test_an_argument_that_makes_layers_is_counted(name):
    case, cls = CASES[name], REGISTRY[name]
    for key, value in case.arguments().items():
        if type(value) is int and key not in ("seed", *allow_list.COUNTS):
            more = sized(cls, case.arguments() | {key: value + 1}, case.x)
            assert more in (None, sized(cls, case.arguments(), case.x)), f"`{key}` belongs to `allow_list.COUNTS`"


class TestBudget:
    def test_what_is_refused_gets_no_memory_then_or_later(self):
        layer = keras.layers.Layer()
        with pytest.raises(OverBudgetError, match="more than 10 weights, or more than 100 numbers"):
            with unallocated(100, 10, 10):
                weight = layer.add_weight((10, 10))
                layer.add_weight((1,))
        with keras.StatelessScope():  # whose end initializes what waits for it
            pass
        assert weight._value is None

    def test_an_error_of_the_block_leaves_nothing_behind_either(self):
        with pytest.raises(KeyError), unallocated(100, 10, 10):
            layer = keras.layers.Dense(1)
            layer.build((None, 1))
            raise KeyError
        with keras.StatelessScope():
            pass
        assert layer.kernel._value is None

    def test_a_swallowed_refusal_is_told_at_the_end(self):
        with pytest.raises(OverBudgetError, match="more than 3 layers"), unallocated(100, 10, 3):
            for _ in range(9):
                try:
                    keras.layers.Flatten()
                except OverBudgetError:
                    pass

    def test_within_it_a_model_is_as_ever(self):
        keras.utils.set_random_seed(0)
        plain = keras.layers.Dense(3)
        plain.build((None, 2))
        keras.utils.set_random_seed(0)
        with unallocated(100, 10, 10), SymbolicOnly():
            counted = keras.layers.Dense(3)
            counted.build((None, 2))
        np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(layer.kernel) for layer in (plain, counted)))

    def test_a_loaded_model_saves_again(self, folder, tmp_path):
        again = save_pretrained(load_pretrained(folder), tmp_path / "again", **facts())
        assert (again / "config.json").read_bytes() == (folder / "config.json").read_bytes()

    def test_threads_do_not_share_a_budget(self, folder):
        models = []
        with unallocated(0, 0, 0):
            thread = threading.Thread(target=lambda: models.append(load_pretrained(folder)))
            thread.start()
            thread.join()
        assert models[0].built

    @pytest.mark.skipif(keras.backend.backend() != "torch", reason="the others trace in one way")
    def test_layers_that_torch_traces_on_data(self, tmp_path):
        """Keras's own trace of them fails on the "meta" device: they are traced on fake data and not refused."""
        layers = [keras.layers.UpSampling2D(), keras.layers.Flatten(), keras.layers.RepeatVector(5)]
        encoder = keras.Sequential([*layers, keras.layers.GRU(4), keras.layers.Dense(3)])
        model = keras_vae.PlainAutoencoder(encoder, keras_vae.MLPDecoder((8, 8, 1), (4,)))
        model.build((None, 8, 8, 1))
        copy = load_pretrained(save_pretrained(model, tmp_path / "tiny", **facts()))
        for ours, theirs in zip(model.weights, copy.weights, strict=True):
            np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(weight.value) for weight in (ours, theirs)))
