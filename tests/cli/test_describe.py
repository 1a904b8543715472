"""list, info, help, version, and what is said to a wrong command or a wrong name."""

import json
import runpy
import shutil
import sys

import keras
import pytest

import keras_vae
from keras_vae.cli import main


def test_list_shows_each_preset_in_a_row(run):
    out, _ = run("list")
    rows = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert [name for name in rows if name in ("codes", "digits", "plain")] == ["codes", "digits", "plain"]
    for part in ("VAE", "8x8x1", "3", "nll 80.5", "CC0-1.0", "MB"):
        assert part in rows["digits"]
    assert "vq.psnr 21.5" in rows["codes"] and "4x4" in rows["codes"]
    assert "PlainAutoencoder" in rows["plain"]


def test_list_as_json_is_list_pretrained(run):
    assert json.loads(run("list --json")[0]) == keras_vae.list_pretrained()


def test_list_of_nothing_says_where_it_looked(run, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_VAE_SAVED_MODELS", str(tmp_path / "empty"))
    assert str(tmp_path / "empty") in run("list")[0]


def test_info_tells_all_of_the_metadata(run, metadata):
    out, _ = run("info digits")
    for entry in metadata("digits")["files"].values():
        assert entry["sha256"] in out and f"{entry['bytes']:,}" in out
    for part in ("Eights.", "tests", "noise", "CC0-1.0", "80.5", "12 values", "8x8x1", keras.__version__):
        assert part in out
    assert "bits" not in out


def test_info_of_codes_tells_bits_and_ratio(run, metadata):
    out, _ = run("info codes")
    assert "bits per image" in out and "compression ratio" in out
    told = json.loads(run("info codes --json")[0])
    assert told["bits_per_image"] == 16 * 4 and told["compression_ratio"] == 8 * 64 / 64  # 4x4 codes of 16
    assert told["codebook"] == [16, 4]
    assert {key: told[key] for key in metadata("codes")} == metadata("codes")


def test_info_finds_damage(refused, shelf, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in (shelf / "plain").iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    (copy / "model.weights.h5").write_bytes(b"x" + (copy / "model.weights.h5").read_bytes()[1:])
    assert "SHA-256" in refused("info copy")


@pytest.mark.parametrize("command", ["list", "list --json", "info red", "info red --json"])
def test_a_file_gives_the_terminal_no_orders(refused, shelf, tmp_path, monkeypatch, command):
    shutil.copytree(shelf / "plain", tmp_path / "red")
    path = tmp_path / "red" / "metadata.json"
    path.write_text(path.read_text().replace("CC0-1.0", "\\u001b[31m"))
    monkeypatch.setenv("KERAS_VAE_SAVED_MODELS", str(tmp_path))
    told = refused(command)
    assert r"text without control characters. Received: '\x1b[31m'" in told and "\x1b" not in told


@pytest.mark.parametrize("name", ["runs/colour", "runs/colour/", "runs/colour/model"])
def test_a_run_is_named_by_its_folder(run, name):
    told = json.loads(run(f"info {name} --json")[0])
    assert told["data_shape"] == [16, 12, 3]


def test_a_preset_comes_before_a_folder_of_its_name(run, tmp_path, shelf):
    (tmp_path / "digits").mkdir()
    assert json.loads(run("info digits --json")[0])["folder"] == str(shelf / "digits")


@pytest.mark.parametrize(
    ("name", "meant"), [("digit", "'digits'"), ("colour", "'runs/colour'"), ("saved/codse", "'codes'")]
)
def test_an_unknown_name_is_answered_with_close_ones(refused, name, meant):
    told = refused(f"info {name}")
    assert repr(name) in told and f"Did you mean {meant}?" in told


def test_an_unknown_name_without_close_ones_is_answered_with_all(refused):
    assert "Presets: codes, digits, plain, runs/colour." in refused("sample zzzzzz")


def test_a_run_without_a_model_says_so(refused):
    assert "model/metadata.json" in refused("sample runs/unfinished")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("sampel digits", "Did you mean 'sample'?"),
        ("--debug neighbors digits", "Did you mean 'neighbours'?"),
        ("qqq", "The commands are list, info, "),
        ("", "a command is needed: list, info, "),
        ("sample", "required: NAME"),
        ("sample digits -n many", "invalid int value: 'many'"),
        ("list --jsn", "unrecognized arguments: --jsn"),
    ],
)
def test_wrong_arguments(refused, line, told):
    assert told in refused(line)


def test_help_names_every_command(run):
    out, err = run("--help")
    for command in ("list", "info", "sample", "reconstruct", "traverse", "neighbours", "evaluate", "export"):
        assert f"\n  {command} " in out
    assert err == ""


@pytest.mark.parametrize("command", ["sample", "evaluate", "export", "neighbours"])
def test_help_of_a_command_shows_its_defaults(run, command):
    out, _ = run(f"{command} --help")
    assert f"usage: keras-vae {command}" in out and "default: None" not in out
    assert command != "sample" or ("(default: samples.png)" in out and "(default: 0)" in out)


def test_the_module_is_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["keras-vae", "--version"])
    with pytest.raises(SystemExit) as left:
        runpy.run_module("keras_vae", run_name="__main__")
    assert left.value.code == 0
    told = f"keras_vae {keras_vae.__version__}, keras {keras.__version__} on {keras.backend.backend()}\n"
    assert capsys.readouterr().out == told


def test_debug_shows_the_traceback(capsys):
    for line in (["--debug", "sample", "nothing"], ["sample", "nothing", "--debug"]):
        with pytest.raises(keras_vae.PresetError, match="nothing"):
            main(line)
    assert capsys.readouterr().err == ""


def test_a_bug_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr("keras_vae.cli.draw.load_generator", lambda name: {}["bug"])
    with pytest.raises(KeyError, match="bug"):
        main(["sample", "digits"])


def test_an_interrupt_is_no_error(monkeypatch, capsys):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("keras_vae.cli.draw.load_generator", interrupted)
    assert main(["sample", "digits"]) == 130
    assert capsys.readouterr() == ("", "")
