"""Small numerics that several rooms need: each formula stands here once."""

import math

import keras
from keras import ops


def straight_through(soft, hard):
    """`hard` in the forward pass, the gradient of `soft` in the backward pass (Bengio et al. 2013, arXiv:1308.3432).

    Args:
        soft: float tensor, differentiable.
        hard: tensor of the same shape, the value to return.

    Returns:
        A tensor equal to `hard`, with d/dx = d soft/dx.

    Example:

    >>> import keras_vae
    >>> float(keras_vae.ops.straight_through(0.3, 1.0))
    1.0
    """
    soft, hard = ops.convert_to_tensor(soft), ops.convert_to_tensor(hard)
    return ops.stop_gradient(hard) + (soft - ops.stop_gradient(soft))  # in this order the value is `hard` exactly


def clip_straight_through(x, low, high):
    """x held in [low, high], the gradient that of x: what has left the range can come back, where `clip` would keep it.

    Args:
        x: float tensor, finite.
        low: float.
        high: float.

    Returns:
        A tensor of the shape of x, with d/dx = 1.

    Example:

    >>> import keras_vae
    >>> [float(keras_vae.ops.clip_straight_through(x, -1.0, 1.0)) for x in (-3.0, 0.5, 2.0)]
    [-1.0, 0.5, 1.0]
    """
    x = ops.convert_to_tensor(x)
    return straight_through(x, ops.clip(x, low, high))


def log_mean_exp(x, axis=-1):
    """log(mean(exp(x))) along one axis, without overflow: the importance-weighted bound of log weights.

    Args:
        x: float tensor, in nats.
        axis: int, the axis that is averaged over. Default: -1.

    Returns:
        A tensor with `axis` removed, in nats.

    Example:

    >>> import numpy as np, keras_vae
    >>> float(keras_vae.ops.log_mean_exp(np.array([1000.0, 1000.0], "float32")))
    1000.0
    """
    x = ops.convert_to_tensor(x)
    return ops.logsumexp(x, axis=axis) - math.log(x.shape[axis])


def compensated_sum(total, lost, more):
    """One more summand for a running sum in float32, which keeps what its rounding loses and adds it the next time.

    A plain sum of ones stops at 2^24 = 16,777,216: there one is less than half a step.

    Args:
        total: float tensor, the sum so far.
        lost: float tensor of the same shape, what is in `total` too much; zeros to begin with.
        more: float tensor of the same shape.

    Returns:
        (total, lost) with `more` added.

    Reference:
        Kahan 1965, Further remarks on reducing truncation errors, Communications of the ACM 8:40.

    Example:

    >>> import numpy as np, keras_vae
    >>> total, lost = np.float32(2**24), np.float32(0)
    >>> for _ in range(4):
    ...     total, lost = keras_vae.ops.compensated_sum(total, lost, np.float32(1))
    >>> float(total) - 2**24
    4.0
    """
    more = more - lost
    raised = total + more
    return raised, (raised - total) - more


def sum_event(x):
    """Sums everything but the first axis: (batch, ...) -> (batch,).

    Args:
        x: tensor of shape (batch, ...).

    Returns:
        A tensor of shape (batch,).

    Example:

    >>> import numpy as np, keras_vae
    >>> np.asarray(keras_vae.ops.sum_event(np.ones((2, 3, 4), "float32"))).tolist()
    [12.0, 12.0]
    """
    axes = tuple(range(1, len(x.shape)))
    return ops.sum(x, axis=axes) if axes else x


def flat(x):
    """(batch, ...) -> (batch, values): with the short channel axis last, XLA on CPU would not vectorise a density.

    Args:
        x: tensor of shape (batch, ...).

    Returns:
        A tensor of shape (batch, values).

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.ops.flat(np.ones((2, 3, 4), "float32")).shape)
    (2, 12)
    """
    x = ops.convert_to_tensor(x)
    if None in x.shape[1:]:  # a tf.data stream that does not say its sizes
        return ops.reshape(x, (ops.shape(x)[0], -1))
    return ops.reshape(x, (-1, math.prod(x.shape[1:])))


def flat_mask(mask, like):
    """A mask of the first axes of `like`, for each of its values: (batch, time) -> bool (batch, values).

    Args:
        mask: tensor (batch, ...), its axes the first ones of `like`; numbers other than zero count as True.
        like: tensor (batch, ...).

    Returns:
        A bool tensor (batch, values), in the order of `flat(like)`.

    Example:

    >>> import numpy as np, keras_vae
    >>> np.asarray(keras_vae.ops.flat_mask(np.array([[1, 0]]), np.zeros((1, 2, 2)))).tolist()
    [[True, True, False, False]]
    """
    mask, like = ops.cast(mask, "bool"), ops.convert_to_tensor(like)
    mask = ops.reshape(mask, (*ops.shape(mask), *(1,) * (len(like.shape) - len(mask.shape))))
    return flat(ops.broadcast_to(mask, ops.shape(like)))


def float32(x):
    """Casts a floating tensor to float32, leaves other dtypes: losses are of float32 under any dtype policy.

    Args:
        x: tensor.

    Returns:
        The tensor, float32 if it was of a floating dtype.

    Example:

    >>> import numpy as np, keras, keras_vae
    >>> keras.backend.standardize_dtype(keras_vae.ops.float32(keras.ops.ones((2,), "float16")).dtype)
    'float32'
    """
    floating = keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype))
    return ops.cast(x, "float32") if floating else x
