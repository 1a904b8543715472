"""What files promise: the same weights, the same answers, and training that goes on as it would have."""

import contextlib
import pathlib
import warnings

import keras
import numpy as np

from keras_vae.testing.comparing import (
    as_numpy,
    changed,
    ensure,
    input_shape,
    is_close,
    length,
    rows,
    seed_for,
    seeds,
    set_seeds,
    weights,
)


def check_saving(model, x, folder, y=None, make=None, rtol=1e-5):
    """Checks a `.keras` file: a loaded model has the same weights, optimizer, answers and next step.

    The answer is that of `reconstruct`, `encode` or `predict`, the first that the model has. Both models are trained
    for one step more, and Keras's global seed is set.

    Args:
        model: built and compiled model.
        x: array, or dict of arrays: two examples or more.
        folder: str or path of a folder, where two files are written.
        y: target, where it is not `x` itself. Default: None.
        make: function that gives a new, unbuilt model like this one, into which a weights file is loaded; None leaves
            that out. Default: None.
        rtol: float, relative tolerance of answers and of the loss. Default: 1e-5.

    Returns:
        The loaded model.

    Raises:
        AssertionError: if one of this does not hold.

    Example:

    >>> import tempfile, numpy as np, keras_vae
    >>> from keras_vae.testing import check_saving
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4,), ()))
    >>> model.build((None, 4))
    >>> model.compile("adam")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     loaded = check_saving(model, np.eye(4, dtype="float32"), folder)
    >>> type(loaded).__name__
    'PlainAutoencoder'
    """
    folder, cls = pathlib.Path(folder), type(model).__name__
    model.save(folder / "model.keras")
    with _unbuilt_optimizers():
        loaded = keras.saving.load_model(folder / "model.keras")
    _ensure_same(model, loaded, f"a loaded {cls}")
    ensure(
        is_close(_answer(loaded, x), _answer(model, x), rtol),
        f"a loaded {cls} has the same weights and answers otherwise. Fix: keep what its answer depends on in an "
        "argument or in a weight.",
    )
    ensure(loaded.compiled, f"a loaded {cls} is not compiled. Fix: leave `get_compile_config` to the base.")
    if model.optimizer.built:
        states = [[(v.path, as_numpy(v.value)) for v in m.optimizer.variables] for m in (model, loaded)]
        ensure(not changed(*states), f"the optimizer of a loaded {cls} starts anew. Fix: build all weights in `build`.")
    set_seeds(loaded, seeds(model))
    part = np.arange(max(1, length(x) // 2))
    options = {"batch_size": len(part), "verbose": 0, "shuffle": False}
    logs = []
    for one in (model, loaded):
        keras.utils.set_random_seed(0)  # Keras's Dropout draws from torch's own state
        logs.append(one.fit(rows(x, part), rows(y, part), **options).history)
    trained, on = logs
    differ = [name for name in trained if not is_close(on.get(name, np.nan), trained[name], rtol)]
    ensure(
        not differ,
        f"the next step of a loaded {cls} has another {', '.join(differ)}: {on}, not {trained}. Fix: keep what the "
        "loss depends on in an argument or in a weight.",
    )
    if make is not None:
        model.save_weights(folder / "model.weights.h5")
        other = make()
        other.build(input_shape(x))
        with _unbuilt_optimizers():
            other.load_weights(folder / "model.weights.h5")
        _ensure_same(model, other, f"a new {cls} that has loaded the weights")
    return loaded


@contextlib.contextmanager
def _unbuilt_optimizers():
    """Leaves out what Keras says of optimizers that have not been used on one side; of others a check sees it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipping variable loading for optimizer", UserWarning)
        yield


def _ensure_same(model, other, told):
    differ = changed(weights(model), weights(other))
    ensure(not differ, f"{told} has other weights: {differ}. Fix: build every weight in `build`, before any is loaded.")


def _answer(model, x):
    """What a model says of x without a draw."""
    if hasattr(model, "reconstruct"):
        return model.reconstruct(x, **seed_for(model.reconstruct))
    if hasattr(model, "encode"):
        return model.encode(x)
    return model.predict(x, batch_size=length(x), verbose=0)
