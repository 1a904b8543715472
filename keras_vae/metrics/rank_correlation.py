"""Which latent follows which factor: rank correlations, one latent of its own for each factor."""

import numpy as np

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
    rho = np.abs(_unit_ranks(factors).T @ _unit_ranks(latents))  # (factors, latents)
    latent = largest_assignment(rho)
    return np.minimum(rho[np.arange(len(rho)), latent], 1.0), latent


def largest_assignment(scores):
    """One column of its own for each row, with the largest sum of scores (the Hungarian method, exact).

    Args:
        scores: array (rows, columns), rows <= columns, finite.

    Returns:
        int array (rows,), the column of each row.

    Example:
        >>> largest_assignment([[0.9, 0.8], [0.9, 0.1]]).tolist()
        [1, 0]
    """
    cost = -np.asarray(scores, "float64")
    rows, columns = cost.shape
    # Shortest augmenting paths with potentials; row and column 0 are the artificial start of each path.
    cost = np.pad(cost, ((1, 0), (1, 0)))
    row_potential, column_potential = np.zeros(rows + 1), np.zeros(columns + 1)
    owner = np.zeros(columns + 1, int)  # the row that holds a column, 0 for none
    for row in range(1, rows + 1):
        owner[0] = row
        distance, previous, done = np.full(columns + 1, np.inf), np.zeros(columns + 1, int), np.zeros(columns + 1, bool)
        column = 0
        while owner[column]:
            done[column] = True
            reduced = cost[owner[column]] - row_potential[owner[column]] - column_potential
            nearer = ~done & (reduced < distance)
            distance[nearer], previous[nearer] = reduced[nearer], column
            following = np.where(done, np.inf, distance).argmin()
            step = distance[following]
            row_potential[owner[done]] += step
            column_potential[done] -= step
            distance[~done] -= step
            column = following
        while column:  # hand the columns along the path on
            owner[column] = owner[previous[column]]
            column = previous[column]
    chosen = np.empty(rows, int)
    for column in np.flatnonzero(owner[1:]) + 1:
        chosen[owner[column] - 1] = column - 1
    return chosen


def _unit_ranks(values):
    """Ranks of each column, centred and of length one, so that products are correlations; a constant one: 0."""
    ranks = np.stack([_ranks(column) for column in values.T], axis=1)
    ranks -= ranks.mean(axis=0)
    length = np.sqrt(np.square(ranks).sum(axis=0))
    return np.divide(ranks, length, out=np.zeros_like(ranks), where=length > 0)


def _ranks(column):
    _, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - 0.5 * (counts - 1))[inverse]
