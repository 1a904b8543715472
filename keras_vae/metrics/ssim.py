"""Structural similarity: of arrays, and as a Keras metric."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae.core.checks import positive
from keras_vae.core.registration import Configured, registered
from keras_vae.metrics.arrays import float_tensor, pictures, same_shape

WINDOW, SIGMA = 11, 1.5  # Wang 2004, section III-B
K1, K2 = 0.01, 0.03  # ibidem, section III-C
WEIGHTS = [math.exp(-0.5 * ((k - WINDOW // 2) / SIGMA) ** 2) for k in range(WINDOW)]
WEIGHTS = [w / sum(WEIGHTS) for w in WEIGHTS]  # of the window along one axis


@registered
class SSIM(Configured, keras.metrics.Mean):
    """Mean over images of the structural similarity of each image, 1 for identical ones.

    Closer to what the eye sees than PSNR: it punishes blur more, and a shift of brightness less. Formula:
    `keras_vae.metrics.ssim` (11 x 11 Gaussian window, per channel, valid places only).

    Args:
        max_value: float > 0, the largest value a pixel may have, default 1.
        name: str, default "ssim".
        dtype: str, of the accumulators, default float32.

    Raises:
        ValueError: where shapes differ, the rank is not 4, or the images are smaller than 11 x 11.

    Reference:
        Wang et al., Image quality assessment: from error visibility to structural similarity, 2004.

    Example:
        >>> import numpy as np
        >>> metric = SSIM()
        >>> x = np.random.default_rng(0).random((2, 16, 16, 1)).astype("float32")
        >>> metric.update_state(x, x)
        >>> round(float(metric.result()), 4)
        1.0
    """

    def __init__(self, max_value=1.0, name="ssim", dtype=None):
        super().__init__(name=name, dtype=dtype)
        self.max_value = positive("max_value", max_value)

    def update_state(self, y_true, y_pred, sample_weight=None):
        x, y = same_shape(float_tensor(y_true), float_tensor(y_pred))
        _check_window(x.shape)
        super().update_state(ops.mean(ssim_map(x, y, self.max_value), axis=(1, 2, 3)), sample_weight)


def ssim(x, y, max_value=1.0):
    """Structural similarity of each image: 1 for identical ones, around 0 for unrelated ones.

        SSIM = (2 mu_x mu_y + C1) (2 sigma_xy + C2) / ((mu_x^2 + mu_y^2 + C1) (sigma_x^2 + sigma_y^2 + C2))

    with local means and variances under an 11 x 11 Gaussian window of standard deviation 1.5, C1 = (0.01 max_value)^2,
    C2 = (0.03 max_value)^2, averaged over the places where the whole window lies inside the image, and over channels.

    Args:
        x: array (batch, height, width, channels), both sides at least 11.
        y: array of the same shape, the reconstructions.
        max_value: float > 0, the largest value a pixel may have: 1 (the default), or 255 for bytes.

    Returns:
        float32 array (batch,).

    Raises:
        TypeError: for what is not real numbers.
        ValueError: for shapes that differ, another rank, images smaller than the window, or integers beyond
            `max_value`.

    Reference:
        Wang et al., Image quality assessment: from error visibility to structural similarity, 2004.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).random((1, 16, 16, 1))
        >>> [round(float(v), 4) for v in ssim(x, x)]
        [1.0]
    """
    max_value = positive("max_value", max_value)
    x, y = pictures(x, y, max_value)
    _check_window(x.shape)
    # A few at a time: what the windows pass over then stays in the processor's cache.
    parts = [ssim_map(x[i : i + 8], y[i : i + 8], max_value) for i in range(0, len(x), 8)]
    return np.concatenate([np.zeros(0, "float32"), *(part.mean(axis=(1, 2, 3)) for part in parts)])


def ssim_map(x, y, max_value):
    """SSIM at each place where the window fits, (batch, height - 10, width - 10, channels).

    Operators and slices only, so that NumPy arrays are worked on by NumPy and tensors by the backend, in one formula.
    """
    mean_x, mean_y = _blurred(x), _blurred(y)
    variances = _blurred(x * x + y * y) - mean_x * mean_x - mean_y * mean_y
    covariance = _blurred(x * y) - mean_x * mean_y
    c1, c2 = (K1 * max_value) ** 2, (K2 * max_value) ** 2
    luminance = (2.0 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    return luminance * (2.0 * covariance + c2) / (variances + c2)


def _blurred(image):
    """Mean under the window, one axis after the other, as a sum of shifted slices.

    Not a convolution: GPUs run those in TF32, whose 10 bits of mantissa drown the difference E[x^2] - E[x]^2.
    """
    height, width = image.shape[1] - WINDOW + 1, image.shape[2] - WINDOW + 1
    image = sum(w * image[:, k : k + height] for k, w in enumerate(WEIGHTS))
    return sum(w * image[:, :, k : k + width] for k, w in enumerate(WEIGHTS))


def _check_window(shape):
    if len(shape) != 4 or shape[1] is None or shape[2] is None or min(shape[1:3]) < WINDOW:
        raise ValueError(
            f"`x` must have shape (batch, height, width, channels) with both sides at least {WINDOW}, "
            f"the window of SSIM. Received: shape {tuple(shape)}."
        )
