"""What `fit` promises: steps are counted, logs are finite, and every trainable weight learns."""

import numpy as np

from keras_vae.testing.comparing import as_numpy, ensure, is_finite, length, weights
from keras_vae.testing.evaluation import check_batch, watched_terms


def check_training(model, x, y=None):
    """Trains for one epoch of two steps: logs are finite, terms per example, and every trainable weight moves.

    Weights that are meant to stay (a frozen prior) are those of layers with `trainable = False`.

    Args:
        model: built and compiled model.
        x: array, or dict of arrays: an even number of examples, four or more.
        y: target, where it is not `x` itself. Default: None.

    Returns:
        dict, the logs of the epoch.

    Raises:
        AssertionError: if one of this does not hold.
        ValueError: if the number of examples is odd, or less than four.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.testing import check_training
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4,), ()))
    >>> model.build((None, 4))
    >>> model.compile("adam")
    >>> sorted(check_training(model, np.eye(4, dtype="float32")))
    ['distortion', 'loss']
    """
    check_batch(x)
    half, cls = length(x) // 2, type(model).__name__
    before, step = dict(weights(model)), _step(model)
    with watched_terms(model, half):
        history = model.fit(x, y, batch_size=half, epochs=1, verbose=0).history
    ensure(is_finite(history), f"one epoch of {cls} gives {history}: not all of it is finite.")
    ensure(model.trainable_variables, f"{cls} has no trainable weight. Fix: keep its layers as attributes.")
    still = [v.path for v in model.trainable_variables if np.array_equal(as_numpy(v.value), before[v.path])]
    ensure(
        not still,
        f"one epoch left these trainable weights of {cls} where they were: {still}. Fix: let the loss depend on them, "
        "or set `trainable = False` on the layer they belong to.",
    )
    ensure(
        step is None or _step(model) == step + 2,
        f"two batches were {_step(model) if step is None else _step(model) - (step or 0)} steps of {cls}. "
        "Fix: leave `step` to the base, and call its `compute_loss` once per batch.",
    )
    return {name: values[-1] for name, values in history.items()}


def _step(model):
    """How often the model was trained by its own count, or None where it keeps none."""
    return int(as_numpy(model.step.value)) if hasattr(model, "step") else None
