"""Draws of Gamma(a, 1) from given noise: the same values and the same gradients on every backend."""

import math

from keras import ops

from keras_vae.ops.noise import Noise, open_uniform
from keras_vae.ops.special import gamma_quantile_slope, log_excess

PROPOSALS = 8  # all refused once in 3 * 10^10 draws: one is accepted with a probability of 0.95 at least
LEAST = 1e-30  # of a draw: its inverse is a float32 too. Gamma(0.001, 1) has 93 % of its mass below
LOG_LEAST = math.log(LEAST)


def gamma_noise(shape):
    """What `gamma_draw` takes for concentrations of `shape`: a dict of `Noise`."""
    proposals = (*shape, PROPOSALS)
    return {
        "proposal": Noise("normal", proposals),
        "accept": Noise("uniform", proposals),
        "boost": Noise("uniform", shape),
    }


def gamma_draw(a, noise):
    """(z, log z) for z ~ Gamma(a, 1), with the implicit gradient dz/da at a fixed quantile (Figurnov et al. 2018).

    Marsaglia & Tsang's method: v = (1 + n / sqrt(9 d))^3 with d = a - 1/3 and normal n is accepted if
    log u < n^2 / 2 + d (1 - v + log v), and z = d v. Below a = 1 it draws from a + 1, and multiplies by u^(1 / a). The
    number of proposals is fixed, and the first one accepted is taken. z is no less than 1e-30, log z has no such limit.

    Args:
        a: float32 tensor > 0.
        noise: dict, as `gamma_noise(a.shape)` says.

    Reference:
        Marsaglia & Tsang 2000, A simple method for generating gamma variables, ACM TOMS 26:363. Figurnov, Mohamed &
        Mnih 2018, Implicit reparameterization gradients, arXiv:1805.08498.
    """
    fixed = ops.stop_gradient(a)
    boosted = fixed < 1.0
    d = ops.where(boosted, fixed + 1.0, fixed) - 1.0 / 3.0
    n = ops.cast(noise["proposal"], "float32")
    step = n / ops.expand_dims(3.0 * ops.sqrt(d), -1)
    excess = step * (3.0 + step * (3.0 + step))  # v - 1, without the cancellation
    possible = step > -1.0
    excess = ops.where(possible, excess, 0.0)
    bound = 0.5 * ops.square(n) + ops.expand_dims(d, -1) * log_excess(1.0 + excess, excess)
    accepted = ops.logical_and(possible, ops.log(open_uniform(noise["accept"])) < bound)
    # Where none is accepted the last counts, which is a possible value at least.
    first = ops.argmax(ops.cast(accepted[..., :-1], "int32"), axis=-1)
    first = ops.where(ops.any(accepted[..., :-1], axis=-1), ops.cast(first, "int32"), PROPOSALS - 1)
    excess = ops.take_along_axis(excess, ops.expand_dims(first, -1), axis=-1)[..., 0]
    boost = ops.where(boosted, ops.log(open_uniform(noise["boost"])) / ops.minimum(fixed, 1.0), 0.0)
    log_z = ops.log(d) + ops.log1p(excess) + boost
    held = log_z > LOG_LEAST
    z = ops.where(held, d * (1.0 + excess) * ops.exp(ops.where(held, boost, 0.0)), LEAST)
    slope = gamma_quantile_slope(fixed, z, log_z)
    change = a - fixed  # zero: what follows has the value of the draw and the gradient of the quantile
    return z + ops.where(held, z * slope, 0.0) * change, log_z + slope * change
