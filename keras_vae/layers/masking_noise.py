"""Masking noise."""

from keras import ops

from keras_vae.core.checks import in_closed_interval
from keras_vae.core.registration import registered
from keras_vae.layers.corruption import Corruption


@registered
class MaskingNoise(Corruption):
    """Sets exactly round(corruption_level * d) of the d entries of each example to zero, at random, while training.

    Vincent et al. 2008, section 2.3: "a fixed number nu d of components are chosen at random, and their value is forced
    to 0".

    Args:
        corruption_level: float in [0, 1], nu, the share of entries that are masked. Default: 0.25.
        seed: int or None, of the choice. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...).

    Output shape:
        The same.

    Raises:
        ValueError: if `corruption_level` is not in [0, 1].
        TypeError: if it is not a number.

    Reference:
        Vincent, Larochelle, Bengio & Manzagol 2008, ICML; 2010, JMLR 11:3371.

    Example:

    >>> import numpy as np, keras_vae
    >>> layer = keras_vae.MaskingNoise(0.25, seed=0)
    >>> np.asarray(layer(np.ones((2, 8), "float32"), training=True)).sum(axis=1).tolist()
    [6.0, 6.0]
    """

    def __init__(self, corruption_level=0.25, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.corruption_level = in_closed_interval("corruption_level", corruption_level, 0.0, 1.0)

    def corrupt(self, x):
        chosen = self.choose(x, self.corruption_level)
        return ops.where(chosen, ops.zeros_like(x), x), chosen
