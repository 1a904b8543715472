"""What the README says is so: its commands, names, paths and code."""

import pathlib
import re
import shlex
import tomllib

import pytest

import keras_vae
from keras_vae.cli.parser import COMMANDS, parse

ROOT = pathlib.Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.S)
CLI = re.findall(r"^(?: {4}|\$ )(keras-vae .*)$", README, flags=re.M)
PRESETS = {path.parent.name for path in (ROOT / "saved_models").glob("*/config.json")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


@pytest.mark.parametrize(
    "command",
    [
        'pip install -e ".[tensorflow,recipes]" && python recipes/beta_vae_sprites.py',
        "pip install tox && tox",
    ],
)
def test_the_two_commands_stand_there_to_be_pasted(command):
    assert f"\n    {command}\n" in README or f"\n{command}\n" in README


def test_extras_exist():
    named = {e for group in re.findall(r"(?:keras_vae|keras-vae|\.)\[([\w,-]+)\]", README) for e in group.split(",")}
    assert named and named <= set(PROJECT["optional-dependencies"])


def test_ci_runs_the_readmes_test_command():
    assert "pip install --quiet tox && tox -e lint && tox\n" in (ROOT / ".ci" / "run").read_text()


def test_recipes_named_exist():
    for name in re.findall(r"`?(?:recipes/)?(\w+)\.py", README):
        assert (ROOT / "recipes" / f"{name}.py").is_file(), f"the README names {name}.py"


def test_presets_named_exist_and_presets_that_exist_are_named():
    loaded = set(re.findall(r'load_pretrained\("(\w+)"\)', README))
    used = {line.split()[2] for line in CLI if len(line.split()) > 2}
    assert loaded | used <= PRESETS
    assert all(f"`{name}`" in README for name in PRESETS)


@pytest.mark.parametrize("line", CLI)
def test_command_lines_are_ones_the_command_takes(line):
    arguments = shlex.split(line)[1:]
    assert parse(arguments).command == arguments[0]


def test_every_command_is_shown():
    assert {line.split()[1] for line in CLI} == set(COMMANDS)


def test_classes_named_exist():
    rooms = (keras_vae, keras_vae.datasets, keras_vae.metrics, keras_vae.callbacks, keras_vae.training)
    for name in re.findall(r"`([A-Z][a-z]*[A-Z]\w*|VAE)`", README):
        if name.upper() != name or name == "VAE":
            assert any(hasattr(room, name) for room in rooms), f"the README names `{name}`"


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_code_runs(number, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope = {"__name__": "readme"}
    exec(compile(PYTHON[number], f"README.md, python block {number + 1}", "exec"), scope)
    assert "keras_vae" in scope


@pytest.mark.parametrize("page", ["README.md", "recipes/README.md"])
def test_what_is_linked_or_shown_exists(page):
    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    assert links and all((ROOT / page).parent.joinpath(link).exists() for link in links)


def test_it_is_a_front_page():
    assert len(README.splitlines()) <= 160, "what is longer belongs to the headers of the recipes and to docstrings"


def test_no_table_is_left_to_be_filled():
    assert not re.findall(r"^[A-Z_]+_TABLE$", README, flags=re.M)
