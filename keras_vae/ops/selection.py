"""The k largest entries: the same ones on every backend, ties included."""

from keras import ops

from keras_vae import _backend


def top_k_mask(x, k):
    """Which entries are among the k largest of the last axis: exactly k of them, ties to the lowest index.

    An entry is kept if it is above the k-th largest value, a threshold that adjusts itself to each row; of entries
    equal to that threshold the first ones fill what is missing. `keras.ops.top_k` would break ties on each backend in
    its own way, and needs a k that is known when the step is compiled. The mask carries no gradient.

    Args:
        x: float tensor of shape (..., units), finite.
        k: int >= 1, or a scalar tensor or variable, which a compiled step reads anew; at most `units` are kept.

    Returns:
        A bool tensor of the shape of x.

    Example:

    >>> import numpy as np, keras_vae
    >>> np.asarray(keras_vae.ops.top_k_mask(np.array([[3.0, 1.0, 2.0, 2.0]], "float32"), 2)).astype(int).tolist()
    [[1, 0, 1, 0]]
    """
    return _largest(_ordered(x), k)


def batch_top_k_mask(x, k):
    """Which entries are among the (batch * k) largest of the whole batch: k per example on average (BatchTopK).

    Args:
        x: float tensor of shape (batch, units), finite.
        k: int >= 1, at most `units`.

    Returns:
        A bool tensor of the shape of x.

    Reference:
        Bussmann, Leask & Nanda 2024, arXiv:2412.06410.

    Example:

    >>> import numpy as np, keras_vae
    >>> x = np.array([[3.0, 1.0], [4.0, 2.5]], "float32")
    >>> np.asarray(keras_vae.ops.batch_top_k_mask(x, 1)).astype(int).tolist()
    [[1, 0], [1, 0]]
    """
    key = _ordered(x)
    shape = ops.shape(key)
    return ops.reshape(_largest(ops.reshape(key, (-1,)), k * shape[0]), shape)


def _largest(key, k):
    """The mask of the k largest integers of the last axis, ties to the lowest index."""
    k = ops.minimum(ops.maximum(ops.cast(ops.convert_to_tensor(k), "int32"), 1), ops.shape(key)[-1])
    threshold = _backend.kth_largest(key, k)
    above, tied = key > threshold, ops.equal(key, threshold)
    missing = k - _count(above)  # >= 1
    return ops.logical_or(above, ops.logical_and(tied, _first(tied, missing)))


def _count(mask):
    return ops.sum(ops.cast(mask, "int32"), axis=-1, keepdims=True)


def _ordered(x):
    """Integers in the order of the floats: their bits, those of negative numbers turned round; -0 is 0."""
    x = ops.stop_gradient(ops.cast(x, "float32"))
    bits = ops.view(ops.where(ops.equal(x, 0.0), ops.zeros_like(x), x), "int32")
    return ops.where(bits < 0, ops.bitwise_xor(bits, 0x7FFFFFFF), bits)


def _first(mask, count):
    """Which positions are not after the `count`-th True of the last axis, by bisection: a `cumsum` is slow on XLA."""
    units = ops.shape(mask)[-1]
    steps = units.bit_length() if isinstance(units, int) else 31
    positions = ops.arange(units, dtype="int32")

    def body(i, bounds):
        low, high = bounds  # the last position to keep is in [low, high]
        middle = ops.floor_divide(low + high, 2)
        enough = _count(ops.logical_and(mask, positions <= middle)) >= count
        return ops.where(enough, low, middle + 1), ops.where(enough, middle, high)

    low = ops.zeros_like(count)
    bounds = ops.fori_loop(0, steps, body, (low, low + (units - 1)))
    return positions <= bounds[1]
