"""Lines in panels: numbers that one compares with each other over a third, such as variances over the size of batch."""

import numpy as np

from keras_vae.core.optional import require
from keras_vae.reports.canvas import write_png

COLOURS = ("#3b6ea8", "#d1722c", "#4c9a5b", "#a34a8f", "#8a6d3b", "#c23b4e", "#4aa3b5", "#6b6b6b", "#9c9c2f", "#7d5fc4")


def lines(panels, path=None, x="", y="", log=""):
    """Draws a panel for each group, with a line for each of its members in the same colour everywhere.

    Args:
        panels: dict title -> dict label -> (xs, ys), sequences of equally many finite numbers.
        path: str or Path of a PNG file to write as well, whole or not at all.
        x: str, what the numbers from left to right are. Default: "".
        y: str, what those from below are. Default: "".
        log: "", "x", "y" or "xy", the axes with a logarithmic scale. Default: "".

    Returns:
        uint8 array (height, width, 3), the picture. Needs the extra `viz` (matplotlib).

    Raises:
        ValueError: if there is no panel, an empty one, or a line that is not finite or of two lengths; if `log` is
            none of the four.

    Example:
        >>> picture = lines({"Normal": {"plain": ([1, 10], [4.0, 0.4])}}, x="batch", y="variance", log="xy")
    """
    if log not in ("", "x", "y", "xy"):
        raise ValueError(f"`log` must be '', 'x', 'y' or 'xy'. Received: log={log!r}.")
    if not panels or not all(panels.values()):
        raise ValueError(f"`panels` must hold at least one line for each panel. Received: {panels!r}.")
    panels = {
        title: {label: _checked(label, *line) for label, line in group.items()} for title, group in panels.items()
    }
    picture = _drawn(panels, x, y, log)
    if path is not None:
        write_png(path, picture)
    return picture


def _checked(label, xs, ys):
    xs, ys = np.asarray(xs, "float64"), np.asarray(ys, "float64")
    if xs.ndim != 1 or xs.shape != ys.shape or not len(xs) or not np.isfinite(xs).all() or not np.isfinite(ys).all():
        raise ValueError(f"`panels` must hold finite lines of equally many xs and ys. Received: {label!r}: {xs}, {ys}.")
    return xs, ys


def _drawn(panels, x, y, log):
    # The object interface: no global state of pyplot, no window system.
    figure_module = require("matplotlib.figure", "viz", "Drawing lines")
    canvas_module = require("matplotlib.backends.backend_agg", "viz", "Drawing lines")
    labels = list(dict.fromkeys(label for group in panels.values() for label in group))
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    figure = figure_module.Figure(figsize=(4.2 * columns, 3.1 * rows + 0.5), dpi=110, layout="constrained")
    canvas = canvas_module.FigureCanvasAgg(figure)
    drawn = {}
    for place, (title, group) in enumerate(panels.items()):
        axes = figure.add_subplot(rows, columns, place + 1)
        for label, (xs, ys) in group.items():
            colour, marker = COLOURS[labels.index(label) % len(COLOURS)], "o" if len(xs) <= 12 else None
            drawn[label] = axes.plot(xs, ys, color=colour, marker=marker, markersize=3.5, linewidth=1.6)[0]
        axes.set_title(title, fontsize=11)
        axes.set_xscale("log" if "x" in log else "linear")
        axes.set_yscale("log" if "y" in log else "linear")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=9)
        if place + columns >= len(panels):
            axes.set_xlabel(x)
        if place % columns == 0:
            axes.set_ylabel(y)
    options = {"loc": "outside lower center", "ncols": min(4, len(labels)), "frameon": False, "fontsize": 10}
    figure.legend([drawn[label] for label in labels], labels, **options)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
