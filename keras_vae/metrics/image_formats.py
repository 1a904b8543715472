"""What the usual image formats make of the same bits: the peers of codes and a prior."""

import io

import numpy as np

from keras_vae.core.checks import one_of, positive
from keras_vae.core.optional import require
from keras_vae.metrics.arrays import finite_array
from keras_vae.metrics.psnr import psnr

PAYLOAD = {"AVIF": (b"mdat", 4), "WEBP": (b"VP8 ", 8)}  # what stands before the coded picture, and its length


def image_format_psnr(images, image_format, bits_per_image):
    """PSNR of images in AVIF or WebP at a number of bits, to be compared with codes at the bits of their prior.

    Every third quality of the format is tried; the mean PSNR is interpolated at the mean size of the payload. Headers,
    which weigh more than a small picture, are not counted: codes have none either.

    Args:
        images: float array (n, height, width, 3) in [0, 1].
        image_format: "AVIF" or "WEBP".
        bits_per_image: float > 0.

    Returns:
        float, dB; that of the least or the best quality where no more or less can be had.

    Raises:
        ValueError: if an argument is out of range.
        ImportError: if Pillow is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_vae.metrics import image_format_psnr
    >>> y, x = np.mgrid[0:32, 0:32] / 31
    >>> image = np.stack([x, y, 1 - x], axis=-1)[None].astype("float32")
    >>> less, more = (image_format_psnr(image, "WEBP", bits) for bits in (600, 2000))
    >>> 20 < less < more < 60
    True
    """
    image = require("PIL.Image", "viz", "comparing with image formats")
    name, skipped = PAYLOAD[one_of("image_format", image_format, tuple(PAYLOAD))]
    bits_per_image, points = positive("bits_per_image", bits_per_image), []
    images = finite_array("images", images, "(n, height, width, 3)", rank=4)
    if images.shape[-1] != 3 or images.min() < 0 or images.max() > 1:
        raise ValueError(
            "`images` must be floats in [0, 1] of shape (n, height, width, 3). "
            f"Received: shape={images.shape}, values from {images.min():g} to {images.max():g}."
        )
    pixels = np.uint8(np.round(255 * images))
    for quality in range(0, 100, 3):
        sizes, decoded = [], []
        for picture in pixels:
            file = io.BytesIO()
            image.fromarray(picture).save(file, image_format, quality=quality)
            data = file.getvalue()
            sizes.append(8 * (len(data) - data.index(name) - skipped))
            decoded.append(np.asarray(image.open(file).convert("RGB")))
        points.append((np.mean(sizes), psnr(pixels / 255.0, np.stack(decoded) / 255.0).mean()))
        if points[-1][0] > 1.5 * bits_per_image:
            break
    return float(np.interp(bits_per_image, *np.array(sorted(points)).T))
