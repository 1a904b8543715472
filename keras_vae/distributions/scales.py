"""Scales of elliptical families, a full one and one of low rank: S S^T is the covariance of a normal."""

import math

import numpy as np
from keras import ops

from keras_vae.core.checks import integer
from keras_vae.distributions.parameter import POSITIVE, REAL, Parameter
from keras_vae.ops.noise import Noise


class FullScale:
    """S lower triangular, (..., d, d), with a positive diagonal."""

    def __init__(self, scale_tril):
        self.root = scale_tril  # (..., d, m), of which S S^T = root root^T

    def noise_spec(self, shape):
        """What `times` takes for events of `shape`."""
        return Noise("normal", shape)

    def times(self, noise):
        """S n, a draw of N(0, S S^T)."""
        return (self.root @ ops.expand_dims(ops.cast(noise, "float32"), -1))[..., 0]

    def squares(self, columns):
        """v^T (S S^T)^-1 v of each column v of (..., d, m): (..., m)."""
        return ops.sum(ops.square(ops.solve_triangular(self.root, columns, lower=True)), axis=-2)

    def log_det(self):
        """log det S, (...)."""
        return ops.sum(ops.log(ops.diagonal(self.root, axis1=-2, axis2=-1)), axis=-1)


class LowRankScale:
    """S S^T = diagonal^2 + factor factor^T, with factors (..., d, r): d (r + 1) numbers instead of d (d + 1) / 2.

    With A = diagonal^-1 factor, v^T (S S^T)^-1 v is the least |diagonal^-1 v - A y|^2 + |y|^2 over y: a sum of squares,
    where Woodbury's formula is a difference.
    """

    def __init__(self, diagonal, factor):
        self.diagonal, self.factor = diagonal, factor
        self._a = factor / ops.expand_dims(diagonal, -1)
        across = ops.swapaxes(self._a, -1, -2)
        self._inner = ops.cholesky(across @ self._a + ops.eye(factor.shape[-1]))  # (..., r, r)

    @property
    def root(self):
        eye = ops.eye(self.factor.shape[-2])
        return ops.concatenate([ops.expand_dims(self.diagonal, -1) * eye, self.factor], axis=-1)

    def noise_spec(self, shape):
        """What `times` takes for events of `shape`."""
        rank = self.factor.shape[-1]
        return {"diagonal": Noise("normal", shape), "factor": Noise("normal", (*shape[:-1], rank))}

    def times(self, noise):
        """A draw of N(0, S S^T)."""
        along = self.factor @ ops.expand_dims(ops.cast(noise["factor"], "float32"), -1)
        return self.diagonal * ops.cast(noise["diagonal"], "float32") + along[..., 0]

    def squares(self, columns):
        """v^T (S S^T)^-1 v of each column v of (..., d, m): (..., m)."""
        scaled = columns / ops.expand_dims(self.diagonal, -1)
        y = ops.solve_triangular(self._inner, ops.swapaxes(self._a, -1, -2) @ scaled, lower=True)
        y = ops.solve_triangular(ops.swapaxes(self._inner, -1, -2), y, lower=False)
        return ops.sum(ops.square(scaled - self._a @ y), axis=-2) + ops.sum(ops.square(y), axis=-2)

    def log_det(self):
        """log det S, (...)."""
        inner = ops.sum(ops.log(ops.diagonal(self._inner, axis1=-2, axis2=-1)), axis=-1)
        return ops.sum(ops.log(self.diagonal), axis=-1) + inner


class _Triangle(Parameter):
    def check(self, name, value):
        """A square matrix as nested lists, zero above its diagonal and positive on it."""
        rows = REAL.check(name, value)
        matrix = np.asarray(rows)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or np.any(np.triu(matrix, 1)):
            raise ValueError(f"`{name}` must be a lower triangular matrix. Received: {name}={value!r}.")
        if np.any(np.diag(matrix) <= 0):
            raise ValueError(f"`{name}` must have a positive diagonal. Received: {name}={value!r}.")
        return rows


def _triangle(raw):
    """(..., d (d + 1) / 2) -> (..., d, d): the logarithms of the diagonal, then what is below it row by row."""
    d = (math.isqrt(8 * raw.shape[-1] + 1) - 1) // 2
    values = [POSITIVE.link(raw[..., :d]), raw[..., d:], ops.zeros_like(raw[..., :1])]
    places = np.full((d, d), raw.shape[-1])  # of the zero
    places[np.arange(d), np.arange(d)] = np.arange(d)
    places[np.tril_indices(d, -1)] = d + np.arange(d * (d - 1) // 2)
    matrix = ops.take(ops.concatenate(values, axis=-1), places.ravel(), axis=-1)
    return ops.reshape(matrix, (*ops.shape(raw)[:-1], d, d))


LOWER_TRIANGULAR = _Triangle(_triangle, size=lambda d: d * (d + 1) // 2, shape=lambda d: (d, d))


def scale_parameters(rank):
    """The parameters of a full scale, or of one of a given rank."""
    if rank is None:
        return {"scale_tril": LOWER_TRIANGULAR}
    rank = integer("rank", rank)

    def matrix(raw):
        return ops.reshape(raw, (*ops.shape(raw)[:-1], raw.shape[-1] // rank, rank))

    factor = Parameter(matrix, size=lambda d: d * rank, shape=lambda d: (d, rank))
    return {"diagonal": POSITIVE, "factor": factor}
