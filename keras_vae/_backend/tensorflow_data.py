"""Data as Keras feeds it to TensorFlow, without tf.data's thread that tunes the pipeline."""

import tensorflow as tf
from keras.src.trainers.data_adapters import get_data_adapter, is_tf_dataset
from keras.src.trainers.data_adapters.data_adapter import DataAdapter


class UntunedAdapter(DataAdapter):
    """An adapter of Keras whose tf.data pipeline is not tuned: one generator or gather feeds it, all there is to tune.

    The tuning thread sleeps for as long as the pipeline has run already, up to a minute, and where it misses that it is
    to stop, which happens often on a busy CPU, the end of the epoch waits until it wakes (TensorFlow 2.21): eight
    epochs of an MLP VAE took 36 to 41 s instead of 22.
    """

    def __init__(self, adapter):
        self._adapter = adapter

    def get_tf_dataset(self):
        options = tf.data.Options()
        options.autotune.enabled = False
        return self._adapter.get_tf_dataset().with_options(options)

    @property
    def num_batches(self):
        return self._adapter.num_batches

    @property
    def batch_size(self):
        return self._adapter.batch_size

    @property
    def has_partial_batch(self):
        return self._adapter.has_partial_batch

    @property
    def partial_batch_size(self):
        return self._adapter.partial_batch_size

    def on_epoch_begin(self):
        self._adapter.on_epoch_begin()

    def on_epoch_end(self):
        self._adapter.on_epoch_end()


def fed(x, y=None, sample_weight=None, **options):
    """(x, y, sample_weight) for a method of Keras, in an adapter; a tf.data pipeline of the user's as it is."""
    if is_tf_dataset(x):
        return x, y, sample_weight
    return UntunedAdapter(get_data_adapter(x, y, sample_weight, **options)), None, None
