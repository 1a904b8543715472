"""The maximum mean discrepancy of two samples."""

from keras import ops

from keras_vae.ops.numerics import float32

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)  # of the kernel, as the paper's own code adds them up
TINY = 1e-30  # fewer than two examples that count: nothing is divided by zero


def mmd(x, y, weights=None, scales=SCALES):
    """Maximum mean discrepancy of two samples, by the unbiased estimate with inverse multiquadratic kernels.

    With k(a, b) = sum_s C_s / (C_s + ||a - b||^2), C_s = 2 d s, d the latents (Tolstikhin et al. 2018, section 4):
    MMD = mean_{i != j} k(x_i, x_j) + mean_{i != j} k(y_i, y_j) - 2 mean_{i, j} k(x_i, y_j). Its mean is zero where
    both have one distribution and positive elsewhere; the estimate itself may be negative.

    Args:
        x: float tensor (n, d), n >= 2.
        y: float tensor (m, d), m >= 2, of variance about one.
        weights: float tensor (n,), how much each x counts, or None for all alike. Default: None.
        scales: sequence of floats > 0, s. Default: (0.1, 0.2, 0.5, 1, 2, 5, 10).

    Returns:
        A float32 scalar.

    Reference:
        Gretton et al. 2012, JMLR 13:723, eq. 3. Tolstikhin, Bousquet, Gelly & Schoelkopf 2018, arXiv:1711.01558.

    Example:

    >>> import numpy as np
    >>> from keras_vae.losses import mmd
    >>> x, y = np.array([[0.0], [0.0]], "float32"), np.array([[2.0], [2.0]], "float32")
    >>> round(float(mmd(x, y, scales=(1.0,))), 4)  # 1 + 1 - 2 * 2 / (2 + 4)
    1.3333
    """
    x, y = float32(ops.convert_to_tensor(x)), float32(ops.convert_to_tensor(y))
    w = ops.ones_like(x[:, 0]) if weights is None else float32(ops.convert_to_tensor(weights))
    v = ops.ones_like(y[:, 0])
    across = ops.sum(w[:, None] * v[None] * _kernel(x, y, scales)) / ops.maximum(ops.sum(w) * ops.sum(v), TINY)
    return _within(x, w, scales) + _within(y, v, scales) - 2.0 * across


def _within(x, w, scales):
    """The mean of the kernel over pairs of different examples."""
    order = ops.arange(ops.shape(x)[0])
    pairs = w[:, None] * w[None] * ops.cast(ops.not_equal(order[:, None], order[None]), "float32")
    return ops.sum(pairs * _kernel(x, x, scales)) / ops.maximum(ops.sum(pairs), TINY)


def _kernel(x, y, scales):
    """k(x_i, y_j), (n, m)."""
    squares = ops.sum(ops.square(x), axis=-1)[:, None] + ops.sum(ops.square(y), axis=-1)[None]
    distances = ops.maximum(squares - 2.0 * ops.matmul(x, ops.transpose(y)), 0.0)
    widths = [2.0 * x.shape[-1] * scale for scale in scales]
    return sum(width / (width + distances) for width in widths)
