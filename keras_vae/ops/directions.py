"""Vectors by their direction: unit vectors, and the rotation trick."""

from keras import ops

from keras_vae.ops.numerics import straight_through

TINY = 1e-12  # a squared length below it is that of a vector without a direction


def unit(x):
    """x / |x| over the last axis; zeros, which have no direction, stay zeros, and get no gradient.

    Args:
        x: float tensor (..., D).

    Returns:
        A tensor of the same shape, of unit vectors.

    Example:

    >>> import numpy as np, keras_vae
    >>> np.asarray(keras_vae.ops.unit(np.array([0.0, 4.0], "float32"))).round(5).tolist()
    [0.0, 1.0]
    """
    x = ops.convert_to_tensor(x)
    square = ops.sum(ops.square(x), axis=-1, keepdims=True)
    # Not x / 1e-6 there, whose gradient is a million: the features of a black part of an image are exact zeros.
    return x * ops.where(square > TINY, ops.rsqrt(ops.maximum(square, TINY)), 0.0)


def rotate_through(soft, hard):
    """`hard` in the forward pass; its gradient reaches `soft` through the rotation that takes one to the other.

    hard = (|hard| / |soft|) R soft with R = I - 2 r r^T + 2 v u^T, u and v the directions of `soft` and `hard`, r that
    of u + v; R and the ratio are constants. Where `straight_through` hands on the gradient as it is, this keeps its
    angle to the vector, so that features of one code are told apart by where about the code they lie. Where `soft` is
    zero it has no direction, and the gradient is handed on as it is.

    Args:
        soft: float tensor (..., D), differentiable.
        hard: tensor of the same shape, the value to return.

    Returns:
        A tensor equal to `hard`, with d/d soft = (|hard| / |soft|) R.

    Reference:
        Fifty et al. 2024, Restructuring vector quantization with the rotation trick, arXiv:2410.06424.

    Example:

    >>> import numpy as np, keras_vae
    >>> soft, hard = np.array([1.0, 0.0], "float32"), np.array([0.0, 2.0], "float32")
    >>> np.asarray(keras_vae.ops.rotate_through(soft, hard)).tolist()
    [0.0, 2.0]
    """
    soft, hard = ops.convert_to_tensor(soft), ops.stop_gradient(ops.convert_to_tensor(hard))
    fixed = ops.stop_gradient(soft)
    u, v = unit(fixed), unit(hard)
    r = unit(u + v)
    # R soft by its three terms: no matrix of D x D for each vector.
    turned = soft - 2.0 * r * _inner(r, soft) + 2.0 * v * _inner(u, soft)
    square = _inner(fixed, fixed)
    ratio = ops.sqrt(_inner(hard, hard) / ops.maximum(square, TINY))
    return straight_through(ops.where(square > TINY, ratio * turned, soft), hard)


def _inner(a, b):
    return ops.sum(a * b, axis=-1, keepdims=True)
