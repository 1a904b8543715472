"""One loader over tensorflow-datasets, with and without TensorFlow: arrays for what fits memory, else a stream."""

from keras_vae.core.checks import integer
from keras_vae.datasets.image_reader import ImageReader
from keras_vae.datasets.image_stream import ImageStream


def load_images(
    name,
    split="train",
    *,
    data_dir=None,
    download=False,
    size=None,
    crop=None,
    limit=None,
    labels=False,
    verbose="auto",
):
    """The images of a dataset of tensorflow-datasets as one uint8 array, for what fits memory.

    Reads Parquet, array_record and TFRecord files without TensorFlow, decodes with Pillow, and keeps the order of the
    files: equal pixels in equal order whatever else is installed. Slices are exact on every file format. Here uint8
    always means greys: `binarized_mnist`, `binary_alpha_digits` and `dsprites`, stored as zeros and ones, come as 0 and
    255, so that `to_float`, `ImageBatches` and `stream` make exact zeros and ones of them.

    For CelebA at 64x64 the usual protocol is `load_images("celeb_a", size=64, crop=148)`.

    Args:
        name: str, the dataset as tensorflow-datasets spells it: "mnist", "name/config", "name:1.0.0".
        split: str, a split, a slice or a sum: "train", "train[:90%]", "test[100:200]", "train+test". Default "train".
        data_dir: path or None, the tensorflow-datasets folder; None stands for the environment variable
            `TFDS_DATA_DIR`, or `~/tensorflow_datasets` where that is unset. Default None.
        download: bool, download and prepare what is missing, which needs a network and TensorFlow. Default False.
        size: int or None, centre-crop to a square and resize it (Lanczos) to so many pixels a side. Default None:
            pixels as stored.
        crop: int or None, side of the centred square that is kept, in pixels, at most the smaller side. Default None:
            the whole image, or the smaller side where `size` is given.
        limit: int or None, only the first `limit` images, >= 1. Default None: all.
        labels: False for images alone; True for the feature "label" beside them; or the name, or sequence of names, of
            other whole-number features. Default False.
        verbose: 0, 1 or "auto": no progress bar, one, or one where reading takes longer than a moment. Default "auto".

    Returns:
        A uint8 array (n, height, width, channels); with `labels`, a pair of it and an int64 array (n,), or (n, k) for
        a sequence of k names.

    Raises:
        DatasetNotFoundError: not on this machine, and `download` is False or failed.
        ValueError: unknown or empty split, a number out of range, a dataset without images or without the labels.
        ImportError: `tensorflow-datasets` or Pillow is not installed.

    Example:

    >>> from keras_vae.datasets import has_dataset, load_images
    >>> if has_dataset("mnist"):
    ...     images, digits = load_images("mnist", "test[:100]", labels=True)
    """
    limit = None if limit is None else integer("limit", limit)
    reader = ImageReader(name, split, data_dir, download, size, crop, labels)
    images, numbers = reader.read(range(min(len(reader), limit or len(reader))), verbose)
    return images if numbers is None else (images, numbers)


def stream(
    name,
    split="train",
    batch_size=128,
    *,
    data_dir=None,
    download=False,
    size=None,
    crop=None,
    limit=None,
    labels=False,
    shuffle=True,
    seed=0,
    drop_remainder=False,
    initial_epoch=0,
):
    """Batches of a dataset of tensorflow-datasets, read and decoded when asked for, for what does not fit memory.

    A batch is a function of the seed, the epoch and its number. Images of 128 x 128 pixels and more are decoded by
    several threads; JAX and TensorFlow decode the next batch while the present one is trained on.

    Args:
        name: str, the dataset; see `load_images`.
        split: str, a split, a slice or a sum. Default "train".
        batch_size: int, images in a batch, >= 1. Default 128.
        data_dir: path or None; see `load_images`. Default None.
        download: bool; see `load_images`. Default False.
        size: int or None; see `load_images`. Default None.
        crop: int or None; see `load_images`. Default None.
        limit: int or None, only the first `limit` images, >= 1. Default None: all.
        labels: False, True, str or sequence of str; see `load_images`. Default False.
        shuffle: bool, a new order each epoch. Default True.
        seed: int, >= 0, of the order. Default 0.
        drop_remainder: bool, leave out the last batch where it is smaller than the others. Default False.
        initial_epoch: int, the number of the first epoch, >= 0: a resumed run goes on in the order it would have
            seen. Default 0.

    Returns:
        A `keras.utils.PyDataset` of float32 images in [0, 1], (batch, height, width, channels), or of pairs of them and
        the labels. Its `image_shape` is the shape of an image.

    Raises:
        DatasetNotFoundError: not on this machine, and `download` is False or failed.
        ValueError: as `load_images`.
        ImportError: `tensorflow-datasets` or Pillow is not installed.

    Example:

    >>> from keras_vae.datasets import has_dataset, stream
    >>> if has_dataset("mnist"):
    ...     batches = stream("mnist", batch_size=64, seed=1)
    """
    limit = None if limit is None else integer("limit", limit)
    reader = ImageReader(name, split, data_dir, download, size, crop, labels)
    return ImageStream(
        reader,
        min(len(reader), limit or len(reader)),
        batch_size,
        shuffle=shuffle,
        seed=seed,
        drop_remainder=drop_remainder,
        initial_epoch=initial_epoch,
    )
