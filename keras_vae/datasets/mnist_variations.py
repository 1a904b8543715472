"""The variations of MNIST on which deep networks were first compared, made from MNIST itself."""

import hashlib

import numpy as np

from keras_vae.core.checks import integer, one_of
from keras_vae.core.optional import require
from keras_vae.datasets.image_reader import ImageReader
from keras_vae.datasets.loader import load_images
from keras_vae.datasets.prepared import has_dataset

VARIATIONS = ("basic", "rot", "bg-rand", "bg-img")
TOTAL = 62_000
SPLITS = {"train": slice(0, 10_000), "validation": slice(10_000, 12_000), "test": slice(12_000, TOTAL)}
PHOTOGRAPHS = 10_000
PATCH_DEVIATION = 10.0  # grey levels: patches that vary less are no background to speak of


def load_mnist_variation(name, split="train", *, seed=0, data_dir=None, download=False):
    """Images and labels of one variation: 10,000 to train, 2,000 to validate, 50,000 to test.

    The first 62,000 digits of MNIST in its original order, training set before test set. "basic": as they are; "rot":
    rotated by a random angle; "bg-rand": over uniform noise; "bg-img": over grey patches of photographs, here of
    CIFAR-10 (`cifar10`, or `cifar10_jpeg` where only that is prepared). A digit covers its background by its own grey.
    They are made anew after the description of Larochelle et al. 2007 and are not the files of that paper, nor its
    choice of digits: errors compare with published ones within what another draw of the same kind may change.

    Args:
        name: "basic", "rot", "bg-rand" or "bg-img".
        split: "train", "validation" or "test". Default: "train".
        seed: int >= 0, of angles, noise and patches. Default: 0.
        data_dir: path or None; see `load_images`. Default: None.
        download: bool; see `load_images`. Default: False.

    Returns:
        uint8 array (n, 28, 28, 1) and int64 array (n,).

    Raises:
        ValueError: for another name or split.
        DatasetNotFoundError: if MNIST, or CIFAR-10 for "bg-img", is not there.

    Reference:
        Larochelle, Erhan, Courville, Bergstra & Bengio 2007, ICML.

    Example:

    >>> from keras_vae.datasets import has_dataset, load_mnist_variation
    >>> if has_dataset("mnist"):
    ...     images, digits = load_mnist_variation("rot", "validation")
    """
    one_of("name", name, VARIATIONS)
    rows = SPLITS[one_of("split", split, tuple(SPLITS))]
    options = {"data_dir": data_dir, "download": download}
    digits, labels = original_mnist(rows, **options)
    # Drawn for all 62,000 digits, so that a digit is the same whichever split is asked for.
    rng = np.random.default_rng([integer("seed", seed, low=0), VARIATIONS.index(name)])
    if name == "rot":
        digits = rotated(digits, rng.uniform(0.0, 360.0, TOTAL)[rows])
    elif name == "bg-rand":
        digits = on_background(digits, rng.integers(0, 256, (TOTAL, *digits.shape[1:]), dtype="uint8")[rows])
    elif name == "bg-img":
        only_jpeg = has_dataset("cifar10_jpeg", data_dir) and not has_dataset("cifar10", data_dir)
        source = "cifar10_jpeg" if only_jpeg else "cifar10"
        photographs = load_images(source, "train", limit=PHOTOGRAPHS, **options)
        digits = on_background(digits, grey_patches(photographs, TOTAL, digits.shape[1], rng)[rows])
    return digits, labels


def original_mnist(rows, data_dir=None, download=False):
    """The `rows` of MNIST's 60,000 training digits followed by its 10,000 test digits, in the order of its own files.

    Args:
        rows: slice of 0 .. 70,000.
        data_dir: path or None; see `load_images`. Default: None.
        download: bool; see `load_images`. Default: False.

    Returns:
        uint8 array (n, 28, 28, 1) and int64 array (n,).
    """
    first, found = 0, []
    for split, size in (("train", 60_000), ("test", 10_000)):
        start, stop = (min(max(row - first, 0), size) for row in (rows.start, rows.stop))
        first += size
        if start < stop:
            reader = ImageReader("mnist", split, data_dir, download, labels=True)
            found.append(reader.read(original_order(split, len(reader))[start:stop], "auto"))
    return tuple(np.concatenate(parts) for parts in zip(*found, strict=True))


def original_order(split, size):
    """Where tensorflow-datasets keeps each example of a split, by the number under which the source gave it.

    It writes a split in the order of md5(split + number), so that the place of a number is the rank of its hash.

    Args:
        split: str, such as "train".
        size: int >= 1, examples in the split.

    Returns:
        int array (size,): `stored[original_order(split, size)]` is in the order of the source.
    """
    hashes = np.array([hashlib.md5(f"{split}{number}".encode()).hexdigest() for number in range(size)])
    places = np.empty(size, "int64")
    places[np.argsort(hashes)] = np.arange(size)
    return places


def rotated(images, degrees):
    """Each image turned about its centre, bilinear, black outside.

    Args:
        images: uint8 array (n, height, width, 1).
        degrees: array (n,), counter-clockwise.

    Returns:
        uint8 array of the same shape.
    """
    pillow = require("PIL.Image", "data", "Rotating digits")
    turned = [
        np.asarray(pillow.fromarray(image[..., 0]).rotate(float(angle), pillow.Resampling.BILINEAR))
        for image, angle in zip(images, degrees, strict=True)
    ]
    return np.stack(turned)[..., None]


def on_background(digits, background):
    """Digits over a background, each pixel covering as much of it as it is bright: d + (255 - d) b / 255.

    Args:
        digits: uint8 array (n, height, width, 1).
        background: uint8 array of the same shape.

    Returns:
        uint8 array of the same shape.
    """
    digits, background = digits.astype("uint16"), background.astype("uint16")
    return (digits + ((255 - digits) * background + 127) // 255).astype("uint8")


def grey_patches(images, count, size, rng):
    """Square patches of colour images as greys, from random images and places, none of them nearly uniform.

    Args:
        images: uint8 array (n, height, width, 3).
        count: int >= 1.
        size: int, side of a patch in pixels.
        rng: numpy.random.Generator.

    Returns:
        uint8 array (count, size, size, 1).
    """
    grey = (images @ np.array([0.299, 0.587, 0.114], "float32")).round().astype("uint8")
    patches = np.empty((count, size, size, 1), "uint8")
    done = 0
    while done < count:
        n = count - done
        which = rng.integers(0, len(grey), n)
        top, left = (rng.integers(0, side - size + 1, n)[:, None, None] for side in grey.shape[1:])
        span = np.arange(size)
        drawn = grey[which[:, None, None], top + span[:, None], left + span]
        drawn = drawn[drawn.reshape(n, -1).std(axis=1) > PATCH_DEVIATION]
        if not len(drawn):
            raise ValueError("`images` must vary by more than ten grey levels. Received: nearly uniform images.")
        patches[done : done + len(drawn), ..., 0] = drawn
        done += len(drawn)
    return patches
