"""Argument checks that every room shares: each returns the value, or raises naming what was accepted and what came."""

import math
import numbers


def _refuse(name, accepted, value, error=ValueError):
    raise error(f"`{name}` must be {accepted}. Received: {name}={value!r}.")


def _number(name, accepted, value):
    single = getattr(value, "shape", ()) == () and hasattr(value, "__float__")
    real = isinstance(value, numbers.Real) or not isinstance(value, numbers.Complex)  # complex64 has a __float__ too
    if isinstance(value, bool) or not (single and real):
        _refuse(name, accepted, value, TypeError)
    number = float(value)
    if not math.isfinite(number):
        _refuse(name, accepted, value)
    return number


def finite(name, value):
    """`value` as a float, if it is finite."""
    return _number(name, "a finite number", value)


def non_negative(name, value):
    """`value` as a float, if it is finite and >= 0."""
    accepted = "a finite number >= 0"
    number = _number(name, accepted, value)
    return number if number >= 0 else _refuse(name, accepted, value)


def positive(name, value):
    """`value` as a float, if it is finite and > 0."""
    accepted = "a finite number > 0"
    number = _number(name, accepted, value)
    return number if number > 0 else _refuse(name, accepted, value)


def in_open_interval(name, value, low, high):
    """`value` as a float, if low < value < high."""
    accepted = f"in ({low:g}, {high:g})"
    number = _number(name, accepted, value)
    return number if low < number < high else _refuse(name, accepted, value)


def in_half_open_interval(name, value, low, high):
    """`value` as a float, if low <= value < high."""
    accepted = f"in [{low:g}, {high:g})"
    number = _number(name, accepted, value)
    return number if low <= number < high else _refuse(name, accepted, value)


def in_closed_interval(name, value, low, high):
    """`value` as a float, if low <= value <= high."""
    accepted = f"in [{low:g}, {high:g}]"
    number = _number(name, accepted, value)
    return number if low <= number <= high else _refuse(name, accepted, value)


def integer(name, value, low=1):
    """`value` as an int, if it is a whole number >= `low`."""
    accepted = f"an integer >= {low}"
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        _refuse(name, accepted, value, TypeError)
    number = value.__index__()
    return number if number >= low else _refuse(name, accepted, value)


def odd(name, value, low=1):
    """`value` as an int, if it is an odd number >= `low`."""
    number = integer(name, value, low)
    return number if number % 2 else _refuse(name, f"odd and >= {low}", value)


def seed_or_none(name, value):
    """`value` as an int, if it is a whole number >= 0; None, a seed drawn from Keras's global one, stays None."""
    return None if value is None else integer(name, value, low=0)


def codebook_sizes(name, value):
    """`value` as an int >= 2, or as a dict of them by level."""
    if isinstance(value, dict) and value:
        return {str(level): integer(f"{name}[{level!r}]", size, low=2) for level, size in value.items()}
    return integer(name, value, low=2)


def integers(name, value, low=1, shortest=0):
    """`value` as a tuple of `shortest` or more ints, each >= `low`."""
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        _refuse(name, f"a sequence of integers >= {low}", value, TypeError)
    numbers = tuple(integer(f"{name}[{i}]", v, low) for i, v in enumerate(value))
    if len(numbers) < shortest:
        _refuse(name, f"a sequence of {shortest} or more integers >= {low}", value)
    return numbers


def one_of(name, value, options):
    """`value`, if it is one of `options`."""
    if value not in options:
        _refuse(name, "one of " + ", ".join(repr(o) for o in options), value)
    return value


def instance(name, value, kind):
    """`value`, if it is an instance of `kind` (a class, or a tuple of classes)."""
    if not isinstance(value, kind):
        kinds = kind if isinstance(kind, tuple) else (kind,)
        _refuse(name, " or ".join(map(_full_name, kinds)), value, TypeError)
    return value


def _full_name(kind):
    package = kind.__module__.split(".")[0].replace("builtins", "")
    return f"a {package} {kind.__name__}".replace("  ", " ")


def check_precision(policy):
    """Raises for a dtype policy of float64: losses are of float32, which TensorFlow does not mix with it."""
    if "float64" in (policy.compute_dtype, policy.variable_dtype):
        raise ValueError(
            "`dtype` must be float32 or half precision, such as 'mixed_bfloat16': densities and losses are float32 on "
            f"every backend. Received: dtype={policy.name!r}."
        )
