"""Perplexity of the codes used."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.metrics.code_histogram import CodeHistogram


@registered
class Perplexity(CodeHistogram):
    """exp(H) of the histogram of codes since the last reset: how many codes are in use, in effect.

    From 1 (one code only) to codebook_size (all equally often). H = -sum_k p_k ln p_k with p_k the share of code k in
    all codes of the epoch; of several codebooks their mean entropy. Before any update it is 1. Update it where the loss
    is computed, with the indices.

    Args:
        codebook_size: int >= 1, the number of codes K.
        name: str, default "perplexity".
        dtype: str, of the counts, default float32.
        codebooks: int >= 1, of the last axis of the indices, default 1, where there is no such axis.

    Example:
        >>> metric = Perplexity(8)
        >>> metric.update_state([0, 0])
        >>> metric.update_state([3, 3])
        >>> round(float(metric.result()), 4)
        2.0
    """

    def __init__(self, codebook_size, name="perplexity", dtype=None, codebooks=1):
        super().__init__(codebook_size, name=name, dtype=dtype, codebooks=codebooks)

    def result(self):
        counts = ops.reshape(self.counts, (self.codebooks, self.codebook_size))
        share = counts / ops.maximum(ops.sum(counts, axis=-1, keepdims=True), 1e-12)
        entropy = -ops.sum(share * ops.log(ops.maximum(share, 1e-30)), axis=-1)  # 0 ln 0 = 0
        return ops.exp(ops.mean(entropy))
