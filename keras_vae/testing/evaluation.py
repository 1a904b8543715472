"""What `evaluate` promises: no weight moves, terms are per example, and the elbo is the bound."""

import contextlib

import numpy as np
from keras import tree

from keras_vae.testing.comparing import changed, ensure, is_finite, length, rows, seeds, set_seeds, weights


def check_evaluation(model, x, y=None, batch_terms=(), rtol=1e-5):
    """Checks `evaluate`: it changes no weight, its terms are per example, and elbo == -(distortion + rate).

    Per example means that a term of one example does not depend on the others of its batch: two batches have the same
    mean after they exchanged every other example, each of which keeps its place, and so its random draw. Of a masked
    model, that what stands behind the end of a sequence counts for nothing.

    Args:
        model: built and compiled model.
        x: array, or dict of arrays: an even number of examples, four or more.
        y: target, where it is not `x` itself. Default: None.
        batch_terms: names of terms that are statistics of the batch, as the sparsity of a SparseAutoencoder is; these,
            and with them the loss, are left out of the exchange. Default: ().
        rtol: float, relative tolerance of the means. Default: 1e-5.

    Returns:
        dict, the logs.

    Raises:
        AssertionError: if one of this does not hold.
        ValueError: if the number of examples is odd, or less than four.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.testing import check_evaluation
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4,), ()))
    >>> model.build((None, 4))
    >>> model.compile()
    >>> sorted(check_evaluation(model, np.eye(4, dtype="float32")))
    ['distortion', 'loss']
    """
    check_batch(x)
    half = length(x) // 2
    states, before = seeds(model), weights(model)

    def logs(x, batches):
        each = []
        for batch in batches:
            set_seeds(model, states)
            options = {"batch_size": half, "verbose": 0, "return_dict": True}
            each.append(model.evaluate(rows(x, batch), rows(y, batch), **options))
        return {name: np.mean([one[name] for one in each]) for name in each[0]}

    first, second = np.arange(half), np.arange(half, 2 * half)
    even = first % 2 == 0
    with watched_terms(model, half):
        apart = logs(x, (first, second))
    exchanged = logs(x, (np.where(even, first, second), np.where(even, second, first)))
    moved = changed(before, weights(model))
    ensure(not moved, f"`evaluate` changed weights: {moved}. Fix: let state change in `update_state` alone.")
    ensure(is_finite(apart), f"`evaluate` gives {apart}: not all of it is finite.")

    compared = [name for name in ("loss", *getattr(model, "trackers", ())) if name not in batch_terms]
    compared = [name for name in compared if name != "loss" or not batch_terms]
    _compare(
        apart,
        exchanged,
        compared,
        rtol,
        "depends on which examples share a batch. Fix: compute it per example, or name it in `batch_terms` if it is "
        "a statistic of the batch on purpose",
    )
    if {"elbo", "distortion", "rate"} <= set(apart):
        bound = -(apart["distortion"] + apart["rate"])
        ensure(
            np.isclose(apart["elbo"], bound, rtol=rtol, atol=1e-5),
            f"`elbo` must be -(distortion + rate), {bound:.6g}. Received: {apart['elbo']:.6g}.",
        )
    if getattr(model, "masked", False):
        behind = logs(_junk_behind(x), (first, second))
        _compare(apart, behind, compared, rtol, "depends on what stands behind the end of a sequence")
    set_seeds(model, states)
    return apart


def check_batch(x):
    """Raises where a batch cannot be halved into batches of two or more."""
    if length(x) < 4 or length(x) % 2:
        raise ValueError(f"`x` must hold an even number of examples, four or more. Received: {length(x)}.")


@contextlib.contextmanager
def watched_terms(model, size):
    """Raises where, in the block, `terms` of a model returned what is not shaped (batch,), or `call` a scalar.

    It looks on while the model's own step is traced, so that nothing is compiled for it.
    """
    if not hasattr(model, "terms"):
        yield
        return
    inner, shapes, names = model.terms, {}, set()

    def terms(x, y, outputs, training):
        returned = inner(x, y, outputs, training)
        outputs = {} if training else outputs  # while training there are statistics of the batch among them
        shapes.update({f"output {name}": part.shape[:1] for name, part in _named(outputs)})
        shapes.update({f"term {name!r}": tuple(np.shape(part)) for name, part in returned.items()})
        names.update(returned)
        return returned

    vars(model)["terms"] = terms  # past Keras, which would track it
    try:
        yield
    finally:
        del vars(model)["terms"]
    cls = type(model).__name__
    missing = sorted({"loss", *model.trackers} - names)
    ensure(not missing, f"`terms` of {cls} must return {missing}, which are logged. Received: {sorted(names)}.")
    wrong = {name: shape for name, shape in shapes.items() if tuple(shape) not in ((size,), (None,))}
    ensure(
        not wrong,
        f"terms and outputs of {cls} must be per example: terms of shape (batch,), here ({size},), outputs "
        f"with the batch as first axis. Received: {wrong}. Fix: sum over the event, and leave the mean to the base.",
    )


def _named(outputs):
    """(path, tensor) of the outputs of `call`, those that are None left out."""
    flat = tree.flatten_with_path(outputs)
    return [(".".join(map(str, path)), part) for path, part in flat if part is not None]


def _compare(one, other, names, rtol, told):
    wrong = [name for name in names if not np.isclose(one[name], other[name], rtol=rtol, atol=1e-5)]
    values = ", ".join(f"{name} {one[name]:.6g} and {other[name]:.6g}" for name in wrong)
    ensure(not wrong, f"{values}: what `evaluate` gives {told}.")


def _junk_behind(x):
    """The same sequences with something else behind their ends."""
    data, mask = np.asarray(x["x"]), np.asarray(x["mask"]) > 0
    mask = mask.reshape(*mask.shape, *[1] * (data.ndim - mask.ndim))
    return {**x, "x": np.where(mask, data, data.max())}  # a value that the model takes
