"""Squared Frobenius norms of Jacobians, ||J||_F^2 = sum_ij (d h_j / d x_i)^2, per example."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae import _backend
from keras_vae.ops.numerics import float32, sum_event

ROWS = 4096  # examples times directions that go through the function at once
MOST = 128  # such blocks, each traced on its own


def sigmoid_squared_jacobian(h, kernel):
    """||J||_F^2 of one sigmoid layer h = sigmoid(x W + b): sum_j (h_j (1 - h_j))^2 ||W_j||^2.

    As cheap as the layer itself. Rifai et al. 2011, eq. 7.

    Args:
        h: float tensor (batch, units), the layer's output.
        kernel: float tensor or variable (inputs, units), W.

    Returns:
        Float tensor (batch,).

    Reference:
        Rifai et al. 2011, Contractive Auto-Encoders, ICML.

    Example:

    >>> import numpy as np, keras_vae
    >>> h, kernel = np.full((1, 1), 0.5, "float32"), np.full((3, 1), 2.0, "float32")
    >>> float(keras_vae.losses.sigmoid_squared_jacobian(h, kernel)[0])  # (1/4)^2 * 12
    0.75
    """
    h = float32(ops.convert_to_tensor(h))
    slope = h * (1.0 - h)
    return ops.matmul(ops.square(slope), ops.sum(ops.square(ops.convert_to_tensor(kernel)), axis=0))


def squared_jacobian(function, x, **held):
    """||J||_F^2 of any function, exactly: one forward derivative (`jvp`) along each dimension of x.

    The directions go through `function` in blocks, with the batch repeated, so that memory stays bounded and few
    derivatives are traced; still it costs as much as x has dimensions. `hutchinson_squared_jacobian` is the cheap one.

    Args:
        function: a pure function of a tensor (n, ...) to a tensor (n, ...), each example on its own.
        x: float tensor (batch, ...), its sizes but the batch known.
        **held: further arguments of `function`, tensors (batch, ...), with respect to which it is not differentiated.

    Returns:
        Float tensor (batch,).

    Raises:
        ValueError: if x has so many dimensions that the graph would have hundreds of derivatives.

    Example:

    >>> import numpy as np, keras_vae
    >>> x = np.array([[1.0, 2.0]], "float32")
    >>> float(keras_vae.losses.squared_jacobian(lambda t: t * t, x)[0])  # 2^2 + 4^2
    20.0
    """
    x = ops.convert_to_tensor(x)
    values = math.prod(x.shape[1:])
    batch = x.shape[0] or 128  # unknown while tracing for any batch size: a guess that only sizes the blocks
    block = max(1, min(values, ROWS // batch))
    if values > block * MOST:
        raise ValueError(
            f"`x` must have at most {block * MOST} values per example in batches of {batch} for the exact norm: use "
            f"`hutchinson_squared_jacobian` (`probes`), or smaller batches. Received: shape {tuple(x.shape)}."
        )
    total = 0.0
    for start in range(0, values, block):
        count = min(block, values - start)
        rows = ops.one_hot(np.arange(start, start + count), values, dtype=x.dtype)
        tangents = ops.reshape(ops.tile(rows, (ops.shape(x)[0], 1)), (-1, *x.shape[1:]))  # (batch * count, ...)
        derivative = _derivative(function, x, tangents, count, held)
        total = total + ops.sum(ops.reshape(sum_event(ops.square(derivative)), (-1, count)), axis=-1)
    return total


def hutchinson_squared_jacobian(function, x, probes, seed, **held):
    """||J||_F^2 of any function, estimated: the mean of ||J v||^2 over normal directions v, which is unbiased.

    Args:
        function: a pure function of a tensor (n, ...) to a tensor (n, ...), each example on its own.
        x: float tensor (batch, ...), its sizes but the batch known.
        probes: int >= 1, directions per example.
        seed: keras.random.SeedGenerator, of the directions.
        **held: further arguments of `function`, tensors (batch, ...), with respect to which it is not differentiated.

    Returns:
        Float tensor (batch,).

    Reference:
        Hutchinson 1989, Communications in Statistics 18:1059.

    Example:

    >>> import numpy as np, keras, keras_vae
    >>> x, seed = np.zeros((1, 1), "float32"), keras.random.SeedGenerator(0)
    >>> estimate = keras_vae.losses.hutchinson_squared_jacobian(lambda t: 2.0 * t, x, 4096, seed)
    >>> 3.5 < float(estimate[0]) < 4.5  # J = 2
    True
    """
    x = ops.convert_to_tensor(x)
    shape = (ops.shape(x)[0] * probes, *x.shape[1:])
    tangents = keras.random.normal(shape, dtype=x.dtype, seed=seed)
    derivative = _derivative(function, x, tangents, probes, held)
    return ops.mean(ops.reshape(sum_event(ops.square(derivative)), (-1, probes)), axis=-1)


def _derivative(function, x, tangents, count, held):
    """The derivatives of `function` along `count` tangents for each example of x."""
    held = {name: ops.repeat(value, count, axis=0) for name, value in held.items()}
    x, tangents = ops.copy(ops.repeat(x, count, axis=0)), ops.copy(tangents)  # torch refuses views that share memory
    derivative = _backend.jvp(lambda x: function(x, **held), (x,), (tangents,))[1]
    return float32(derivative)  # squares of half precision would overflow
