"""Early stopping that can be interrupted and resumed."""

import json
import pathlib

import keras
import numpy as np

from keras_vae.core.checks import integer
from keras_vae.core.files import written_whole
from keras_vae.core.folders import write_synced
from keras_vae.training.weights import load_weights_from_bytes, weights_as_bytes

STATE = "early_stop.json"


class EarlyStop(keras.callbacks.Callback):
    """Stops when `val_loss` has not fallen for some epochs, and leaves the model with the weights of the best one.

    Keras's own forgets the best epoch when a training is interrupted. With a folder this one does not: the values of
    all epochs and the best weights are kept there, those of the best before them until the next epoch ends, so that a
    run that is killed between this callback and a checkpoint goes on as if nothing had been.

    Args:
        patience: int >= 1, epochs without a lower `val_loss`.
        folder: str or path, for a training that can be resumed, or None. Default: None.

    Raises:
        ValueError: when an epoch ends without a `val_loss`.

    Example:

    >>> import keras_vae
    >>> callback = keras_vae.training.EarlyStop(patience=3)
    """

    def __init__(self, patience, folder=None):
        super().__init__()
        self.patience = integer("patience", patience)
        self.folder = None if folder is None else pathlib.Path(folder)
        self.values = []  # of `val_loss`, by epoch
        self.best_weights = None
        self.begun = False

    @property
    def best(self):
        """The number of the best epoch, from 0; None before the first."""
        return int(np.argmin(self.values)) if self.values else None

    def stopped_at(self):
        """The number of epochs after which a finished training in the folder stopped, or None if it did not."""
        values = self._stored()
        return len(values) if values and len(values) - 1 - int(np.argmin(values)) >= self.patience else None

    def on_train_begin(self, logs=None):
        self.values, self.best_weights, self.begun = [], None, False

    def on_epoch_begin(self, epoch, logs=None):
        if self.begun:
            return
        self.begun = True
        if epoch and self.folder is not None:
            self.values = self._stored()[:epoch]
            if len(self.values) != epoch:
                raise ValueError(f"`folder` must hold {epoch} epochs to go on. Received: {len(self.values)}.")
            self.best_weights = self._file(self.best).read_bytes()

    def on_epoch_end(self, epoch, logs=None):
        if "val_loss" not in (logs or {}):
            raise ValueError("`validation_data` must be given to stop early: there is no `val_loss`. Received: None.")
        self.values.append(float(logs["val_loss"]))
        if self.best == len(self.values) - 1:
            self.best_weights = bytes(weights_as_bytes(self.model))
        if self.folder is not None:
            self._write()
        if len(self.values) - 1 - self.best >= self.patience:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        stored = [] if self.begun else self._stored()
        if stored and len(stored) == self.params["epochs"]:  # resumed when it was finished: no epoch began
            self.values, self.best_weights = stored, self._file(int(np.argmin(stored))).read_bytes()
        if self.best_weights is not None and self.best != len(self.values) - 1:
            load_weights_from_bytes(self.model, self.best_weights)

    def _write(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        earlier = int(np.argmin(self.values[:-1])) if len(self.values) > 1 else self.best
        if not self._file(self.best).is_file() or self.best == len(self.values) - 1:
            with written_whole(self._file(self.best)) as temporary:
                write_synced(temporary, self.best_weights)
        with written_whole(self.folder / STATE) as temporary:
            write_synced(temporary, json.dumps(self.values).encode())
        for old in self.folder.glob("best-*.weights.h5"):
            if old not in (self._file(self.best), self._file(earlier)):
                old.unlink()

    def _stored(self):
        path = None if self.folder is None else self.folder / STATE
        return json.loads(path.read_text(encoding="utf-8")) if path is not None and path.is_file() else []

    def _file(self, epoch):
        return self.folder / f"best-{epoch + 1:06d}.weights.h5"
