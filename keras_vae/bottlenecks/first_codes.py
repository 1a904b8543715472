"""Codes to start with, found in data on the host."""

import numpy as np

from keras_vae.core.checks import integer, one_of
from keras_vae.core.optional import require

METHODS = ("k-means", "sample")
PER_CODE = 64  # vectors for each code that k-means sees at most: more of them move its centres little


def first_codes(vectors, count, method="k-means", seed=0):
    """`count` rows that stand for `vectors`: the centres of their clusters, or a sample of them.

    Args:
        vectors: numpy array (n, D), n >= `count`.
        count: int, K.
        method: str, "k-means", which takes scikit-learn, or "sample", different vectors drawn at random.
        seed: int >= 0.

    Returns:
        numpy float32 array (count, D).

    Raises:
        ValueError: for an unknown method, or fewer vectors than codes.
    """
    one_of("method", method, METHODS)
    rng = np.random.default_rng(integer("seed", seed, low=0))
    if len(vectors) < count:
        raise ValueError(
            f"`features` must hold at least {count} vectors, one for each code. Received: {len(vectors)} vectors."
        )
    if method == "sample":
        return vectors[rng.choice(len(vectors), count, replace=False)]
    cluster = require("sklearn.cluster", "viz", "Starting a codebook by k-means")
    if len(vectors) > PER_CODE * count:
        vectors = vectors[rng.choice(len(vectors), PER_CODE * count, replace=False)]
    return cluster.KMeans(count, n_init=1, random_state=seed).fit(vectors).cluster_centers_.astype("float32")
