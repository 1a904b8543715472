"""Salt-and-pepper noise."""

from keras import ops

from keras_vae.core.checks import finite, in_closed_interval
from keras_vae.core.registration import registered
from keras_vae.layers.corruption import Corruption


@registered
class SaltAndPepperNoise(Corruption):
    """Sets exactly round(corruption_level * d) of the d entries of each example to `low` or `high` by a fair coin.

    The corruption for data that is binary or nearly so (Vincent et al. 2010, section 3.3). While training only.

    Args:
        corruption_level: float in [0, 1], the share of entries that are destroyed. Default: 0.25.
        low: float, pepper. Default: 0.0.
        high: float > low, salt. Default: 1.0.
        seed: int or None, of choice and coin. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...).

    Output shape:
        The same.

    Raises:
        ValueError: if `corruption_level` is not in [0, 1], or `high` is not above `low`.
        TypeError: if an argument is not a number.

    Reference:
        Vincent, Larochelle, Lajoie, Bengio & Manzagol 2010, JMLR 11:3371.

    Example:

    >>> import numpy as np, keras_vae
    >>> noisy = keras_vae.SaltAndPepperNoise(0.5, seed=0)(np.full((1, 16), 0.5, "float32"), training=True)
    >>> sorted(set(np.asarray(noisy).ravel().tolist()))
    [0.0, 0.5, 1.0]
    """

    def __init__(self, corruption_level=0.25, low=0.0, high=1.0, seed=None, **kwargs):
        super().__init__(seed=seed, **kwargs)
        self.corruption_level = in_closed_interval("corruption_level", corruption_level, 0.0, 1.0)
        self.low, self.high = finite("low", low), finite("high", high)
        if self.high <= self.low:
            raise ValueError(f"`high` must be above `low`, {self.low:g}. Received: high={high!r}.")

    def corrupt(self, x):
        chosen = self.choose(x, self.corruption_level)
        extreme = ops.where(self.flip(x, 0.5), self.high, self.low)
        return ops.where(chosen, ops.cast(extreme, x.dtype), x), chosen
