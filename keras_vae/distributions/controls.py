"""What a sampler may be told, of all draws or of each: a temperature, and how much of a distribution is kept."""

import numbers

from keras import ops

from keras_vae.core.checks import in_closed_interval, integer, positive


def checked_temperature(temperature, like):
    """A temperature to divide `like` by: a float > 0, or a tensor (batch,), unchecked, with axes added."""
    return _checked(temperature, like, "float32", lambda number: positive("temperature", number))


def checked_truncation(top_k, top_p, classes, like):
    """(top_k, top_p) to compare with what has as many axes as `like`; None keeps all of so many `classes`."""
    top_k = classes if top_k is None else top_k
    top_p = 1.0 if top_p is None else top_p
    top_k = _checked(top_k, like, "int32", lambda number: integer("top_k", number))
    return top_k, _checked(top_p, like, "float32", lambda number: in_closed_interval("top_p", number, 0.0, 1.0))


def _checked(value, like, dtype, check):
    if isinstance(value, numbers.Real):
        return check(value)
    value = ops.cast(ops.convert_to_tensor(value), dtype)
    return ops.reshape(value, (-1, *(1,) * (len(like.shape) - 1)))
