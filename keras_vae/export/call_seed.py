"""A seed that arrives with the call."""

import keras
from keras import ops


class CallSeed(keras.random.SeedGenerator):
    """A seed generator without state: every draw uses the seed tensor that it was made with.

    A served model with a stateful generator repeats the same sequence after each start, and two replicas give the same
    samples. With the seed as an input, a request says which samples it wants, whatever batch it is in.

    Args:
        seed: int32 scalar tensor; negative seeds are as good as others.
    """

    def __init__(self, seed):  # without super(): the state it would create is the point
        self._words = ops.cast(seed, "uint32")

    def next(self, ordered=True):
        return ops.stack([self._words, ops.zeros_like(self._words)])
