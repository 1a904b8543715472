"""Images and labels of a split by row: serialized example -> encoded image -> cropped, resized uint8 pixels."""

import io
import os
import time
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from keras_vae.core.checks import integer
from keras_vae.core.optional import require
from keras_vae.datasets.prepared import open_builder, tensorflow_datasets
from keras_vae.datasets.records import Records

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}  # channels -> Pillow's name
_BINARY = {"binarized_mnist", "binary_alpha_digits", "dsprites"}  # stored as 0 and 1; here uint8 means 0 to 255
_CHUNK = 512  # images between two looks at the clock
_THREADS_FROM = 128 * 128  # pixels: below, threads take turns at Python's lock and cost more than they bring
_PATIENCE = 3.0  # seconds of silence before a progress bar


class ImageReader:
    """Random access to the images and labels of one split: no TensorFlow, equal pixels with and without it.

    Args:
        name: str, the dataset; see `has_dataset`.
        split: str, a split or an expression of tensorflow-datasets such as "train[:90%]".
        data_dir: path or None, where to look; see `prepared_datasets`.
        download: bool, download and prepare what is missing.
        size: int or None, height and width after cropping and resizing, in pixels.
        crop: int or None, side of the centred square that is kept before resizing, in pixels.
        labels: False, True, str or sequence of str; see `load_images`.
    """

    def __init__(self, name, split, data_dir=None, download=False, size=None, crop=None, labels=False):
        builder = open_builder(name, data_dir, download)
        self._records = Records(builder, split)
        self._image, feature = _image_feature(builder)
        self._label_names, self._flat_labels = _label_names(builder, labels)
        self._features = _features(builder, [self._image, *self._label_names])
        self._label_features = _features(builder, self._label_names)
        self._decoders = {self._image: tensorflow_datasets().decode.SkipDecoding()}
        self._pillow = require("PIL.Image", "data", "Decoding images")
        self._binary = builder.info.name in _BINARY
        self._crop = None if crop is None else integer("crop", crop)
        self._size = None if size is None else integer("size", size)
        self.shape = self._output_shape(builder.info.name, feature.shape)
        self._source = {"dataset": builder.info.full_name, "split": split, "crop": self._crop, "labels": labels}

    def __len__(self):
        return len(self._records)

    def fingerprint(self):
        """What the images and labels depend on: {name: value}."""
        return {**self._source, "shape": self.shape}

    def read(self, rows, verbose=0):
        """The images and labels of `rows`: uint8 (n, height, width, channels) and int64 (n,), (n, k) or None.

        Args:
            rows: sequence of int.
            verbose: 0, 1 or "auto": no progress bar, one, or one if it takes longer than a moment.
        """
        images = np.empty((len(rows), *self.shape), np.uint8)
        labels = np.empty((len(rows), len(self._label_names)), np.int64)
        progress = _Progress(len(rows), verbose)

        def fill(i):
            example = self._features.deserialize_example_np(self._records[int(rows[i])], decoders=self._decoders)
            images[i] = self._pixels(example[self._image])
            labels[i] = [example[key] for key in self._label_names]

        threads = min(8, os.cpu_count() or 1) if len(rows) > 1 and self._encoded_pixels >= _THREADS_FROM else 1
        with ThreadPoolExecutor(threads) as pool:
            for start in range(0, len(rows), _CHUNK):
                chunk = range(start, min(start + _CHUNK, len(rows)))
                for _ in map(fill, chunk) if threads == 1 else pool.map(fill, chunk):
                    pass
                progress.update(chunk.stop)
        if not self._label_names:
            return images, None
        return images, labels[:, 0] if self._flat_labels else labels

    def read_labels(self, rows, verbose=0):
        """The labels of `rows` without their images, int64 (n, k); arguments as in `read`."""
        labels = np.empty((len(rows), len(self._label_names)), np.int64)
        progress = _Progress(len(rows), verbose)
        for i, row in enumerate(rows):
            example = self._label_features.deserialize_example_np(self._records[int(row)])
            labels[i] = [example[key] for key in self._label_names]
            if not (i + 1) % _CHUNK or i + 1 == len(rows):
                progress.update(i + 1)
        return labels

    def _output_shape(self, name, shape):
        height, width, channels = shape
        if channels not in _MODES:
            raise ValueError(f"The images of {name} must have 1, 3 or 4 channels. Received: shape {shape}.")
        self._encoded_pixels = (height or 256) * (width or 256)
        if self._crop and None not in (height, width) and self._crop > min(height, width):
            raise ValueError(f"`crop` must be at most {min(height, width)} for {name}. Received: crop={self._crop}.")
        side = self._size or self._crop
        if side:
            return (side, side, channels)
        if None in (height, width):
            raise ValueError(f"`size` must be given for {name}, whose images differ in size. Received: size=None.")
        return (height, width, channels)

    def _pixels(self, encoded):
        with self._pillow.open(io.BytesIO(encoded)) as image:
            if image.mode != _MODES[self.shape[-1]]:
                image = image.convert(_MODES[self.shape[-1]])
            if self._size or self._crop:
                image = self._fit(image)
            pixels = np.asarray(image)
        return (np.where(pixels, np.uint8(255), np.uint8(0)) if self._binary else pixels).reshape(self.shape)

    def _fit(self, image):
        side = self._crop or min(image.size)
        if side > min(image.size):
            raise ValueError(
                f"`crop` must be at most the smaller side of any image. Received: crop={side}, {image.size}."
            )
        left, top = ((length - side) // 2 for length in image.size)
        square = image if image.size == (side, side) else image.crop((left, top, left + side, top + side))
        if self._size in (None, side):
            return square
        return square.resize((self._size, self._size), self._pillow.Resampling.LANCZOS)


class _Progress:
    """A Keras progress bar that only appears where the wait is worth one."""

    def __init__(self, total, verbose):
        if verbose not in (0, 1, "auto"):
            raise ValueError(f'`verbose` must be 0, 1 or "auto". Received: verbose={verbose!r}.')
        self._total, self._start, self._patience = total, time.monotonic(), _PATIENCE if verbose == "auto" else 0
        self._bar = keras.utils.Progbar(total, unit_name="image", interval=0.2) if verbose else None
        self._shown = False

    def update(self, done):
        slow = time.monotonic() - self._start >= self._patience and done < self._total
        if self._bar is not None and (self._shown or slow or not self._patience):
            self._shown = True
            self._bar.update(done)


def _features(builder, names):
    """A reduced set of features: what nobody asked for, such as the 40 attributes of celeb_a, is then not parsed."""
    return tensorflow_datasets().features.FeaturesDict({name: builder.info.features[name] for name in names})


def _image_feature(builder):
    image = tensorflow_datasets().features.Image
    found = {key: feature for key, feature in builder.info.features.items() if isinstance(feature, image)}
    if not found:
        features = ", ".join(builder.info.features)
        raise ValueError(f"`name` must be a dataset with images. Received: {builder.info.name}, which has {features}.")
    key = "image" if "image" in found else next(iter(found))
    if found[key].np_dtype != np.uint8:
        raise ValueError(f"The images of {builder.info.name} must be uint8. Received: {found[key].np_dtype}.")
    return key, found[key]


def _label_names(builder, labels):
    """The features that `labels` asks for, and whether one stands alone."""
    if labels is False or labels is None:
        return [], False
    flat = labels is True or isinstance(labels, str)
    names = ["label"] if labels is True else [labels] if flat else list(labels)
    features = builder.info.features
    numbers = [k for k, f in features.items() if f.shape == () and np.issubdtype(f.np_dtype, np.integer)]
    for name in names:
        if name not in numbers:
            raise ValueError(
                f"`labels` must name features of {builder.info.name} that are whole numbers "
                f"({', '.join(numbers) or 'it has none'}). Received: {name!r}."
            )
    return names, flat
