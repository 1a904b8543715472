"""Image formats at a number of bits: more bits, better pictures, and as good as the format itself says."""

import io

import numpy as np
import pytest

import harness
from keras_vae.metrics import image_format_psnr

pytest.importorskip("PIL")
Y, X = np.mgrid[0:48, 0:48] / 47
SMOOTH = np.stack([np.stack([X, Y, 0.5 + 0.5 * np.sin(9 * X * Y + k)], axis=-1) for k in range(2)]).astype("float32")


def supported(image_format):
    from PIL import features

    return features.check(image_format.lower())


@pytest.mark.parametrize("image_format", ["AVIF", "WEBP"])
def test_more_bits_are_worth_more(image_format):
    if not supported(image_format):
        pytest.skip(f"this Pillow writes no {image_format}")
    few, some, many = (image_format_psnr(SMOOTH, image_format, bits) for bits in (400, 1000, 4000))
    assert 15 < few < some < many < 60


def test_at_the_size_of_one_quality_it_is_that_quality():
    from PIL import Image

    sizes, squared = [], []
    for picture in np.uint8(np.round(255 * SMOOTH)):
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "WEBP", quality=30)
        data = file.getvalue()
        at = data.index(b"VP8 ")
        payload = int.from_bytes(data[at + 4 : at + 8], "little")  # the length that the file itself gives
        assert len(data) - at - 8 - payload in (0, 1)  # and a byte that fills it up to an even number
        sizes.append(8 * (len(data) - at - 8))
        decoded = np.asarray(Image.open(file).convert("RGB"), "float64")
        squared.append(np.mean((decoded - picture) ** 2))
    expected = np.mean(10 * np.log10(255**2 / np.array(squared)))
    assert image_format_psnr(SMOOTH, "WEBP", np.mean(sizes)) == pytest.approx(expected, abs=0.01)


def test_refused():
    harness.check_refuses(lambda: image_format_psnr(SMOOTH, "JPEG", 1000), "`image_format` must be one of")
    harness.check_refuses(lambda: image_format_psnr(SMOOTH, "WEBP", 0), "`bits_per_image` must be a finite number > 0")
