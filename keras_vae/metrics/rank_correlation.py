"""Which latent follows which factor: rank correlations, one latent of its own for each factor."""

import numpy as np

from keras_vae.core.optional import require
from keras_vae.metrics.arrays import finite_array

SHAPE = "(batch, columns)"


def best_spearman(latents, factors):
    """|Spearman's rho| of each factor with a latent of its own.

    Spearman's rho is the correlation of the ranks, ties given their mean rank: 1 where the latent is any monotonic
    function of the factor. No latent serves two factors: of all ways to choose, the one with the largest sum of |rho|
    is taken. For ordered factors (position, size), not for cyclic (orientation) or unordered ones (shape).

    Args:
        latents: array (batch, latent_dim), such as posterior means.
        factors: array (batch, number of factors), the true values of the same examples; at most latent_dim factors.

    Returns:
        (rho, latent): float64 array (number of factors,), |rho| in [0, 1], and int array of the latent chosen for each.

    Raises:
        ValueError: for other shapes, fewer than two examples, more factors than latents, NaN or infinite values.
        ImportError: if SciPy is not installed.

    Example:
        >>> import numpy as np
        >>> factors = np.random.default_rng(0).random((100, 2))
        >>> rho, latent = best_spearman(-factors[:, ::-1] ** 3, factors)
        >>> rho.round(6).tolist(), latent.tolist()
        ([1.0, 1.0], [1, 0])
    """
    latents, factors = finite_array("latents", latents, SHAPE, 2), finite_array("factors", factors, SHAPE, 2)
    if len(latents) != len(factors) or len(latents) < 2:
        raise ValueError(
            "`latents` and `factors` must hold the same examples, two or more. "
            f"Received: shapes {latents.shape} and {factors.shape}."
        )
    if factors.shape[1] > latents.shape[1]:
        raise ValueError(
            f"`factors` must be at most as many as the latents, {latents.shape[1]}. "
            f"Received: {factors.shape[1]} factors."
        )
    stats = require("scipy.stats", "viz", "Rank correlation")
    factors, latents = (_unit_length(stats.rankdata(values, axis=0)) for values in (factors, latents))
    rho = np.abs(factors.T @ latents)  # (factors, latents)
    _, latent = require("scipy.optimize", "viz", "Rank correlation").linear_sum_assignment(rho, maximize=True)
    return np.minimum(rho[np.arange(len(rho)), latent], 1.0), latent


def _unit_length(ranks):
    """Each column centred and of length one, so that products are correlations; a constant one is 0."""
    ranks = ranks - ranks.mean(axis=0)
    length = np.sqrt(np.square(ranks).sum(axis=0))
    return np.divide(ranks, length, out=np.zeros_like(ranks), where=length > 0)
