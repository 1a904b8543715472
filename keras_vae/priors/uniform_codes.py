"""The uniform prior over codes."""

import math

from keras import ops

from keras_vae.core.checks import integer
from keras_vae.core.registration import registered
from keras_vae.ops.numerics import sum_event
from keras_vae.priors.prior import Prior


@registered
class UniformCodes(Prior):
    """Every code equally likely, independently at each position: what a VQ-VAE has until a prior is learned.

    -log p(indices) = (number of codes) ln K, nats. Its samples are decoded noise and not pictures: only a prior that is
    learned on the codes makes those.

    Args:
        codebook_size: int >= 2, K.
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, ...), integer codes in [0, K).

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: int32 codes of the shape of its noise, uniforms in [0, 1).

    Raises:
        ValueError: if `codebook_size` is not an integer >= 2.

    Reference:
        van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937, section 3.1.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.UniformCodes(codebook_size=4)
    >>> np.asarray(prior.sample_from(np.array([[0.0, 0.3, 0.99]], "float32"))).tolist()
    [[0, 1, 3]]
    """

    noise = "uniform"

    def __init__(self, codebook_size, **kwargs):
        super().__init__(**kwargs)
        self.codebook_size = integer("codebook_size", codebook_size, low=2)

    def log_prob(self, z):
        per_code = ops.full(ops.shape(z), -math.log(self.codebook_size), dtype="float32")
        return sum_event(per_code)

    def sample_from(self, noise):
        codes = ops.cast(ops.cast(noise, "float32") * self.codebook_size, "int32")
        return ops.minimum(codes, self.codebook_size - 1)
