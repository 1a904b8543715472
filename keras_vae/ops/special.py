"""Functions about the gamma function that keep their digits: in float32 lgamma(10^4) alone has an error of 1/250.

Stirling's formula takes the large part out, lgamma(a) = (a - 1/2) log a - a + log(2 pi) / 2 + stirling(a), and what is
left of a density or a divergence is written with `log_excess`, in which nothing large cancels.
"""

import math

from keras import ops

from keras_vae import _backend
from keras_vae._backend import digamma as digamma
from keras_vae._backend import lgamma as lgamma

HALF_LOG_2_PI = 0.5 * math.log(2.0 * math.pi)
EULER = 0.5772156649015329  # minus digamma(1)
LARGE = 8.0  # from here on four terms of the series are exact in float32


def stirling(a):
    """lgamma(a) - [(a - 1/2) log a - a + log(2 pi) / 2], about 1 / (12 a), for a > 0."""
    low, inverse = ops.minimum(a, LARGE), 1.0 / ops.maximum(a, LARGE)
    square = ops.square(inverse)
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    exact = lgamma(low) - (low - 0.5) * ops.log(low) + low - HALF_LOG_2_PI
    return ops.where(a < LARGE, exact, series)


def stirling_slope(a):
    """The derivative of `stirling`: digamma(a) - log a + 1 / (2 a), about -1 / (12 a^2), for a > 0."""
    low, inverse = ops.minimum(a, LARGE), 1.0 / ops.maximum(a, LARGE)
    square = ops.square(inverse)
    series = -square * (1 / 12 - square * (1 / 120 - square * (1 / 252 - square / 240)))
    return ops.where(a < LARGE, digamma(low) - ops.log(low) + 0.5 / low, series)


def log_excess(ratio, excess=None):
    """log(ratio) - (ratio - 1), which is <= 0 and about -(ratio - 1)^2 / 2 near one, for ratio > 0.

    Args:
        ratio: float tensor > 0.
        excess: ratio - 1, where it is known with more digits. Default: None.
    """
    excess = ratio - 1.0 if excess is None else excess
    near = ops.abs(excess) < 0.5
    # log(1 + e) = 2 artanh(s) with s = e / (2 + e), and e = 2 s / (1 - s): what they share is left out.
    e = ops.where(near, excess, 0.0)
    s = e / (2.0 + e)
    square = ops.square(s)
    series = 1 / 3 + square * (1 / 5 + square * (1 / 7 + square * (1 / 9 + square * (1 / 11 + square / 13))))
    close = s * (2.0 * square * series - e)
    return ops.where(near, close, ops.log(ops.where(near, 1.0, ratio)) - excess)


def lgamma_divergence(p, q):
    """lgamma(p) - lgamma(q) - (p - q) digamma(q), >= 0: of such terms the divergences of Gamma and its kin consist."""
    return _small_divergence(p, q) - p * log_excess(q / p, (q - p) / p)


def dirichlet_divergence(p, q):
    """KL(q || p) of Dirichlets on the last axis: where concentrations are large their means alone are compared."""
    totals = (ops.sum(each, axis=-1, keepdims=True) for each in (p, q))
    mean_p, mean_q = p / ops.sum(p, axis=-1, keepdims=True), q / ops.sum(q, axis=-1, keepdims=True)
    shares = _small_divergence(p, q) - p * log_excess(mean_q / mean_p, (mean_q - mean_p) / mean_p)
    return ops.sum(shares, axis=-1) - _small_divergence(*totals)[..., 0]


def _small_divergence(p, q):
    """`lgamma_divergence` without its term that grows with p and q."""
    near = -0.5 * log_excess(p / q, (p - q) / q)
    return near + stirling(p) - stirling(q) - (p - q) * stirling_slope(q)


def gamma_entropy_share(a):
    """The entropy of Gamma(a, 1) less log(2 pi) / 2: (log a + 1 - 1/a) / 2 + stirling(a) - (a - 1) stirling_slope."""
    return 0.5 * (ops.log(a) + 1.0 - 1.0 / a) + stirling(a) - (a - 1.0) * stirling_slope(a)


def log_gamma_ratio(h, k):
    """lgamma(h + k) - lgamma(h) - k log(h), about k (k - 1) / (2 h), for h, k > 0."""
    return (h + k - 0.5) * ops.log1p(k / h) - k + stirling(h + k) - stirling(h)


def gamma_quantile_slope(a, z, log_z):
    """d log z / da of a draw z of Gamma(a, 1) at a fixed quantile: the implicit gradient, a constant to what follows.

    The backend's own function, and asymptotic forms where its value or its precision ends: for small z the CDF is
    z^a exp(-z a / (a + 1)) / Gamma(a + 1) up to z^2, and for large a the cube root of z is normal (Wilson & Hilferty
    1931). Each is within 1e-4 where it is taken.
    """
    a, z, log_z = ops.stop_gradient(a), ops.stop_gradient(z), ops.stop_gradient(log_z)
    small, large = z < 1e-3, a > 300.0
    below = ops.minimum(z, 1e-3)
    start = (digamma(a + 1.0) - log_z + below / ops.square(a + 1.0)) / (a * (1.0 - below / (a + 1.0)))
    root = ops.exp((log_z - ops.log(a)) / 3.0)
    normal = (1.5 - 0.5 * root + 1.0 / (6.0 * a)) / (a * root)
    usual = ops.logical_not(ops.logical_or(small, large))
    safe = ops.where(usual, z, 1.0)
    native = _backend.gamma_slope(ops.where(usual, a, 1.0), safe) / safe
    return ops.stop_gradient(ops.where(small, start, ops.where(large, normal, native)))


def log_beta(a, b):
    """log B(a, b), in which lgammas of large a and b do not cancel."""
    n = a + b
    shares = (a - 0.5) * _log_share(a, b, n) + (b - 0.5) * _log_share(b, a, n)
    return shares - 0.5 * ops.log(n) + HALF_LOG_2_PI + stirling(a) + stirling(b) - stirling(n)


def dirichlet_entropy(concentration):
    """The entropy of a Dirichlet, or of a Beta as one of two components, on the last axis."""
    k, n = concentration.shape[-1], ops.sum(concentration, axis=-1)
    shares = ops.sum(gamma_entropy_share(concentration), axis=-1)
    rest = (0.5 - k) * ops.log(n) - 0.5 + 0.5 * k / n + (n - k) * stirling_slope(n) - stirling(n)
    return shares + rest + (k - 1) * HALF_LOG_2_PI


def _log_share(a, b, n):
    """log(a / n) for n = a + b, with its digits where it is near zero."""
    return ops.where(a > b, ops.log1p(-ops.minimum(b / n, 0.5)), ops.log(a / n))
