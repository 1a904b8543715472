"""The epochs of a seeded stream are those of the training, however often Keras looks at the first batches before it."""

import keras
import numpy as np
import pytest

import keras_vae
from keras_vae.datasets.seeded_batches import SeededBatches


class Recorded(SeededBatches):
    """Says of which epoch each batch was, as the values of the batch."""

    def make_batch(self, rows, rng):
        return np.full((len(rows), 4, 4, 1), self.epoch / 10, "float32")


class Seen(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.epochs = []

    def on_epoch_end(self, epoch, logs=None):
        self.epochs.append(logs["seen"])


def model():
    """An autoencoder whose metric is the mean of its data."""
    mean = keras.metrics.MeanMetricWrapper(lambda x, y: keras.ops.mean(x, axis=(1, 2, 3)), name="seen")
    made = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((4, 4, 1), ()))
    made.compile("sgd", metrics=[mean])
    return made


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_a_run_starts_at_the_streams_own_epoch_and_goes_on_one_by_one(batches):
    stream, seen = Recorded(2 * batches, 2), Seen()
    model().fit(stream, epochs=3, callbacks=[seen], shuffle=False, verbose=0)
    np.testing.assert_allclose(seen.epochs, [0.0, 0.1, 0.2], atol=1e-6)
    assert stream.epoch == 3


@pytest.mark.parametrize("batches", [1, 2])
def test_validation_goes_on_by_one_epoch_each_time(batches):
    class Validated(Seen):
        def on_epoch_end(self, epoch, logs=None):
            self.epochs.append(logs["val_seen"])

    stream, seen = Recorded(2 * batches, 2, initial_epoch=4), Validated()
    x = np.zeros((2, 4, 4, 1), "float32")
    model().fit(x, validation_data=stream, epochs=3, callbacks=[seen], verbose=0)
    np.testing.assert_allclose(seen.epochs, [0.4, 0.5, 0.6], atol=1e-6)


def test_steps_per_epoch_reads_one_epoch_of_the_stream_in_several_of_keras():
    stream, seen = Recorded(8, 2), Seen()
    model().fit(stream, epochs=4, steps_per_epoch=2, callbacks=[seen], shuffle=False, verbose=0)
    np.testing.assert_allclose(seen.epochs, [0.0, 0.0, 0.1, 0.1], atol=1e-6)


def test_evaluation_twice_reads_two_epochs():
    stream, made = Recorded(4, 2), model()
    values = [made.evaluate(stream, verbose=0, return_dict=True)["seen"] for _ in range(2)]
    np.testing.assert_allclose(values, [0.0, 0.1], atol=1e-6)
