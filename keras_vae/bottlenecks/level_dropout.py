"""Which levels each example of a training step keeps: what lets the first ones make sense alone."""

import keras
from keras import ops

from keras_vae.core.checks import integer


def kept_levels(batch, count, dropout, seed):
    """Draws, with probability `dropout`, that an example keeps its first n levels alone, n evenly from 1 to `count`.

    Args:
        batch: int or int tensor, the number of examples.
        count: int >= 1, the number of levels.
        dropout: float or scalar tensor in [0, 1].
        seed: keras.random.SeedGenerator.

    Returns:
        float32 tensor (batch, count): ones for the levels that are kept, then zeros.

    Reference:
        Zeghidour et al. 2021, arXiv:2107.03312, section III-C.
    """
    fewer, where = ops.split(keras.random.uniform((batch, 2), seed=seed), 2, axis=-1)
    kept = ops.where(fewer < dropout, ops.floor(where * count) + 1.0, float(count))
    return ops.cast(ops.arange(count, dtype="float32") < kept, "float32")


def of_examples(weights, values):
    """`weights` (batch,) in as many axes as `values` (batch, ...) have."""
    return ops.reshape(weights, (-1, *(1,) * (len(values.shape) - 1)))


def number_of_levels(levels, count):
    """`levels`, an int from 1 to `count`, or `count` where it is None."""
    if levels is not None and integer("levels", levels) > count:
        raise ValueError(f"`levels` must be in [1, {count}]. Received: levels={levels}.")
    return count if levels is None else int(levels)
