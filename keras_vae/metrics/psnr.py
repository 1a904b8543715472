"""Peak signal-to-noise ratio: of arrays, and as a Keras metric."""

import math

import keras
from keras import ops

from keras_vae.core.checks import positive
from keras_vae.core.registration import Configured, registered
from keras_vae.metrics.arrays import float_tensor, pictures, same_shape

CAP = 100.0  # decibels: what identical images get


@registered
class PSNR(Configured, keras.metrics.Mean):
    """Mean over images of the PSNR of each image, in decibels: 10 log10(max_value^2 / MSE).

    What papers on compression and reconstruction quote. Not the PSNR of the mean error, which is lower. An image that
    is reproduced exactly counts 100 dB, the cap. Formula: `keras_vae.metrics.psnr`.

    Args:
        max_value: float > 0, the largest value a pixel may have, default 1.
        name: str, default "psnr".
        dtype: str, of the accumulators, default float32.

    Raises:
        ValueError: where the images and their reconstructions differ in shape.

    Example:
        >>> import numpy as np
        >>> metric = PSNR()
        >>> x = np.full((2, 4, 4, 1), 0.5, "float32")
        >>> metric.update_state(x, x + 0.1)
        >>> round(float(metric.result()), 3)
        20.0
    """

    def __init__(self, max_value=1.0, name="psnr", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.max_value = positive("max_value", max_value)

    def update_state(self, y_true, y_pred, sample_weight=None):
        super().update_state(psnr_per_image(y_true, y_pred, self.max_value), sample_weight)


def psnr(x, y, max_value=1.0):
    """Peak signal-to-noise ratio of each image, in decibels: 10 log10(max_value^2 / MSE).

    Average it over images to get the figure that papers quote; the PSNR of the average error is another, lower number.
    Capped at 100 dB, which identical images get.

    Args:
        x: array (batch, ...), the images.
        y: array of the same shape, the reconstructions.
        max_value: float > 0, the largest value a pixel may have: 1 (the default), or 255 for bytes.

    Returns:
        float32 array (batch,), decibels.

    Raises:
        TypeError: for what is not real numbers.
        ValueError: for shapes that differ, or integers beyond `max_value`.

    Example:
        >>> import numpy as np
        >>> x = np.full((1, 4, 4, 1), 0.5)
        >>> [round(float(v), 3) for v in psnr(x, x + 0.1)]
        [20.0]
    """
    max_value = positive("max_value", max_value)
    return ops.convert_to_numpy(psnr_per_image(*pictures(x, y, max_value), max_value))


def psnr_per_image(x, y, max_value):
    """`psnr` of backend tensors, traceable."""
    x, y = same_shape(float_tensor(x), float_tensor(y))
    axes = tuple(range(1, len(x.shape)))
    floor = max_value**2 * 10.0 ** (-CAP / 10)
    error = ops.maximum(ops.mean(ops.square(x - y), axis=axes), floor)
    return (10.0 / math.log(10.0)) * (2.0 * math.log(max_value) - ops.log(error))
