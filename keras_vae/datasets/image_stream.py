"""Batches of a dataset that does not fit memory, decoded when they are asked for."""

from keras_vae.datasets.binarize import to_float
from keras_vae.datasets.seeded_batches import SeededBatches


class ImageStream(SeededBatches):
    """Batches of images read and decoded on demand: what `stream` returns.

    Args:
        reader: an `ImageReader`, as made by `stream`.
        count: int, read the first `count` examples of the reader's, >= 1.
        batch_size: int, images in a batch, >= 1.
        **kwargs: `shuffle`, `seed`, `drop_remainder`, `initial_epoch`: see `stream`.

    Example:

    >>> from keras_vae.datasets import has_dataset, stream
    >>> if has_dataset("mnist"):
    ...     batches = stream("mnist", "test", batch_size=64)
    """

    def __init__(self, reader, count, batch_size, **kwargs):
        super().__init__(count, batch_size, **kwargs)
        self.reader = reader

    @property
    def image_shape(self):
        """Height, width and channels of an image."""
        return self.reader.shape

    def make_batch(self, rows, rng):
        """float32 images in [0, 1], or (images, labels) where labels were asked for."""
        images, labels = self.reader.read(rows)
        images = to_float(images)
        return images if labels is None else (images, labels)
