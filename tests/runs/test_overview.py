"""The page of all recipes is the one that their headers and presets make; what a header may look like."""

import pathlib

import pytest

from keras_vae.runs.overview import main, overview
from keras_vae.runs.recipe_header import RecipeHeader

RECIPES = pathlib.Path(__file__).parents[2] / "recipes"
HEADER = """Tiny: a test.

Paper     Somebody 2020, of ||J|| and
          ||J||^2 of it.
Command   python recipes/tiny.py    (needs nothing)
Measured  seed 0:
          | figure   | bar | paper | preset | other |
          | paper    | -   | 3.1   | 3.2    | -     |
          | psnr, dB | 27  | -     | 27.5   | 1     |
Notes     None.
"""


def test_the_page_is_the_one_that_is_made(tmp_path):
    committed = (RECIPES / "README.md").read_text(encoding="utf-8")
    assert committed == overview(RECIPES) + "\n", "run `python -m keras_vae.runs.overview recipes/README.md`"


def test_a_page_is_made_of_the_recipes_beside_it(tmp_path):
    (tmp_path / "tiny.py").write_text(f'"""{HEADER}"""\n')
    main(tmp_path / "README.md")
    page = (tmp_path / "README.md").read_text()
    for line in (
        "| [`tiny.py`](#tinypy) | Tiny | - |",
        "- **Paper**: Somebody 2020, of ||J|| and ||J||^2 of it.",
        "- **Command**: `python recipes/tiny.py` (needs nothing)",
        "  | psnr, dB | 27 | - | 27.5 | 1 |",
    ):
        assert f"{line}\n" in page


def test_a_header_is_read_entry_by_entry():
    header = RecipeHeader.of("tiny", HEADER)
    assert header.title == "Tiny: a test." and list(header.texts) == ["Paper", "Command", "Measured", "Notes"]
    assert header.texts["Measured"] == "seed 0:" and header.tables["Measured"][2] == [
        "psnr, dB",
        "27",
        "-",
        "27.5",
        "1",
    ]
    assert list(header.figures()) == list(header.figures("tiny")) == [("psnr, dB", "27.5")]


def test_a_recipe_of_several_presets_has_a_column_for_each():
    text = HEADER.replace("| preset | other |", "| preset one | preset two |").replace(
        "| 27.5   | 1     |", "| 27.5 | - |"
    )
    header = RecipeHeader.of(
        "tiny", text.replace("| 3.2    | -     |", "| - | 3.2 |").replace("| paper    |", "| loss |")
    )
    assert list(header.figures("one")) == [("psnr, dB", "27.5")] and header.columns("one") == [3]
    assert list(header.figures("two")) == [("loss", "3.2")] and header.columns("two") == [4]
    assert list(header.figures("three")) == [] and header.columns() == [3, 4]


@pytest.mark.parametrize(
    "change, message",
    [
        (("          ||J||^2 of it.", "     of it."), "tiny: a line of the header must belong to an entry"),
        (("Paper     Somebody", "Somebody"), "tiny: a line of the header must belong to an entry"),
        (("| 27.5   | 1     |", "| 27.5   |"), "tiny: a row must have 5 cells"),
    ],
)
def test_a_header_that_cannot_be_read_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        RecipeHeader.of("tiny", HEADER.replace(*change))
