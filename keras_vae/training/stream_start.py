"""Where a seeded stream begins, whatever Keras looked at before."""

import keras


class StreamStart(keras.callbacks.Callback):
    """Starts seeded streams at the epoch they had when they were given to `fit` or `evaluate`, which add it.

    Before the first step Keras reads a batch or two to learn shapes, and tells the stream that an epoch has ended: on a
    stream of one or two batches that cannot be told from an epoch, and not on every backend alike.

    Args:
        x: what is trained on; anything but a seeded stream (`keras_vae.datasets`) is left alone.
        validation: what is evaluated.
    """

    def __init__(self, x, validation):
        super().__init__()
        self.train, self.test = (
            [(s, s.epoch)] if hasattr(s, "start") and hasattr(s, "epoch") else [] for s in (x, validation)
        )

    def on_train_begin(self, logs=None):
        self._start(self.train)

    def on_test_begin(self, logs=None):
        self._start(self.test)

    def _start(self, streams):
        while streams:  # once: from there on the stream counts its epochs
            stream, epoch = streams.pop()
            stream.start(epoch)
