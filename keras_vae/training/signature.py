"""What a served model offers: functions by name, and what goes into each."""

import dataclasses
import math

import keras
import numpy as np


@dataclasses.dataclass(frozen=True)
class Served:
    """One input of a served function.

    Args:
        shape: tuple, of one example; None where a size is not known.
        dtype: str.
        example: function (rows, numpy generator) -> array that the live model takes: exports are tried with it.
        limits: dict of what is checked in the graph, as the live model checks it: "interval", "whole", "reason".
    """

    shape: tuple
    dtype: str
    example: callable
    limits: dict = dataclasses.field(default_factory=dict)

    def spec(self, name, batch_size=None):
        """The `keras.InputSpec` of it, under a name, for a number of rows or any."""
        return keras.InputSpec(shape=(batch_size, *self.shape), dtype=self.dtype, name=name)


@dataclasses.dataclass(frozen=True)
class Signature:
    """A function that is served: pure, traceable, for any number of rows.

    Args:
        function: tensors by keyword -> dict of tensors; the keywords and the keys are the names that a client sees.
        inputs: dict, name -> `Served`, in the order of the client's arguments.
        draws: bool, whether it answers a seed with draws, which differ between backends. Default: False.
    """

    function: callable
    inputs: dict
    draws: bool = False


def seed_input():
    """One int32 seed for each row: a request says which draws it wants, whatever batch it is in."""
    return Served((), "int32", lambda rows, rng: np.arange(rows, dtype="int32"))


def condition_input(condition):
    """What a conditional model is told, by its `Condition`.

    Args:
        condition: keras_vae.layers.Condition.
    """
    return Served(condition.input_shape_of_one, condition.input_dtype, condition.examples, condition.limits())


def served_levels(name, levels):
    """What is served under `name`: itself, or of a dict by level each part, as z_top; by name."""
    return {f"{name}_{level}": part for level, part in levels.items()} if isinstance(levels, dict) else {name: levels}


def unserved_levels(name, given, shape):
    """What a client gave under `name`: itself, or where `shape` is a dict by level a dict of its parts."""
    return {level: given[f"{name}_{level}"] for level in shape} if isinstance(shape, dict) else given[name]


def data_input(shape, dtype="float32", interval=None, whole=False, reason=""):
    """Data in an interval, whole numbers or not.

    Args:
        shape: tuple, of one example.
        dtype: str. Default: "float32".
        interval: (low, high), or None for any. Default: None.
        whole: bool. Default: False.
        reason: str, who asks for it. Default: "".
    """

    whole_numbers = np.issubdtype(np.dtype(dtype), np.integer)
    if whole_numbers and interval is not None:
        interval = tuple(int(limit) for limit in interval)  # a graph compares a tensor with numbers of its own kind

    def example(rows, rng):
        low, high = interval or (0.0, 1.0)
        high = low + 1.0 if high == math.inf else high  # the first unit of a half-line
        sizes = [4 if size is None else size for size in shape]
        if whole_numbers:
            return rng.integers(low, int(high) + 1, (rows, *sizes)).astype(dtype)
        values = rng.uniform(low, high, (rows, *sizes)).astype(dtype)
        return np.round(values) if whole else values

    return Served(tuple(shape), dtype, example, {"interval": interval, "whole": whole, "reason": reason})
