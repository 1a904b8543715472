"""Codes to start with, found in data on the host."""

import numpy as np

from keras_vae.core.checks import integer, one_of
from keras_vae.core.optional import require

METHODS = ("k-means", "sample")
PER_CODE = 64  # vectors for each code that k-means sees at most: more of them move its centres little


def first_codes(vectors, count, method="k-means", seed=0):
    """`count` rows that stand for `vectors`: the centres of their clusters, or a sample of them.

    Args:
        vectors: numpy array (n, D), `count` different ones at least: two codes that are equal are one, and one dead.
        count: int, K.
        method: str, "k-means", which takes scikit-learn, or "sample", different vectors drawn at random.
        seed: int >= 0.

    Returns:
        numpy float32 array (count, D).

    Raises:
        ValueError: for an unknown method, or fewer different vectors than codes.
    """
    one_of("method", method, METHODS)
    rng = np.random.default_rng(integer("seed", seed, low=0))
    rows, times = _different(vectors)
    if len(rows) < count:
        raise ValueError(
            f"`features` must hold at least {count} different vectors, one for each code. "
            f"Received: {len(vectors)} vectors, {len(rows)} of them different."
        )
    if method == "sample":
        return rows[rng.choice(len(rows), count, replace=False)]
    cluster = require("sklearn.cluster", "viz", "Starting a codebook by k-means")
    order = rng.permutation(len(rows))
    order = order[np.argsort(-times[order], kind="stable")][: PER_CODE * count]  # no frequent one is left out
    found = cluster.KMeans(count, n_init=1, random_state=seed).fit(rows[order], sample_weight=times[order])
    return found.cluster_centers_.astype("float32")


def _different(vectors):
    """The different rows of `vectors`, as they come, and how often each is there: blank parts are all alike."""
    rows = np.ascontiguousarray(vectors) + 0.0  # -0.0 is 0.0
    names = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1])))[:, 0]  # by columns it takes ten times as long
    _, first, times = np.unique(names, return_index=True, return_counts=True)
    order = np.argsort(first)  # that of names would change with the last bit of a number
    return rows[first[order]], times[order]
