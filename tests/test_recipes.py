"""Every recipe runs from beginning to end with --smoke, and says in its header what it is."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

RECIPES = sorted((pathlib.Path(__file__).parents[1] / "recipes").glob("*.py"))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda p: p.stem)
def test_smoke_run_finishes(recipe, tmp_path):
    done = subprocess.run(
        [sys.executable, str(recipe), "--smoke"],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == 0, done.stdout[-1500:] + done.stderr[-3000:]
    assert "nan" not in re.findall(r"\b[a-z]+\b", done.stdout.lower()), done.stdout[-1500:]


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
