"""Nats, bits per dimension, bits per image of codes."""

import math

import numpy as np

from keras_vae.core.checks import integer, integers


def bits_per_dim(nats, shape, bins=None):
    """Negative log-likelihood (or the bound on it) per image in nats -> bits per pixel value.

        bits/dim = nats / (D ln 2) + log2(bins),   D = the number of values in `shape`

    Where `nats` belongs to a probability over discrete values (Bernoulli on binary images, a categorical or discretised
    logistic likelihood on bytes), leave `bins` out. Where it belongs to a density of x = (k + u) / bins, bytes k with
    uniform noise u in [0, 1) added and scaled to [0, 1), the second term turns the density into a bound on the
    probability of k. For a density of images without such noise (k / 255) it does not apply: it has no lower limit.

    Args:
        nats: float or array of floats, -log p(x) per image in nats (-elbo is an upper bound of it).
        shape: sequence of int, the shape of one image, such as (28, 28, 1).
        bins: int >= 2, the number of levels (256 for bytes) where `nats` is of a density, None (the default) otherwise.

    Returns:
        float, or an array like `nats`; bits per dimension.

    Example:
        >>> import math
        >>> round(bits_per_dim(784 * math.log(2), (28, 28, 1)), 6)
        1.0
    """
    dimensions = math.prod(integers("shape", shape))
    levels = 0.0 if bins is None else math.log2(integer("bins", bins, 2))
    bits = np.asarray(nats, "float64") / (dimensions * math.log(2.0)) + levels
    return float(bits) if bits.ndim == 0 else bits


def bits_per_image_of_codes(codes_shape, codebook_size):
    """Bits that the codes of one image take without a learned prior: (number of codes) log2(codebook_size).

    Args:
        codes_shape: sequence of int, positions of the codes of one image, such as (32, 32).
        codebook_size: int >= 2, the number of codes K.

    Returns:
        float, bits per image.

    Example:
        >>> bits_per_image_of_codes((32, 32), 512)
        9216.0
    """
    return math.prod(integers("codes_shape", codes_shape)) * math.log2(integer("codebook_size", codebook_size, 2))


def compression_ratio(image_shape, codes_shape, codebook_size, bits_per_value=8):
    """How many times fewer bits the codes take than the image: 42.67 for 128 x 128 x 3 bytes and 32 x 32 codes of 512.

    Args:
        image_shape: sequence of int, such as (128, 128, 3).
        codes_shape: sequence of int, positions of the codes of one image, such as (32, 32).
        codebook_size: int >= 2, the number of codes K.
        bits_per_value: int >= 1, bits of one pixel value, default 8.

    Returns:
        float >= 0, bits of the image / bits of the codes.

    Reference:
        van den Oord et al., Neural discrete representation learning, 2017, section 4.2.

    Example:
        >>> round(compression_ratio((128, 128, 3), (32, 32), 512), 2)
        42.67
    """
    image_bits = math.prod(integers("image_shape", image_shape)) * integer("bits_per_value", bits_per_value)
    return image_bits / bits_per_image_of_codes(codes_shape, codebook_size)
