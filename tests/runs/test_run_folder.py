"""Run folders, tables, curves and whole files."""

import json

import numpy as np
import pytest
from keras import ops

from keras_vae.reports import curves, table, write_json, written_whole
from keras_vae.runs import RunFolder
from processes import holder


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "note.txt"
    with written_whole(path) as temporary:
        temporary.write_text("first")
        assert not path.exists() and temporary.suffix == ".txt"
    with pytest.raises(RuntimeError), written_whole(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "first"
    assert [p.name for p in path.parent.iterdir()] == ["note.txt"]


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "none.txt"):
        pass


def test_json_takes_numpy_and_tensors_and_has_no_nan(tmp_path):
    value = {
        "a": np.float32(0.5),
        "b": np.arange(2),
        "c": ops.convert_to_tensor([1.0, 2.0]),
        "d": float("nan"),
        3: None,
    }
    write_json(tmp_path / "m.json", value)
    text = (tmp_path / "m.json").read_text()
    assert json.loads(text) == {"a": 0.5, "b": [0, 1], "c": [1.0, 2.0], "d": None, "3": None} and "NaN" not in text


def test_json_refuses_what_it_cannot_hold_and_keeps_the_old_file(tmp_path):
    write_json(tmp_path / "m.json", {"a": 1})
    with pytest.raises(TypeError, match=r"`value\['a'\]` must hold numbers"):
        write_json(tmp_path / "m.json", {"a": object()})
    assert json.loads((tmp_path / "m.json").read_text()) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["m.json"]


def test_run_folder_gathers_metrics_and_pictures(tmp_path):
    run = RunFolder("vae_mnist", root=tmp_path)
    run.save_metrics({"nll": 90.0, "bar": 87.0})
    run.save_metrics({"nll": np.float32(86.5)})
    assert json.loads((tmp_path / "vae_mnist" / "metrics.json").read_text()) == {"nll": 86.5, "bar": 87.0}
    pytest.importorskip("PIL")
    path = run.save_image("samples", np.zeros((4, 6, 1), "float32"))
    assert path == tmp_path / "vae_mnist" / "pictures" / "samples.png" and path.read_bytes()[:4] == b"\x89PNG"


def test_metrics_that_cannot_be_written_are_not_kept(tmp_path):
    run = RunFolder("r", root=tmp_path)
    with pytest.raises(TypeError):
        run.save_metrics({"bad": object()})
    run.save_metrics({"good": 1})
    assert json.loads(run.metrics_file.read_text()) == {"good": 1}


def test_finish_prints_the_table_and_every_file(tmp_path, capsys):
    run = RunFolder("r", root=tmp_path)
    run.save_metrics({"nll": 86.76})
    (run.checkpoint).mkdir()
    (run.checkpoint / "weights.h5").write_bytes(b"0")
    run.finish("Test set", {"NLL (nats)": 86.764321, "images": 10000, "bar met": True, "seed": None})
    said = capsys.readouterr().out
    for expected in ("Test set", "86.76", "10,000", "yes", "-", "metrics.json", str(tmp_path / "r")):
        assert expected in said
    assert "weights.h5" not in said and "86.764" not in said


def test_a_fresh_run_goes_on_from_nothing_of_an_earlier_one(tmp_path, capsys):
    """Parts that it has not reached when it is killed have no checkpoint either."""
    for said in ("", "is set aside until"):
        run = RunFolder("r", root=tmp_path)
        assert said in capsys.readouterr().out
        assert not run.checkpoint.exists()
        (run.checkpoint / "second part").mkdir(parents=True)
        (run.checkpoint / "second part" / "checkpoint.json").write_text("{}")
    resumed = RunFolder("r", root=tmp_path, resumed=True)
    assert "set aside" not in capsys.readouterr().out
    assert (resumed.checkpoint / "second part" / "checkpoint.json").exists()
    assert (resumed.replaced / "second part" / "checkpoint.json").exists()  # until the run is whole
    resumed.finish("Test set", {})
    assert not resumed.replaced.exists() and ".lock" not in capsys.readouterr().out


def test_a_second_process_in_a_run_folder_is_told(tmp_path):
    (tmp_path / "r").mkdir()
    with holder(tmp_path / "r") as other, pytest.raises(BlockingIOError, match=f"'process {other.pid} of "):
        RunFolder("r", root=tmp_path)
    RunFolder("r", root=tmp_path)  # the other one was killed


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a"])
def test_run_folder_wants_a_plain_name(name, tmp_path):
    with pytest.raises(ValueError, match="`name` must be one folder name"):
        RunFolder(name, root=tmp_path)


def test_table_of_dicts_has_a_column_per_key(capsys):
    table([{"model": "VAE", "psnr": 22.11111}, {"model": "VQ-VAE", "codes": np.int64(512)}], "CelebA")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].strip() == "CelebA"
    assert [line.split() for line in lines if "VAE" in line] == [["VAE", "22.11", "-"], ["VQ-VAE", "-", "512"]]
    assert any(line.split() == ["model", "psnr", "codes"] for line in lines)


def test_table_of_sequences_needs_headings(capsys):
    table([(1, 2.5)], columns=("a", "b"))
    assert "2.5" in capsys.readouterr().out
    with pytest.raises(ValueError, match="`columns` must be given"):
        table([(1, 2)])
    with pytest.raises(ValueError, match="`rows` must have 2 values each"):
        table([(1, 2, 3)], columns=("a", "b"))


def test_curves_draw_one_panel_per_quantity(tmp_path):
    pytest.importorskip("matplotlib")
    one = curves({"loss": [3.0, 2.0], "val_loss": [3.1, 2.2]})
    three = curves({"loss": [3.0, 2.0], "rate": [1.0, 2.0], "elbo": [-4.0, -3.0]}, path=tmp_path / "curves.png")
    assert one.dtype == np.uint8 and one.shape[0] == three.shape[0] and abs(three.shape[1] - 3 * one.shape[1]) <= 2
    pil = pytest.importorskip("PIL.Image")
    np.testing.assert_array_equal(np.asarray(pil.open(tmp_path / "curves.png")), three)


def test_curves_take_a_history_and_chosen_keys():
    pytest.importorskip("matplotlib")

    class History:
        history = {"loss": [3.0, 2.0], "val_loss": [2.5], "rate": [1.0, 2.0]}

    chosen = curves(History(), keys=["loss"])
    np.testing.assert_array_equal(chosen, curves({"loss": [3.0, 2.0], "val_loss": [2.5]}))
    assert not np.array_equal(chosen, curves({"loss": [3.0, 2.0]}))  # the validation point is drawn
    with pytest.raises(ValueError, match="`keys` must be among loss, rate. Received: 'elbo'"):
        curves(History(), keys=["elbo"])
    with pytest.raises(ValueError, match="`history` must hold at least one epoch"):
        curves({})


def test_names_in_the_first_column_are_not_folded(capsys):
    name = "a_name_to_be_copied_whole_00001"
    table([{"preset": name, **{f"column {i}": "unbroken" * 9 for i in range(6)}}])
    assert name in capsys.readouterr().out
