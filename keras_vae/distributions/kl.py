"""Kullback-Leibler divergences in closed form, by pair of families."""

from keras import ops

from keras_vae.distributions.normal import Normal
from keras_vae.ops.numerics import flat, sum_event


def kl_normal_normal(q, p):
    """Twice KL(q || p) of two diagonal normals, nats, for each dimension: vq/vp - 1 - log(vq/vp) + (mq - mp)^2 / vp."""
    ratio = q.log_var - p.log_var
    # exp(r) - 1 - r is r^2 / 2 near r = 0: without `expm1` it would be a rounding error there, of either sign.
    spread = ops.maximum(ops.expm1(ratio) - ratio, 0.0)
    return spread + ops.square(q.mean - p.mean) * ops.exp(-p.log_var)


DOUBLED = {(Normal, Normal): kl_normal_normal}  # twice the divergence: the half is taken of the sum


def kl_divergence(q, p):
    """KL(q || p) in closed form, nats, summed over the event.

    For two diagonal normals: 1/2 sum_d [log(v_p/v_q) + (v_q + (m_q - m_p)^2) / v_p - 1] (Kingma & Welling 2014,
    arXiv:1312.6114, appendix B, for p = N(0, 1)).

    Args:
        q: Distribution over which the expectation is taken.
        p: Distribution, the reference.

    Returns:
        Tensor of shape (batch,), nats, >= 0.

    Raises:
        TypeError: if no closed form is known for the pair of families.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Normal, kl_divergence
    >>> zero = np.zeros((1, 1), "float32")
    >>> float(kl_divergence(Normal(zero + 2, zero), Normal(zero, zero))[0])  # mean shifted by two: 2^2 / 2
    2.0
    """
    return 0.5 * sum_event(_doubled(q, p))


def elementwise_kl_divergence(q, p):
    """The share of each dimension in `kl_divergence(q, p)`, nats, (batch, values), as free bits are counted.

    Args:
        q: Distribution over which the expectation is taken.
        p: Distribution, the reference.

    Returns:
        Tensor of shape (batch, values), nats, >= 0.

    Raises:
        TypeError: as `kl_divergence`.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Normal, elementwise_kl_divergence
    >>> zero = np.zeros((1, 2), "float32")
    >>> np.asarray(elementwise_kl_divergence(Normal(zero + [2.0, 0.0], zero), Normal(zero, zero))).tolist()
    [[2.0, 0.0]]
    """
    return 0.5 * flat(_doubled(q, p))


def _doubled(q, p):
    form = DOUBLED.get((type(q), type(p)))
    if form is None:
        known = ", ".join(f"({a.__name__}, {b.__name__})" for a, b in DOUBLED)
        raise TypeError(
            f"`q`, `p` must be a pair of families with a closed form: {known}. "
            f"Received: ({type(q).__name__}, {type(p).__name__})."
        )
    return form(q, p)


def has_closed_form(q, p):
    """Whether `kl_divergence(q, p)` is known in closed form.

    Args:
        q: Distribution.
        p: Distribution.

    Returns:
        bool.
    """
    return (type(q), type(p)) in DOUBLED
