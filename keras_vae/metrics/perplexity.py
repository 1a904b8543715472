"""Perplexity of the codes used."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.metrics.code_histogram import CodeHistogram


@registered
class Perplexity(CodeHistogram):
    """exp(H) of the histogram of codes since the last reset: how many codes are in use, in effect.

    From 1 (one code only) to codebook_size (all equally often). H = -sum_k p_k ln p_k with p_k the share of code k in
    all codes of the epoch. Before any update it is 1. Update it where the loss is computed, with the indices.

    Args:
        codebook_size: int >= 1, the number of codes K.
        name: str, default "perplexity".
        dtype: str, of the counts, default float32.

    Example:
        >>> metric = Perplexity(8)
        >>> metric.update_state([0, 0])
        >>> metric.update_state([3, 3])
        >>> round(float(metric.result()), 4)
        2.0
    """

    def __init__(self, codebook_size, name="perplexity", dtype=None):
        super().__init__(codebook_size, name=name, dtype=dtype)

    def result(self):
        total = ops.maximum(ops.sum(self.counts), 1e-12)
        share = self.counts / total
        return ops.exp(-ops.sum(share * ops.log(ops.maximum(share, 1e-30))))  # 0 ln 0 = 0
