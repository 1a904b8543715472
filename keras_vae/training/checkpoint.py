"""The callback that writes checkpoints from which a training goes on exactly."""

import pathlib
import warnings

import keras
import numpy as np

from keras_vae.core.checks import integer
from keras_vae.core.locks import FolderLock
from keras_vae.training.checkpoint_folder import read_state, set_aside, write_checkpoint
from keras_vae.training.fingerprint import fingerprint
from keras_vae.training.weights import weights_as_bytes


class TrainingCheckpoint(keras.callbacks.Callback):
    """Writes everything a training needs to go on, every few epochs; `resume` reads it back.

    Keras's own files leave out the states of the random seeds, so that a resumed run would repeat its noise. Here
    weights and optimizer go to a file of their own epoch, then `checkpoint.json` is renamed into place, then the older
    file is removed: a run that is killed at any moment leaves a whole checkpoint behind. An epoch whose loss is not
    finite is not written. The order in which `fit` itself shuffles is Keras's own and is not part of it: for a run that
    goes on bit by bit pass `shuffle=False`, with a stream that is set to its epoch (`keras_vae.datasets.ImageBatches`).

    The checkpoint holds a fingerprint of what the training depends on: the backend, the configurations of model and
    optimizer as they are when `fit` begins, and `data`. A training that begins at epoch 0 replaces the checkpoint of
    an earlier one: that cannot be resumed from then on, and a warning says so if it was not finished.

    A disk that is full does not stop the training: a warning says which epoch could not be written and why, the older
    checkpoint stays whole, and the end of the next epoch tries again. Weights and optimizer are held in memory a second
    time while they are written. Other processes are kept out of the folder during the training.

    Args:
        folder: str or path, made if missing.
        every: int, epochs between two checkpoints. Default: 1.
        data: what the training sees: a stream, arrays, or a dict of them and of settings. Arrays are known by shape,
            type and a digest, streams of this library by their data and settings, others by the name of their class.
            None leaves data out of the fingerprint. Default: None.

    Raises:
        BlockingIOError: when `fit` begins and another process trains in the folder.

    Example:

    >>> import keras_vae
    >>> callback = keras_vae.training.TrainingCheckpoint("runs/doctest/checkpoint", every=5)
    """

    def __init__(self, folder, every=1, data=None):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.every = integer("every", every)
        self.data = data
        self.fingerprint = None
        self.unwritten = None  # finished epochs that no checkpoint holds yet
        self.failed = False  # whether the last one could not be written
        self.begun = False
        self.lock = FolderLock(self.folder)

    def set_model(self, model):
        super().set_model(model)
        # Now, for callbacks assign coefficients and learning rates from the beginning of the training on.
        self.fingerprint = fingerprint(model, self.data)

    def on_train_begin(self, logs=None):
        self.unwritten, self.failed, self.begun = None, False, False
        self.folder.mkdir(parents=True, exist_ok=True)
        self.lock.acquire()

    def on_epoch_begin(self, epoch, logs=None):
        if self.begun:
            return
        self.begun = True
        state = read_state(self.folder) if epoch else None
        if state is not None and state["epoch"] == epoch:
            self.fingerprint = state["fingerprint"]  # of the beginning of the run
        else:
            set_aside(self.folder)

    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            self.unwritten = None  # weights that gave such a loss are lost: the checkpoint before is to go on from
            return
        self.unwritten = epoch + 1
        if self.failed or self.unwritten % self.every == 0:
            self._write_or_warn("If the training goes on, the end of the next epoch tries again.")

    def on_train_end(self, logs=None):
        if self.unwritten is not None:  # the last epoch, or one at which another callback stopped the training
            self._write_or_warn("The training has ended: what it did since the last whole checkpoint is in no file.")
        self.lock.release()

    def write(self, epochs_done):
        """Writes the checkpoint of `epochs_done` finished epochs.

        Raises:
            OSError: if the disk does not take it; the checkpoint before stays whole.
        """
        seeds = [keras.ops.convert_to_numpy(v.value).tolist() for v in seed_states(self.model)]
        epochs = max(epochs_done, (self.params or {}).get("epochs") or 0)
        content = weights_as_bytes(self.model)
        self.folder.mkdir(parents=True, exist_ok=True)
        with FolderLock(self.folder):
            write_checkpoint(self.folder, content, epochs_done, epochs, seeds, self.fingerprint)
        self.unwritten = None

    def _write_or_warn(self, consequence):
        try:
            self.write(self.unwritten)
            self.failed = False
        except OSError as error:
            self.failed = True
            warnings.warn(
                f"The checkpoint of epoch {self.unwritten} could not be written to {self.folder}: {error}. "
                f"{consequence}",
                stacklevel=2,
            )


def seed_states(model):
    """The variables that hold the states of a model's random seeds."""
    return [v for v in model.variables if v.name == "seed_generator_state"]
