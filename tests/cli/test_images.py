"""Images from the disk: what is read, and what is said where it had to be changed to fit a model."""

import numpy as np
import pytest
from PIL import Image

from keras_vae.cli.images import read_images

GREY, COLOUR = (8, 8, 1), (16, 12, 3)
RNG = np.random.default_rng(0)


def save(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return str(path)


def test_pictures_are_divided_by_255(x, capsys):
    images, names = read_images(["pictures/5.png", "pictures/0.png"], GREY)
    np.testing.assert_array_equal(images, x[[5, 0]].astype("float32") / np.float32(255))
    assert images.dtype == np.float32 and names == ["pictures/5.png", "pictures/0.png"]
    assert capsys.readouterr() == ("", "")


def test_a_folder_is_its_pictures_sorted_by_name(here, x):
    (here / "pictures" / "notes.txt").write_text("no picture")
    (here / "pictures" / ".hidden.png").write_bytes(b"")
    images, names = read_images(["pictures", "pictures/1.png"], GREY, limit=20)
    assert names == [f"pictures/{i}.png" for i in (*range(6), 1)]
    np.testing.assert_array_equal(images[6], images[1])
    assert len(read_images(["pictures", "pictures"], GREY, limit=7)[0]) == 7


def test_the_centre_is_kept_and_resized(capsys):
    wide = np.zeros((16, 40, 3), "uint8")
    wide[:, 12:28] = RNG.integers(0, 256, (16, 16, 3))
    square = save("square.png", wide[:, 12:28])
    images, _ = read_images([save("wide.png", wide), square], (8, 8, 3))
    np.testing.assert_array_equal(images[0], images[1])
    expected = np.asarray(Image.open(square).resize((8, 8), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(np.round(255 * images[1]), expected)
    told = capsys.readouterr().err
    cropped = "note: 1 image of 2 cropped from 40x16 to the centre 16x16, resized to 8x8 (the first: wide.png)\n"
    assert cropped in told and "note: 1 image of 2 resized to 8x8 (the first: square.png)\n" in told


def test_the_crop_has_the_models_proportions(capsys):
    tall = RNG.integers(0, 256, (40, 12, 3), "uint8")
    images, _ = read_images([save("tall.png", tall)], COLOUR)  # 16 high, 12 wide
    np.testing.assert_array_equal(np.round(255 * images[0]), tall[12:28])
    assert "cropped from 12x40 to the centre 12x16 (the first: tall.png)" in capsys.readouterr().err


def test_colour_to_grey_is_told_and_grey_in_colour_is_not(capsys):
    colour = np.zeros((8, 8, 3), "uint8")
    colour[..., 1] = 100
    images, _ = read_images([save("green.png", colour)], GREY)
    np.testing.assert_allclose(255 * images, 100 * 0.587, atol=0.6)  # luma of ITU-R 601
    assert "turned to grey" in capsys.readouterr().err
    images, _ = read_images([save("grey.png", np.full((8, 8, 3), 77, "uint8"))], GREY)
    assert np.all(np.round(255 * images) == 77) and capsys.readouterr().err == ""


def test_grey_to_colour_is_told(capsys):
    grey = RNG.integers(0, 256, (16, 12), "uint8")
    images, _ = read_images([save("grey.png", grey)], COLOUR)
    np.testing.assert_array_equal(np.round(255 * images[0]), np.repeat(grey[..., None], 3, axis=-1))
    assert "grey, given to a model of colour" in capsys.readouterr().err


def test_many_changed_images_make_one_note(capsys):
    read_images(["pictures"], (4, 4, 1))
    assert capsys.readouterr().err == "note: 6 images of 6 resized to 4x4 (the first: pictures/0.png)\n"


def test_unusual_pixels():
    deep = save("deep.png", np.full((8, 8), 65535 // 2, "uint16"))
    bits = save("bits.png", np.eye(8, dtype=bool))
    clear = save("clear.png", np.zeros((8, 8, 4), "uint8"))  # black, and all of it transparent
    palette = "palette.png"
    Image.fromarray(np.full((8, 8), 51, "uint8")).convert("P").save(palette)
    images, _ = read_images([deep, bits, clear, palette], GREY)
    np.testing.assert_allclose(images[0], 0.5, atol=0.003)
    np.testing.assert_array_equal(images[1, ..., 0], np.eye(8))
    assert np.all(images[2] == 1.0)
    np.testing.assert_allclose(images[3], 0.2, atol=1e-6)


def test_a_photograph_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    pixels = np.zeros((8, 8), "uint8")
    pixels[-1] = 255  # the bottom row as stored is the left column as seen
    images, _ = read_images([save("photo.png", pixels, exif=exif)], GREY)
    np.testing.assert_array_equal(images[0, :, 0, 0], 1.0)
    np.testing.assert_array_equal(images[0, :, 1:, 0], 0.0)


@pytest.mark.parametrize("shape", [(5, 8, 8, 1), (5, 8, 8), (8, 8, 1), (8, 8)])
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_arrays_of_every_shape(shape, dtype):
    values = RNG.integers(0, 256, shape, "uint8")
    np.save("a.npy", values if dtype == "uint8" else (values / 255).astype(dtype))
    images, names = read_images(["a.npy"], GREY)
    np.testing.assert_allclose(images, values.reshape(-1, 8, 8, 1) / 255.0, atol=1e-6)
    assert names == (["a.npy"] if len(images) == 1 else [f"a.npy[{i}]" for i in range(5)])


def test_arrays_in_npz_and_their_limit():
    values = RNG.integers(0, 256, (5, 8, 8, 1), "uint8")
    np.savez("one.npz", anything=values)
    np.savez("many.npz", labels=np.arange(5), images=values[::-1])
    images, names = read_images(["one.npz", "many.npz"], GREY, limit=7)
    np.testing.assert_array_equal(np.round(255 * images), [*values, values[4], values[3]])
    assert names[5:] == ["many.npz[0]", "many.npz[1]"]


def test_arrays_are_resized_too(capsys):
    np.save("a.npy", np.full((2, 10, 8, 3), 0.25))
    images, _ = read_images(["a.npy"], GREY)
    np.testing.assert_allclose(images, 0.25, atol=0.5 / 255)
    assert "2 images of 2 cropped from 8x10 to the centre 8x8 (the first: a.npy[0])" in capsys.readouterr().err


def test_a_model_of_vectors_takes_arrays_alone():
    np.save("v.npy", np.full((2, 7), 0.5))
    np.testing.assert_array_equal(read_images(["v.npy"], (7,))[0], np.full((2, 7), 0.5))
    with pytest.raises(ValueError, match=r"takes arrays of shape \(7,\)"):
        read_images(["pictures"], (7,))
    with pytest.raises(ValueError, match=r"Received: shape \(2, 7\)"):
        read_images(["v.npy"], (8,))


@pytest.fixture
def bad(here, x):
    (here / "text.png").write_text("not a picture")
    content = (here / "pictures" / "0.png").read_bytes()
    (here / "cut.png").write_bytes(content[: len(content) // 2])
    (here / "nothing").mkdir()
    Image.fromarray(np.zeros((8, 8), "float32")).save("floats.tiff")
    np.save("bytes.npy", 255 * np.ones((2, 8, 8, 1)))
    np.save("nan.npy", np.full((8, 8, 1), np.nan))
    np.save("ints.npy", np.zeros((2, 8, 8, 1), "int64"))
    np.save("two_channels.npy", np.zeros((2, 8, 8, 2)))
    np.save("none.npy", np.zeros((0, 8, 8, 1)))
    np.savez("several.npz", a=x, b=x)


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("absent.png", "there is no file absent.png"),
        ("text.png", "text.png is not an image that can be read"),
        ("cut.png", "cut.png is not an image that can be read"),
        ("floats.tiff", "floats.tiff is not an image that can be read: its pixels are floats"),
        ("nothing", "nothing must hold pictures"),
        ("bytes.npy", "`bytes.npy` must be in [0, 1] for an image. Received: values from 255 to 255. Divide 8-bit"),
        ("nan.npy", "`nan.npy` must be finite."),
        ("ints.npy", "ints.npy must hold uint8, or floats in [0, 1]. Received: dtype int64."),
        ("two_channels.npy", "two_channels.npy must hold images"),
        ("none.npy", "none.npy must hold images"),
        ("several.npz", "several.npz must hold one array, or `images` among them. Received: a, b."),
    ],
)
def test_refusals(refused, bad, file, told):
    assert told in refused(f"encode plain {file}")
