"""A Bernoulli mask."""

from keras import ops

from keras_vae.core.checks import in_closed_interval
from keras_vae.core.registration import registered
from keras_vae.layers.corruption import Corruption


@registered
class BernoulliMask(Corruption):
    """Sets each entry to zero with a probability, independently, while training; nothing is scaled up.

    `MaskingNoise` with a number of masked entries that varies from example to example.

    Args:
        corruption_level: float in [0, 1], the probability. Default: 0.25.
        seed: int or None, of the mask. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...).

    Output shape:
        The same.

    Raises:
        ValueError: if `corruption_level` is not in [0, 1].
        TypeError: if it is not a number.

    Reference:
        Vincent, Larochelle, Lajoie, Bengio & Manzagol 2010, JMLR 11:3371.

    Example:

    >>> import numpy as np, keras_vae
    >>> x = np.ones((1, 1000), "float32")
    >>> 650 < float(np.asarray(keras_vae.BernoulliMask(0.3, seed=0)(x, training=True)).sum()) < 750
    True
    """

    def __init__(self, corruption_level=0.25, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.corruption_level = in_closed_interval("corruption_level", corruption_level, 0.0, 1.0)

    def corrupt(self, x):
        chosen = self.flip(x, self.corruption_level)
        return ops.where(chosen, ops.zeros_like(x), x), chosen
