"""How often each code was used: the state that perplexity and codebook usage share."""

import keras
from keras import ops

from keras_vae.core.checks import integer
from keras_vae.core.registration import Configured
from keras_vae.ops.numerics import compensated_sum


class CodeHistogram(Configured, keras.metrics.Metric):
    """Abstract: counts of each code since the last reset, over batches, positions and replicas.

    The subclass turns the counts into one number, so that what is logged belongs to the union of all batches: the mean
    of the perplexities of small batches would be lower than the perplexity of the epoch.

    Args:
        codebook_size: int >= 1, the number of codes K.
        name: str.
        dtype: str, of the counts, default float32 (exact up to 16,777,216 per code, beyond to one part in 10^7 of any
            number of updates).
        codebooks: int >= 1, where there are several, each counted for itself: the last axis of the indices is theirs.
    """

    def __init__(self, codebook_size, name=None, dtype=None, codebooks=1):
        super().__init__(name=name, dtype=dtype)
        self.codebook_size, self.codebooks = integer("codebook_size", codebook_size), integer("codebooks", codebooks)
        self.counts, self.lost = (
            self.add_variable((self.codebooks * self.codebook_size,), "zeros", dtype=self.dtype, name=name)
            for name in ("counts", "lost")
        )

    def update_state(self, indices, sample_weight=None):
        """Counts `indices`.

        Args:
            indices: int tensor of any shape, (batch, ...positions), and (..., codebooks) where there are several; codes
                in [0, codebook_size).
            sample_weight: tensor (batch,), how much the codes of each example count; default one.
        """
        indices = ops.cast(ops.convert_to_tensor(indices), "int32")
        if self.codebooks > 1:  # the codes of each follow those of the one before
            indices = indices + self.codebook_size * ops.arange(self.codebooks, dtype="int32")
        if sample_weight is None:
            weights = ops.ones_like(indices, dtype=self.dtype)
        else:
            weights = ops.cast(ops.convert_to_tensor(sample_weight), self.dtype)
            weights = ops.reshape(weights, (-1, *(1,) * (len(indices.shape) - 1)))
            weights = ops.broadcast_to(weights, ops.shape(indices))
        # segment_sum, not one-hot: the cost does not grow with codebook_size x positions
        counts = ops.segment_sum(ops.reshape(weights, (-1,)), ops.reshape(indices, (-1,)), self.counts.shape[0])
        counts, lost = compensated_sum(ops.convert_to_tensor(self.counts), ops.convert_to_tensor(self.lost), counts)
        self.counts.assign(counts)
        self.lost.assign(lost)
