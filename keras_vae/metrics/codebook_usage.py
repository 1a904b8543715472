"""Share of the codebook that is used."""

from keras import ops

from keras_vae.core.registration import registered
from keras_vae.metrics.code_histogram import CodeHistogram


@registered
class CodebookUsage(CodeHistogram):
    """Fraction of the codebook, or of several together, used at least once since the last reset, in [0, 1].

    Below one, codes are dead. It grows with the number of codes seen, so compare it over sets of the same size.

    Args:
        codebook_size: int >= 1, the number of codes K.
        name: str, default "codebook_usage".
        dtype: str, of the counts, default float32.
        codebooks: int >= 1, of the last axis of the indices, default 1, where there is no such axis.

    Example:
        >>> metric = CodebookUsage(8)
        >>> metric.update_state([[0, 0], [3, 3]])
        >>> float(metric.result())
        0.25
    """

    def __init__(self, codebook_size, name="codebook_usage", dtype=None, codebooks=1):
        super().__init__(codebook_size, name=name, dtype=dtype, codebooks=codebooks)

    def result(self):
        return ops.mean(ops.cast(self.counts > 0, self.dtype))
