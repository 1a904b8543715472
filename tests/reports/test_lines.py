"""Lines in panels: what is drawn, and what is refused."""

import numpy as np
import pytest

import harness
from keras_vae.reports import lines

PANELS = {
    "Normal": {"plain": ([1, 10, 100], [5.0, 0.5, 0.05]), "score": ([1, 10, 100], [90.0, 9.0, 0.9])},
    "Gamma": {"score": ([1, 10], [3.0, 2.0])},
}


def has(picture, colour):
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return bool((np.abs(picture.astype(int) - wanted) < 6).all(axis=-1).any())


def test_a_member_has_one_colour_in_every_panel(tmp_path):
    harness.needs("matplotlib")
    both = lines(PANELS, tmp_path / "lines.png", x="batch", y="variance", log="xy")
    half = both.shape[1] // 2
    assert has(both[:, :half], "#3b6ea8") and has(both[:, :half], "#d1722c")
    assert has(both[:-60, half:], "#d1722c") and not has(both[:-60, half:], "#3b6ea8")  # above the legend
    assert (tmp_path / "lines.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "panels, options, message",
    [
        ({}, {}, "`panels` must hold at least one line"),
        ({"Normal": {}}, {}, "`panels` must hold at least one line"),
        ({"Normal": {"plain": ([1, 2], [1.0])}}, {}, "equally many"),
        ({"Normal": {"plain": ([1, 2], [1.0, np.nan])}}, {}, "finite"),
        (PANELS, {"log": "z"}, "`log` must be"),
    ],
)
def test_what_cannot_be_drawn_is_refused(panels, options, message):
    harness.check_refuses(lambda: lines(panels, **options), message)
