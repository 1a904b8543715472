"""Going on from a checkpoint, with what it was made with and with nothing else."""

import pathlib

import numpy as np

from keras_vae.core.locks import FolderLock
from keras_vae.training.checkpoint import TrainingCheckpoint, seed_states
from keras_vae.training.checkpoint_folder import read_state, read_weights
from keras_vae.training.fingerprint import differences, fingerprint
from keras_vae.training.weights import load_weights_from_bytes, shapes_in_bytes, weights_as_bytes

_TOLD = 6  # differences in a message


def resume(model, folder, data=None):
    """Brings a compiled model back to its last checkpoint.

    The model must be as it was made when the run began: its configuration and its optimizer's are compared with those
    of that moment, coefficients and learning rates included, and so is the backend. What may change is what no weight
    depends on: the number of epochs, unless a learning-rate schedule depends on it, how often a checkpoint is written,
    validation data, metrics and other callbacks.

    Args:
        model: compiled and built keras.Model, made as the one that was interrupted. It is left as it is if it does not
            fit.
        folder: str or path, what `TrainingCheckpoint` was given.
        data: what `TrainingCheckpoint` was given; None compares no data. Default: None.

    Returns:
        int, the number of epochs done: pass it to `fit(initial_epoch=...)`. 0 if there is no checkpoint yet.

    Raises:
        ValueError: if the model is not compiled and built, the checkpoint is damaged, or it is of another model,
            optimizer, data or backend; the message says what differs.

    Example:

    >>> import keras, keras_vae
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    >>> model.compile("adam", "mse")
    >>> keras_vae.training.resume(model, "runs/doctest/none")
    0
    """
    folder = pathlib.Path(folder)
    state = read_state(folder)
    if state is None:
        return 0
    if not model.built or getattr(model, "optimizer", None) is None:
        raise ValueError(f"`model` must be built and compiled before it is resumed. Received: built={model.built}.")
    _refuse(folder, differences(state["fingerprint"], fingerprint(model, data)))
    content = read_weights(folder, state)
    model.optimizer.build(model.trainable_variables)
    # Keras passes over an optimizer whose number of variables is another one.
    _refuse(folder, differences(shapes_in_bytes(content), shapes_in_bytes(weights_as_bytes(model))))
    seeds = _seeds(folder, state, seed_states(model))
    load_weights_from_bytes(model, content)
    for variable, value in seeds:
        variable.assign(value)
    return state["epoch"]


def fits(model, folder, data=None):
    """Whether `folder` holds a checkpoint of this model, optimizer and data.

    Args:
        model: compiled keras.Model, as for `resume`.
        folder: str or path, as for `resume`.
        data: as for `resume`.

    Returns:
        bool; False where there is no checkpoint.

    Raises:
        ValueError: if the checkpoint is damaged.
    """
    state = read_state(pathlib.Path(folder))
    return state is not None and not differences(state["fingerprint"], fingerprint(model, data))


def fit_resumable(model, batches, epochs, folder, resumed=False, every=1, callbacks=(), **kwargs):
    """`fit` on a seeded stream with checkpoints, or on from the last of them: the run is the same either way.

    Keras does not shuffle here: the stream orders its batches by its own seed and epoch.

    Args:
        model: keras.Model, built and compiled; to be resumed, made as it was when the run began.
        batches: seeded stream of this library, such as `keras_vae.datasets.ImageBatches`: its `epoch` is set.
        epochs: int, the epochs of the whole run. A resumed run may have more of them than it had.
        folder: str or path, of the checkpoints.
        resumed: bool, whether to go on from the checkpoint in `folder`, if there is one. Otherwise an earlier run's is
            replaced. Default: False.
        every: int >= 1, epochs between two checkpoints. Default: 1.
        callbacks: sequence of keras.callbacks.Callback, run before the checkpoint is written. Default: ().
        **kwargs: of keras.Model.fit, such as `validation_data`.

    Returns:
        keras.callbacks.History, of the epochs of this call.

    Raises:
        ValueError: as `resume`; or if the checkpoint is of a later epoch than `epochs`.
        BlockingIOError: if another process trains in `folder`.

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
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = TrainingCheckpoint(folder, every=every, data=batches)
    with FolderLock(folder):
        batches.epoch = done = resume(model, folder, batches) if resumed else 0
        if done > epochs:
            raise ValueError(f"`epochs` must be at least those done, {done} in {folder}. Received: epochs={epochs}.")
        options = {"epochs": epochs, "initial_epoch": done, "callbacks": [*callbacks, checkpoint]}
        return model.fit(batches, shuffle=False, **options, **kwargs)


def _refuse(folder, found):
    if found:
        more = f"; and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        raise ValueError(
            f"`model`, its optimizer and its data must be those of the checkpoint in {folder}. "
            f"Received: {'; '.join(found[:_TOLD])}{more}."
        )


def _seeds(folder, state, variables):
    """(variable, state) of each random seed."""
    if len(variables) != len(state["seeds"]):
        _refuse(folder, [f"`random seeds`: checkpoint {len(state['seeds'])}, now {len(variables)}"])
    pairs = []
    for variable, value in zip(variables, state["seeds"], strict=True):
        value, limits = np.array(value, dtype=object), np.iinfo(variable.dtype)
        whole = all(type(number) is int and limits.min <= number <= limits.max for number in value.flat)
        if value.shape != tuple(variable.shape) or not whole:
            told = f"checkpoint {str(value.tolist())[:100]}, now seeds of shape {tuple(variable.shape)}"
            _refuse(folder, [f"`{variable.path}`: {told}"])
        pairs.append((variable, value.astype(variable.dtype)))
    return pairs
