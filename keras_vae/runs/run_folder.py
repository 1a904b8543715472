"""A run of a recipe as a folder."""

import shutil
import time
from pathlib import Path

from rich.console import Console

from keras_vae.core.files import write_json
from keras_vae.core.locks import LOCK, FolderLock
from keras_vae.reports.canvas import as_pixels, write_png
from keras_vae.reports.tables import table


class RunFolder:
    """What a recipe leaves behind: `<root>/<name>/` with `pictures/`, `metrics.json` and, written by others, `model/`.

    Every file is written under a temporary name and renamed, so that a run cut short leaves no half-written file. A run
    of the same name writes over the files of the earlier one. Its checkpoint is set aside, so that nothing goes on from
    it: a line says so, and `finish` removes it. Other processes are kept out of the folder until then.

    Args:
        name: str, the recipe's name; one folder name, without separators.
        root: str or Path, the folder of all runs. Default: "runs".
        resumed: bool, whether the run goes on from a checkpoint: its minutes are then those since. Default: False.

    Raises:
        ValueError: where `name` is no plain folder name.
        BlockingIOError: where a run of that name is at work in another process.

    Example:
        >>> import tempfile
        >>> run = RunFolder("vae_mnist", root=tempfile.mkdtemp())
        >>> run.save_metrics({"nll": 86.76})
        >>> run.metrics_file.read_text()
        '{\\n  "nll": 86.76\\n}\\n'
    """

    def __init__(self, name, root="runs", resumed=False):
        if not name or name in (".", "..") or Path(name).name != name:
            raise ValueError(f"`name` must be one folder name, without separators. Received: name={name!r}.")
        self.name = name
        self.resumed = resumed
        self.root = Path(root)
        self.path = self.root / name
        self.pictures = self.path / "pictures"
        self.model = self.path / "model"
        self.checkpoint = self.path / "checkpoint"
        self.replaced = self.path / "replaced-checkpoint"
        self.metrics_file = self.path / "metrics.json"
        self.metrics = {}
        self.start = time.monotonic()
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.lock = FolderLock(self.path).acquire()
        if not resumed and self.checkpoint.is_dir():
            shutil.rmtree(self.replaced, ignore_errors=True)
            self.checkpoint.rename(self.replaced)
            _say(f"The checkpoint of an earlier run is set aside until this one has finished: {self.replaced}")

    def save_metrics(self, metrics):
        """Adds `metrics` (a dict name -> number, string, list, dict) to those of this run and writes `metrics.json`."""
        metrics = {**self.metrics, **metrics}
        write_json(self.metrics_file, metrics)
        self.metrics = metrics

    def save_image(self, name, pixels):
        """Writes a picture, (height, width, 1 or 3) in [0, 1] or uint8, to `pictures/<name>.png`; returns the path."""
        path = self.pictures / f"{name}.png"
        write_png(path, as_pixels("pixels", pixels[None])[0])
        return path

    def finish(self, title, rows):
        """Prints `rows` (as in `table`) under `title`, how long it took, and every file of the run and where it is."""
        minutes = round((time.monotonic() - self.start) / 60, 1)
        self.save_metrics({"minutes_since_resumed" if self.resumed else "minutes": minutes})
        table(rows, title)
        shutil.rmtree(self.replaced, ignore_errors=True)
        self.lock.release()
        since = " since it was resumed" if self.resumed else ""
        _say(f"{minutes:g} minutes{since}; saved in {self.path.resolve()}")
        for path in sorted(p for p in self.path.rglob("*") if p.is_file() and p.name != LOCK):
            if self.checkpoint not in path.parents:
                _say(f"  {path.relative_to(self.path)}  [dim]{_size(path.stat().st_size)}[/dim]")


def _say(line):
    Console(highlight=False, soft_wrap=True).print(line)


def _size(count):
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.1f} kB" if count >= 1e3 else f"{count} bytes"
