"""Schedules: pure functions of the step, an int (a callback assigns the value) or a tensor (inside a loss)."""

import functools
import math

import keras
from keras import ops

from keras_vae.core.checks import in_closed_interval, integer, positive


def linear_schedule(start, end, steps):
    """A straight line from `start` at step 0 to `end` at step `steps`, and `end` from then on.

    Args:
        start: float, the value at step 0.
        end: float, the value from step `steps` on.
        steps: int >= 1, the length of the ramp.

    Returns:
        A function of the step: int -> float, tensor or variable -> float32 tensor.

    Example:
        >>> beta = linear_schedule(0.0, 4.0, steps=100)
        >>> beta(0), beta(25), beta(100), beta(10**6)
        (0.0, 1.0, 4.0, 4.0)
    """
    return functools.partial(_linear, start=float(start), end=float(end), steps=integer("steps", steps))


def cosine_schedule(start, end, steps):
    """Half a cosine from `start` at step 0 to `end` at step `steps`: flat at both ends, `end` from then on.

    Args:
        start: float, the value at step 0.
        end: float, the value from step `steps` on.
        steps: int >= 1, the length of the ramp.

    Returns:
        A function of the step: int -> float, tensor or variable -> float32 tensor.

    Example:
        >>> beta = cosine_schedule(0.0, 4.0, steps=100)
        >>> beta(0), round(beta(50), 6), beta(100)
        (0.0, 2.0, 4.0)
    """
    return functools.partial(_cosine, start=float(start), end=float(end), steps=integer("steps", steps))


def cyclical_schedule(start, end, period, ramp=0.5):
    """A line from `start` to `end` over the first part of each period, then `end` to its end, again and again.

    Annealing beta again and again lets the decoder keep what the latent already says, and fights posterior collapse.

    Args:
        start: float, the value at the beginning of each period.
        end: float, the value at the end of each ramp.
        period: int >= 1, the steps of one cycle.
        ramp: float in (0, 1], the part of the period that the line takes, default 0.5.

    Returns:
        A function of the step: int -> float, tensor or variable -> float32 tensor.

    Reference:
        Fu et al., Cyclical annealing schedule: a simple approach to mitigating KL vanishing, 2019, eqs. 6 and 7.

    Example:
        >>> beta = cyclical_schedule(0.0, 1.0, period=100)
        >>> [beta(step) for step in (0, 25, 50, 99, 100, 125)]
        [0.0, 0.5, 1.0, 1.0, 0.0, 0.5]
    """
    length = integer("period", period) * in_closed_interval("ramp", positive("ramp", ramp), 0.0, 1.0)
    return functools.partial(_cyclical, start=float(start), end=float(end), period=period, length=length)


# Functions of the module under partial(), not closures: a schedule can be pickled, and copied by a tuner.


def _linear(step, start, end, steps):
    return start + (end - start) * _fraction(step, steps)


def _cosine(step, start, end, steps):
    fraction = _fraction(step, steps)
    cosine = ops.cos(math.pi * fraction) if ops.is_tensor(fraction) else math.cos(math.pi * fraction)
    return start + (end - start) * (1.0 - cosine) / 2.0


def _cyclical(step, start, end, period, length):
    step = step.value if isinstance(step, keras.Variable) else step
    return _linear(step % period, start, end, length)


def _fraction(step, steps):
    """step / steps, at most 1."""
    if isinstance(step, keras.Variable) or ops.is_tensor(step):
        return ops.clip(ops.cast(step, "float32") / steps, 0.0, 1.0)
    return min(max(step / steps, 0.0), 1.0)
