"""Data: one loader over tensorflow-datasets, binarisation, and sprites with known factors that are rendered here."""

from keras_vae.datasets.array_batches import ArrayBatches
from keras_vae.datasets.binarize import static_binarize, to_float
from keras_vae.datasets.dynamic_binarization import DynamicBinarization
from keras_vae.datasets.image_batches import ImageBatches
from keras_vae.datasets.image_stream import ImageStream
from keras_vae.datasets.loader import load_images, stream
from keras_vae.datasets.mnist_variations import load_mnist_variation
from keras_vae.datasets.prepared import DatasetNotFoundError, has_dataset, prepared_datasets
from keras_vae.datasets.sprites import Sprites
from keras_vae.datasets.tfds_sprites import TfdsSprites, load_sprites

__all__ = [
    "ArrayBatches",
    "DatasetNotFoundError",
    "DynamicBinarization",
    "ImageBatches",
    "ImageStream",
    "Sprites",
    "TfdsSprites",
    "has_dataset",
    "load_images",
    "load_mnist_variation",
    "load_sprites",
    "prepared_datasets",
    "static_binarize",
    "stream",
    "to_float",
]
