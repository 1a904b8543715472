"""The uniform prior over codes."""

import math

from keras import ops

from keras_vae.core.checks import codebook_sizes
from keras_vae.core.registration import registered
from keras_vae.ops.levels import by_level
from keras_vae.ops.numerics import sum_event
from keras_vae.priors.prior import Prior


@registered
class UniformCodes(Prior):
    """Every code equally likely, independently at each position: what a VQ-VAE has until a prior is learned.

    -log p(indices) = (number of codes) ln K, nats. Its samples are decoded noise and not pictures: only a prior that is
    learned on the codes makes those.

    Args:
        codebook_size: int >= 2, K; or a dict of them, where the codes are a dict by level.
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, ...), integer codes in [0, K); or a dict of them by level.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: int32 codes of the shape of its noise, uniforms in [0, 1).

    Raises:
        ValueError: if `codebook_size` is not >= 2.

    Reference:
        van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937, section 3.1.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.UniformCodes(codebook_size=4)
    >>> np.asarray(prior.sample_from(np.array([[0.0, 0.3, 0.99]], "float32"))).tolist()
    [[0, 1, 3]]
    """

    values = "codes"
    is_noise = True
    noise = "uniform"

    def __init__(self, codebook_size, **kwargs):
        super().__init__(**kwargs)
        self.codebook_size = codebook_sizes("codebook_size", codebook_size)

    def log_prob(self, z, condition=None):
        each = by_level(_log_prob, self.codebook_size, z)
        return sum(each.values()) if isinstance(each, dict) else each

    def sample_from(self, noise, condition=None):
        return by_level(_codes, self.codebook_size, noise)


def _log_prob(size, z):
    return sum_event(ops.full(ops.shape(z), -math.log(size), dtype="float32"))


def _codes(size, noise):
    codes = ops.cast(ops.cast(noise, "float32") * size, "int32")
    return ops.minimum(codes, size - 1)
