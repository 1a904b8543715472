"""Draws that are NumPy's, and so the same on every backend."""

from unittest import mock

import keras
import numpy as np


def with_given_draws(golden):
    """A golden function whose draws from normal distributions are NumPy's, and so the same everywhere."""

    def wrapped(thing):
        rng = np.random.default_rng(0)

        def normal(shape, **_):
            return keras.ops.convert_to_tensor(rng.normal(size=tuple(shape)).astype("float32"))

        with mock.patch.object(keras.random, "normal", normal):
            return golden(thing)

    return wrapped
