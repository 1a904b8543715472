"""Kullback-Leibler divergences: closed forms by pair of families, and the estimate by draws for the others."""

from keras import ops

from keras_vae.core.checks import integer
from keras_vae.ops.numerics import flat

FORMS = {}  # (family of q, family of p) -> function (q, p) -> the share of each dimension


def closed_form(*pairs):
    """Decorates a function (q, p) -> KL(q || p) of each dimension, nats, the event's shape, as the form of these pairs.

    Args:
        *pairs: (family of q, family of p), tuples of subclasses of Distribution.

    Returns:
        A decorator, which returns the function.
    """

    def register(function):
        FORMS.update(dict.fromkeys(pairs, function))
        return function

    return register


def kl_divergence(q, p):
    """KL(q || p) in closed form, nats, summed over the event.

    For two diagonal normals: 1/2 sum_d [log(v_p/v_q) + (v_q + (m_q - m_p)^2) / v_p - 1] (Kingma & Welling 2014,
    arXiv:1312.6114, appendix B, for p = N(0, 1)). `keras_vae.distributions.closed_forms` has those of the others.

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
    return ops.sum(elementwise_kl_divergence(q, p), axis=-1)


def elementwise_kl_divergence(q, p):
    """The share of each dimension in `kl_divergence(q, p)`, nats, (batch, values), as free bits are counted.

    Args:
        q: Distribution over which the expectation is taken.
        p: Distribution, the reference.

    Returns:
        Tensor of shape (batch, values), nats, >= 0; (batch, vectors) for families that are joint on the last axis.

    Raises:
        TypeError: as `kl_divergence`.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Normal, elementwise_kl_divergence
    >>> zero = np.zeros((1, 2), "float32")
    >>> np.asarray(elementwise_kl_divergence(Normal(zero + [2.0, 0.0], zero), Normal(zero, zero))).tolist()
    [[2.0, 0.0]]
    """
    form = FORMS.get((type(q), type(p)))
    if form is None:
        known = ", ".join(f"({a.__name__}, {b.__name__})" for a, b in FORMS)
        raise TypeError(
            f"`q`, `p` must be a pair of families with a closed form: {known}. "
            f"Received: ({type(q).__name__}, {type(p).__name__})."
        )
    return flat(form(q, p))


def has_closed_form(q, p):
    """Whether `kl_divergence(q, p)` is known in closed form.

    Args:
        q: Distribution.
        p: Distribution.

    Returns:
        bool.
    """
    return (type(q), type(p)) in FORMS


def monte_carlo_kl(q, p, num_samples=1000, seed=None):
    """KL(q || p) by draws, with its standard error, for pairs without a form: the mean of log q(z) - log p(z), z ~ q.

    Unbiased, and differentiable where the draws of q are; the error falls with the root of `num_samples`. It may be
    below zero where the divergence is small.

    Args:
        q: Distribution with `sample`, `log_prob` and `repeat`, over which the expectation is taken.
        p: Distribution with `log_prob` and `repeat`, the reference.
        num_samples: int >= 2, draws for each example. Default: 1000.
        seed: int, `keras.random.SeedGenerator`, or None. Default: None.

    Returns:
        (estimate, standard error): tensors of shape (batch,), nats.

    Raises:
        ValueError: if `num_samples` is not >= 2.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Laplace, Normal, monte_carlo_kl
    >>> zero = np.zeros((1, 1), "float32")
    >>> kl, error = monte_carlo_kl(Laplace(zero, 1.0), Normal(zero, zero), 10_000, seed=0)
    >>> abs(float(kl[0]) - 0.2258) < 4 * float(error[0]) < 0.2
    True
    """
    num_samples = integer("num_samples", num_samples, low=2)
    q, p = q.repeat(num_samples), p.repeat(num_samples)
    z = q.sample(seed)
    terms = ops.reshape(q.log_prob(z) - p.log_prob(z), (-1, num_samples))
    estimate = ops.mean(terms, axis=-1)
    spread = ops.sum(ops.square(terms - ops.expand_dims(estimate, -1)), axis=-1) / (num_samples - 1)
    return estimate, ops.sqrt(spread / num_samples)


def by_vector(shares, d):
    """Shares of single dimensions summed over vectors of d: (batch, values) -> (batch, vectors).

    Args:
        shares: float tensor (batch, values).
        d: int, the size of the last axis of the event.
    """
    return ops.sum(ops.reshape(shares, (ops.shape(shares)[0], -1, d)), axis=-1)
