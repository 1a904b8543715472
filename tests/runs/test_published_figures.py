"""Every figure that is given for a preset is the one in its metadata, to the digits shown: headers and README."""

import pathlib
import re

import pytest

from keras_vae import list_pretrained
from keras_vae.presets import pretrained_metadata
from keras_vae.presets.layout import WEIGHTS
from keras_vae.runs.recipe_header import RecipeHeader

ROOT = pathlib.Path(__file__).parents[2]
PRESETS = {name: pretrained_metadata(name) for name in list_pretrained()}
HEADERS = {name: RecipeHeader.read(ROOT / metadata["recipe"]) for name, metadata in PRESETS.items()}
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = {row[0].strip("`"): row for row in (line.strip("| \n").split(" | ") for line in README.splitlines()) if row[1:]}


def told_in_header(name):
    return list(HEADERS[name].figures(name))


def told_in_readme(name):
    """The figures of the last column, "`psnr` 27.59 dB, ...", as a header has them: ("psnr, dB", "27.59")."""
    found = re.findall(r"`([^`]+)` (-?[\d.,]*\d)( %| \w+)?", ROWS[name][-1])
    return [(f"{key},{unit}" if unit else key, figure) for key, figure, unit in found]


TOLD = [
    pytest.param(name, label, figure, id=f"{where}-{name}-{label}")
    for where, told in (("header", told_in_header), ("README", told_in_readme))
    for name in PRESETS
    for label, figure in told(name)
]


def stored(label, metrics):
    """The value of a row's name, alone or before its unit; a share that is shown in per cent is multiplied."""
    key = label if label in metrics else label.rpartition(",")[0]
    value = metrics[key]
    assert isinstance(value, (int, float)), f"{key} is no single figure"
    return [value, 100 * value] if label.endswith("%") and 0 <= value <= 1 else [value]


def agrees(label, figure, metrics):
    digits = len(figure.partition(".")[2])
    return any(f"{value:,.{digits}f}" == figure for value in stored(label, metrics))


def changed(figure):
    """The same with another last digit, as a slip would have it."""
    return figure[:-1] + str((int(figure[-1]) + 1) % 10)


@pytest.mark.parametrize("name, label, figure", TOLD)
def test_a_figure_is_the_stored_one_and_no_other(name, label, figure):
    metrics = PRESETS[name]["metrics"]
    assert agrees(label, figure, metrics), f"{name}: {label} is {stored(label, metrics)[0]}, not {figure}"
    assert not agrees(label, changed(figure), metrics)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_figures_in_its_header_and_in_the_readme(name):
    header = dict(told_in_header(name))
    told = told_in_readme(name)
    assert header and told, f"{name}: no figure is given"
    assert len(HEADERS[name].columns(name)) == 1
    # what is left of the README's cell when its figures are taken out has no digit that was not looked at
    rest = re.sub(r"`[^`]+` -?[\d.,]*\d", "", ROWS[name][-1]).replace("digits 0-4", "")
    assert not re.search(r"\d", rest), f"{name}: a figure without its name: {ROWS[name][-1]}"


@pytest.mark.parametrize("name", PRESETS)
def test_the_readme_knows_the_model_the_size_and_the_licence(name):
    _, model, terms, size, _ = ROWS[name]
    metadata = PRESETS[name]
    assert re.match(r"`(\w+)`", model).group(1) == metadata["model"]
    assert size == f"{metadata['files'][WEIGHTS]['bytes'] / 1e6:.1f} MB"
    words = {"CC BY-SA 3.0": "CC-BY-SA-3.0", "non-commercial research only": "non-commercial research purposes only"}
    licence = terms.rpartition("; ")[2]
    assert metadata["licence"].startswith(words.get(licence, licence))


def test_a_figure_is_compared_digit_by_digit():
    metrics = {"psnr": 27.5861, "usage": 1.0, "probe, %": 3.4599, "bits": 2304.0, "rates": [1.0]}
    for label, figure in (("psnr, dB", "27.59"), ("psnr", "28"), ("usage, %", "100"), ("probe, %", "3.46")):
        assert agrees(label, figure, metrics) and not agrees(label, changed(figure), metrics)
    assert agrees("bits", "2,304", metrics) and not agrees("bits", "2304.1", metrics)
    for label in ("ssim", "ssim, dB", "rates"):
        with pytest.raises((KeyError, AssertionError)):
            agrees(label, "1", metrics)
