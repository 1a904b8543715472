"""Checkpoints that a training can be continued from exactly: weights, optimizer, step and the states of the seeds."""

import hashlib
import json
import os
import pathlib

import keras
import numpy as np

from keras_vae.ops.checks import integer

STATE = "checkpoint.json"


class TrainingCheckpoint(keras.callbacks.Callback):
    """Writes everything a training needs to go on, every few epochs; `resume` reads it back.

    Keras's own files leave out the states of the random seeds, so that a resumed run would repeat its noise. Here
    weights and optimizer go to a file of their own epoch, then `checkpoint.json` is renamed into place, then the older
    file is removed: a run that is killed at any moment leaves a whole checkpoint behind. An epoch whose loss is not
    finite is not written. The order in which `fit` itself shuffles is Keras's own and is not part of it: for a run that
    goes on bit by bit pass `shuffle=False`, with a stream that is set to its epoch (`keras_vae.datasets.ImageBatches`).

    Args:
        folder: str or path, made if missing.
        every: int, epochs between two checkpoints. Default: 1.

    Example:

    >>> import keras_vae
    >>> callback = keras_vae.training.TrainingCheckpoint("runs/doctest/checkpoint", every=5)
    """

    def __init__(self, folder, every=1):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.every = integer("every", every)
        self.unwritten = None  # finished epochs that no checkpoint holds yet

    def on_train_begin(self, logs=None):
        self.unwritten = None

    def on_epoch_end(self, epoch, logs=None):
        if not np.isfinite((logs or {}).get("loss", 0.0)):
            self.unwritten = None  # weights that gave such a loss are lost: the checkpoint before is to go on from
        elif (epoch + 1) % self.every == 0:
            self.write(epoch + 1)
        else:
            self.unwritten = epoch + 1

    def on_train_end(self, logs=None):
        if self.unwritten is not None:  # the last epoch, or one at which another callback stopped the training
            self.write(self.unwritten)

    def write(self, epochs_done):
        """Writes the checkpoint of `epochs_done` finished epochs."""
        self.unwritten = None
        self.folder.mkdir(parents=True, exist_ok=True)
        weights = self.folder / f"epoch-{epochs_done:06d}.weights.h5"
        temporary = self.folder / f".writing-{os.getpid()}.weights.h5"
        self.model.save_weights(temporary, overwrite=True)
        os.replace(temporary, weights)
        state = {
            "epoch": epochs_done,
            "weights": weights.name,
            "sha256": _sha256(weights),
            "seeds": [keras.ops.convert_to_numpy(v.value).tolist() for v in _seed_states(self.model)],
        }
        temporary = self.folder / f".writing-{os.getpid()}.json"
        temporary.write_text(json.dumps(state, indent=1))
        os.replace(temporary, self.folder / STATE)
        for old in self.folder.glob("epoch-*.weights.h5"):
            if old.name != weights.name:
                old.unlink()


def resume(model, folder):
    """Brings a compiled model back to its last checkpoint.

    Args:
        model: compiled and built keras.Model, of the same architecture and optimizer as the one that was interrupted.
        folder: str or path, what `TrainingCheckpoint` was given.

    Returns:
        int, the number of epochs done: pass it to `fit(initial_epoch=...)`. 0 if there is no checkpoint yet.

    Raises:
        ValueError: if the model is not compiled and built, or the checkpoint is damaged or of another model.

    Example:

    >>> import keras, keras_vae
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> keras_vae.training.resume(model, "runs/doctest/none")
    0
    """
    folder = pathlib.Path(folder)
    if not (folder / STATE).is_file():
        return 0
    if not model.built or getattr(model, "optimizer", None) is None:
        raise ValueError(f"`model` must be built and compiled before it is resumed. Received: built={model.built}.")
    state = json.loads((folder / STATE).read_text())
    weights = folder / pathlib.Path(state["weights"]).name
    if not weights.is_file() or _sha256(weights) != state["sha256"]:
        raise ValueError(f"`folder` must hold a whole checkpoint. Received: {weights} is missing or damaged.")
    model.optimizer.build(model.trainable_variables)
    model.load_weights(weights)
    seeds = _seed_states(model)
    if len(seeds) != len(state["seeds"]):
        raise ValueError(
            f"`model` must be the one of the checkpoint. Received: {len(seeds)} random seeds, the checkpoint has "
            f"{len(state['seeds'])}."
        )
    for variable, value in zip(seeds, state["seeds"], strict=True):
        variable.assign(np.array(value, dtype=variable.dtype))
    return state["epoch"]


def fit_resumable(model, batches, epochs, folder, resumed=False, every=1, callbacks=(), **kwargs):
    """`fit` on a seeded stream with checkpoints, or on from the last of them: the run is the same either way.

    Keras does not shuffle here: the stream orders its batches by its own seed and epoch.

    Args:
        model: keras.Model, built and compiled.
        batches: seeded stream of this library, such as `keras_vae.datasets.ImageBatches`: its `epoch` is set.
        epochs: int, the epochs of the whole run.
        folder: str or path, of the checkpoints.
        resumed: bool, whether to go on from the checkpoint in `folder`, if there is one. Default: False.
        every: int >= 1, epochs between two checkpoints. Default: 1.
        callbacks: sequence of keras.callbacks.Callback, run before the checkpoint is written. Default: ().
        **kwargs: of keras.Model.fit, such as `validation_data`.

    Returns:
        keras.callbacks.History, of the epochs of this call.

    Example:

    >>> import tempfile
    >>> import numpy as np, keras_vae
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((4, 4, 1), ()))
    >>> model.build((None, 4, 4, 1))
    >>> model.compile("adam")
    >>> batches = keras_vae.datasets.ImageBatches(np.zeros((8, 4, 4, 1), "uint8"), 4, seed=0)
    >>> folder = tempfile.mkdtemp()
    >>> len(keras_vae.training.fit_resumable(model, batches, 2, folder, verbose=0).epoch)
    2
    >>> keras_vae.training.fit_resumable(model, batches, 3, folder, resumed=True, verbose=0).epoch
    [2]
    """
    batches.epoch = done = resume(model, folder) if resumed else 0
    checkpoint = TrainingCheckpoint(folder, every=every)
    options = {"epochs": epochs, "initial_epoch": done, "callbacks": [*callbacks, checkpoint]}
    return model.fit(batches, shuffle=False, **options, **kwargs)


def _seed_states(model):
    return [v for v in model.variables if v.name == "seed_generator_state"]


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
