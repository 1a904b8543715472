"""Training curves: one small panel per logged quantity, training and validation together."""

import numpy as np

from keras_vae.core.optional import require
from keras_vae.reports.canvas import write_png

TRAIN, VALIDATION = "#3b6ea8", "#d1722c"


def curves(history, path=None, keys=None):
    """Draws what `fit` logged against the epoch, `loss` and `val_loss` in one panel, and so on for each quantity.

    Args:
        history: the History that `fit` returns, or a dict name -> list of one number per epoch.
        path: str or Path of a PNG file to write as well, whole or not at all.
        keys: sequence of str, the quantities to draw, without `val_`; default all, in the order of the log.

    Returns:
        uint8 array (height, width, 3), the picture. Needs the extra `viz` (matplotlib).

    Raises:
        ValueError: where the history is empty, or has none of a key in `keys`.

    Example:
        >>> picture = curves({"loss": [3.0, 2.0, 1.5], "val_loss": [3.1, 2.2, 1.9]})
    """
    logs = getattr(history, "history", history)
    logs = {name: np.asarray(values, "float64") for name, values in logs.items() if len(values)}
    present = list(dict.fromkeys(name.removeprefix("val_") for name in logs))
    if not present:
        raise ValueError(f"`history` must hold at least one epoch. Received: {history!r}.")
    for key in keys or ():
        if key not in present:
            raise ValueError(f"`keys` must be among {', '.join(present)}. Received: {key!r}.")
    picture = _drawn(logs, list(keys or present))
    if path is not None:
        write_png(path, picture)
    return picture


def _drawn(logs, keys):
    # The object interface: no global state of pyplot, no window system.
    figure_module = require("matplotlib.figure", "viz", "Drawing training curves")
    canvas_module = require("matplotlib.backends.backend_agg", "viz", "Drawing training curves")
    columns = min(3, len(keys))
    rows = -(-len(keys) // columns)
    figure = figure_module.Figure(figsize=(4.2 * columns, 2.9 * rows), dpi=110, layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12, h_pad=0.12)
    canvas = canvas_module.FigureCanvasAgg(figure)
    for place, key in enumerate(keys):
        axes = figure.add_subplot(rows, columns, place + 1)
        _panel(axes, key, logs)
        if place + columns >= len(keys):
            axes.set_xlabel("epoch")
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _panel(axes, key, logs):
    for name, label, color in ((key, "training", TRAIN), (f"val_{key}", "validation", VALIDATION)):
        if name in logs:
            values = logs[name]
            marker = "o" if len(values) <= 12 else None
            # validation_freq > 1 logs fewer points: they belong to evenly spread epochs, the last one included
            last = max(len(logs.get(key, values)), len(values))
            epochs = np.linspace(last / len(values), last, len(values))
            axes.plot(epochs, values, color=color, label=label, marker=marker, markersize=3.5, linewidth=1.6)
    axes.set_title(key, fontsize=11)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.ticklabel_format(axis="y", useOffset=False)
    if f"val_{key}" in logs:
        axes.legend(frameon=False, fontsize=9)
