"""What the checks share: arrays of tensors, weights before and after, parts of batches, and how a failure is told."""

import contextlib
import inspect

import numpy as np
from keras import ops, tree

SEED = "seed_generator_state"  # the name that Keras gives the state of random draws


def ensure(holds, message):
    """Raises AssertionError with `message` where a law does not hold; `assert` would go under `python -O`."""
    if not holds:
        raise AssertionError(message)


def as_numpy(value):
    """Tensors, or any nest of them, as NumPy arrays."""
    return tree.map_structure(lambda t: np.asarray(ops.convert_to_numpy(t)), value)


def length(x):
    """The number of examples."""
    return len(tree.flatten(x)[0])


def input_shape(x):
    """What `build` takes for a batch: a shape without its size, or a dict of them."""
    if isinstance(x, dict):
        return {name: input_shape(part) for name, part in x.items()}
    return (None, *np.shape(x)[1:])


def rows(x, chosen):
    """Some examples of an array, or of a nest of them; None stays None."""
    return None if x is None else tree.map_structure(lambda part: np.asarray(part)[chosen], x)


def seed_for(method):
    """{"seed": 0} for a method that takes one, as the `reconstruct` of a decoder that draws."""
    return {"seed": 0} if "seed" in inspect.signature(method).parameters else {}


def is_finite(values):
    return all(np.isfinite(np.asarray(value, "float64")).all() for value in tree.flatten(as_numpy(values)))


def is_close(got, expected, rtol=1e-5, atol=1e-6):
    """Whether two nests of arrays are equal within a tolerance."""
    got, expected = tree.flatten(as_numpy(got)), tree.flatten(as_numpy(expected))
    return len(got) == len(expected) and all(
        one.shape == other.shape and np.allclose(one, other, rtol=rtol, atol=atol)
        for one, other in zip(got, expected, strict=True)
    )


def equal(one, other):
    """Whether two nests of arrays are the same, bit for bit."""
    return is_close(one, other, rtol=0.0, atol=0.0)


def weights(model):
    """(path, value) of every weight, without the states of random seeds, which evaluation may advance."""
    return [(v.path, as_numpy(v.value)) for v in model.variables if v.name != SEED]


def changed(before, after):
    """The paths of the weights that differ between two lists from `weights`, bit for bit; of two models' in order."""
    ensure(len(before) == len(after), f"there are {len(before)} weights on one side, and {len(after)} on the other.")
    pairs = zip(before, after, strict=True)
    return [path for (path, value), (_, other) in pairs if not np.array_equal(value, other, equal_nan=True)]


def seeds(model):
    """The states of random draws, to be given back to the model, or to one that is made alike, by `set_seeds`."""
    return [as_numpy(v.value) for v in model.variables if v.name == SEED]


def set_seeds(model, values):
    for variable, value in zip([v for v in model.variables if v.name == SEED], values, strict=True):
        variable.assign(value)


@contextlib.contextmanager
def untouched(model, what):
    """Raises where the block changed a weight, or drew from the model's own random state."""
    before, states = weights(model), seeds(model)
    yield
    moved = changed(before, weights(model))
    ensure(
        not moved,
        f"{what} changed weights: {moved}. Fix: let state change in `update_state` alone, which training runs.",
    )
    ensure(
        equal(states, seeds(model)),
        f"{what} drew from the random state of {type(model).__name__}, so that it depends on what ran before. "
        "Fix: draw from noise that is given (`sample_from(noise)`), and encode by the posterior's mode.",
    )
