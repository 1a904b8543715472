"""Argument checks: what they accept they return, and what they refuse they name."""

import numpy as np
import pytest

from keras_vae.core import checks

GOOD = [
    (checks.non_negative, (), 0, 0.0),
    (checks.non_negative, (), np.float32(0.5), 0.5),
    (checks.positive, (), 2, 2.0),
    (checks.in_open_interval, (0, 1), 0.5, 0.5),
    (checks.in_half_open_interval, (0, 1), 0, 0.0),
    (checks.in_closed_interval, (0, 1), 1, 1.0),
    (checks.integer, (), np.int64(3), 3),
    (checks.integer, (0,), 0, 0),
    (checks.integers, (), [3, np.int32(4)], (3, 4)),
    (checks.one_of, (("a", "b"),), "a", "a"),
    (checks.instance, (str,), "x", "x"),
]
BAD = [
    (checks.non_negative, (), -1e-9, ValueError, "a finite number >= 0"),
    (checks.non_negative, (), float("nan"), ValueError, "a finite number >= 0"),
    (checks.non_negative, (), "1", TypeError, "a finite number >= 0"),
    (checks.positive, (), 0, ValueError, "a finite number > 0"),
    (checks.positive, (), True, TypeError, "a finite number > 0"),
    (checks.positive, (), float("inf"), ValueError, "a finite number > 0"),
    (checks.in_open_interval, (0, 1), 0, ValueError, r"in \(0, 1\)"),
    (checks.in_half_open_interval, (0, 1), 1.0, ValueError, r"in \[0, 1\)"),
    (checks.in_closed_interval, (0, 1), 1.01, ValueError, r"in \[0, 1\]"),
    (checks.integer, (), 0, ValueError, "an integer >= 1"),
    (checks.integer, (), 2.0, TypeError, "an integer >= 1"),
    (checks.integers, (), "12", TypeError, "a sequence of integers"),
    (checks.integers, (), 3, TypeError, "a sequence of integers"),
    (checks.one_of, (("a", "b"),), "c", ValueError, "one of 'a', 'b'"),
    (checks.instance, (str,), 3, TypeError, "str"),
    (checks.instance, ((str, bytes),), 3, TypeError, "a str or a bytes"),
]


@pytest.mark.parametrize("check, options, value, expected", GOOD, ids=lambda v: getattr(v, "__name__", str(v)))
def test_accepts(check, options, value, expected):
    got = check("rate", value, *options)
    assert got == expected and type(got) is type(expected)


@pytest.mark.parametrize("check, options, value, error, accepted", BAD, ids=lambda v: getattr(v, "__name__", str(v)))
def test_refuses_by_name(check, options, value, error, accepted):
    with pytest.raises(error, match=rf"`rate` must be .*{accepted}.* Received: rate={value!r}"):
        check("rate", value, *options)


def test_integers_names_the_entry():
    with pytest.raises(ValueError, match=r"`units\[1\]` must be an integer >= 1. Received: units\[1\]=0"):
        checks.integers("units", [4, 0])
