"""A seed generator whose replicas draw different noise."""

import keras
from keras import ops

from keras_vae import _backend

STRIDE = 97_381_939  # prime, and far more draws than a training makes before one replica meets the seeds of the next


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """`keras.random.SeedGenerator` with the index of the replica folded into each seed.

    Replicas hold the same state, so that with Keras's own they would draw the same noise for different examples. With
    one replica the seeds are those of `keras.random.SeedGenerator`.

    Args:
        seed: int or None. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.random.SeedGenerator.

    Example:

    >>> import keras, numpy as np
    >>> from keras_vae.layers import ReplicaSeedGenerator
    >>> one, other = ReplicaSeedGenerator(3), keras.random.SeedGenerator(3)
    >>> draws = [keras.ops.convert_to_numpy(keras.random.normal((2,), seed=s)) for s in (one, other)]
    >>> bool(np.array_equal(*draws))
    True
    """

    def next(self, ordered=True):
        seed = super().next(ordered)
        index, replicas = _backend.replica()
        if replicas == 1:
            return seed
        return seed + ops.cast(ops.stack([index * STRIDE, 0]), seed.dtype)
