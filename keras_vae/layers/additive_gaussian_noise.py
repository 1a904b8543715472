"""Additive Gaussian noise."""

import keras
from keras import ops

from keras_vae.core.checks import non_negative
from keras_vae.core.registration import registered
from keras_vae.layers.corruption import Corruption


@registered
class AdditiveGaussianNoise(Corruption):
    """Adds N(0, stddev^2) noise to every entry while training: x~ ~ N(x, stddev^2 I).

    The corruption for real-valued data (Vincent et al. 2010, section 3.3). It destroys every entry a little.

    Args:
        stddev: float >= 0, the standard deviation, in units of x. Default: 0.1.
        seed: int or None, of the noise. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...).

    Output shape:
        The same.

    Raises:
        ValueError: if `stddev` is negative.
        TypeError: if it is not a number.

    Reference:
        Vincent, Larochelle, Lajoie, Bengio & Manzagol 2010, JMLR 11:3371.

    Example:

    >>> import numpy as np, keras_vae
    >>> noisy = keras_vae.AdditiveGaussianNoise(0.5, seed=0)(np.zeros((1, 10_000), "float32"), training=True)
    >>> round(float(np.asarray(noisy).std()), 1)
    0.5
    """

    def __init__(self, stddev=0.1, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.stddev = non_negative("stddev", stddev)

    def corrupt(self, x):
        x = ops.convert_to_tensor(x)
        noise = keras.random.normal(ops.shape(x), stddev=self.stddev, dtype=x.dtype, seed=self.seed_generator)
        return x + noise, ops.ones_like(x, dtype="bool")
