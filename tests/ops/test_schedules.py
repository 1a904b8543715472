"""Schedules: values by hand, the same on tensors as on ints, and fit to be copied and pickled."""

import copy
import math
import pickle

import keras
import numpy as np
import pytest
from keras import ops

from keras_vae.ops.schedules import cosine_schedule, cyclical_schedule, linear_schedule

ALL = {
    "up": linear_schedule(0.0, 4.0, 10),
    "down": linear_schedule(1.0, 0.5, 4),
    "cosine": cosine_schedule(1.0, 3.0, 8),
    "cyclical": cyclical_schedule(0.0, 1.0, period=8, ramp=0.5),
    "sawtooth": cyclical_schedule(2.0, 1.0, period=5, ramp=1.0),
}


@pytest.mark.parametrize(
    "name, values",
    [
        ("up", {0: 0.0, 1: 0.4, 5: 2.0, 10: 4.0, 11: 4.0, 10**7: 4.0}),
        ("down", {0: 1.0, 2: 0.75, 4: 0.5, 9: 0.5}),
        ("cosine", {0: 1.0, 2: 2 - math.sqrt(0.5), 4: 2.0, 6: 2 + math.sqrt(0.5), 8: 3.0, 100: 3.0}),
        ("cyclical", {0: 0.0, 1: 0.25, 3: 0.75, 4: 1.0, 7: 1.0, 8: 0.0, 9: 0.25, 17: 0.25}),
        ("sawtooth", {0: 2.0, 1: 1.8, 4: 1.2, 5: 2.0}),
    ],
)
def test_values_by_hand(name, values):
    for step, value in values.items():
        assert ALL[name](step) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_tensors_and_variables_give_what_ints_give(name):
    schedule, variable = ALL[name], keras.Variable(0, dtype="int32", trainable=False)
    for step in (0, 1, 3, 5, 8, 13):
        variable.assign(step)
        for given in (ops.convert_to_tensor(step, "int32"), variable):
            value = schedule(given)
            assert ops.is_tensor(value) and keras.backend.standardize_dtype(value.dtype) == "float32"
            assert float(value) == pytest.approx(schedule(step), abs=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_copied_and_pickled_they_are_the_same(name):
    for other in (copy.deepcopy(ALL[name]), pickle.loads(pickle.dumps(ALL[name]))):
        assert [other(step) for step in range(12)] == [ALL[name](step) for step in range(12)]


def test_a_cycle_repeats():
    values = np.array([ALL["cyclical"](step) for step in range(24)]).reshape(3, 8)
    assert (values == values[0]).all() and values.max() == 1.0


def test_arguments_are_checked():
    with pytest.raises(ValueError, match="`steps` must be an integer >= 1"):
        linear_schedule(0, 1, 0)
    with pytest.raises(TypeError, match="`steps` must be an integer"):
        cosine_schedule(0, 1, 0.5)
    with pytest.raises(ValueError, match="`period` must be an integer >= 1"):
        cyclical_schedule(0, 1, 0)
    for ramp in (0.0, 1.5):
        with pytest.raises(ValueError, match="`ramp` must be"):
            cyclical_schedule(0, 1, 10, ramp=ramp)
