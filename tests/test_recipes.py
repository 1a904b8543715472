"""Every recipe runs from beginning to end with --smoke, and says in its header what it is."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest

from harness import BACKEND

ROOT = pathlib.Path(__file__).parents[1]
RECIPES = sorted((ROOT / "recipes").glob("*.py"))


def backend_of(recipe):
    """The backend that a recipe's header sets in its command, or None where it sets none."""
    named = re.search(rf"KERAS_BACKEND=(tensorflow|jax|torch) python recipes/{recipe.name}", recipe.read_text())
    return named and named[1]


def environment():
    """This process's, with the library found wherever the recipe is started, and TensorFlow's log level a user's."""
    inherited = {key: value for key, value in os.environ.items() if key != "TF_CPP_MIN_LOG_LEVEL"}
    return {**inherited, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("recipe", [r for r in RECIPES if backend_of(r) in (BACKEND, None)], ids=lambda p: p.stem)
def test_smoke_run_finishes(recipe, tmp_path):
    """Each on the backend that its own command names, so once in CI; on every backend where it names none."""
    command = [sys.executable, str(recipe), "--smoke"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=240)
    if "DatasetNotFoundError" in done.stderr:
        pytest.skip(f"its dataset is not prepared on this machine: {done.stderr.strip().splitlines()[-1][:200]}")
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    noise = [line for line in done.stderr.splitlines() if "absl" in line or ".cc:" in line or "retracing" in line]
    assert not noise, "what TensorFlow says of itself is not for the terminal"
    metrics = json.loads((tmp_path / "runs" / recipe.stem / "metrics.json").read_text())
    assert metrics and "null" not in json.dumps(metrics), "a measured figure is not finite"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda p: p.stem)
def test_header_says_what_it_is(recipe):
    text = recipe.read_text()
    header = text.split('"""')[1].lower()
    for word in (f"recipes/{recipe.name}", "minute"):
        assert word in header, f"{recipe.name}: the header does not name `{word}`"
    assert re.search(r"arxiv|iclr|icml|neurips|paper|compare", header), f"{recipe.name}: the header names no source"
    assert len(text.splitlines()) <= 120, f"{recipe.name}: more than 120 lines; what is shared belongs to the library"


def test_there_are_recipes():
    assert {"beta_vae_sprites", "vae_mnist", "vqvae_celeba"} <= {path.stem for path in RECIPES}
