"""One progress bar over several trainings."""

import keras
import numpy as np

EVERY = 10  # steps between two looks at the loss: each one waits for the device


class SharedProgress(keras.callbacks.Callback):
    """Shows the steps of one of several trainings on a bar that all of them share.

    Args:
        bar: keras.utils.Progbar, its target the steps of all trainings.
        before: int, steps of the trainings that come before this one.
        steps: int, steps of an epoch.
        **labels: numbers that say which training this is, shown beside the loss.

    Example:

    >>> import keras, keras_vae
    >>> bar = keras.utils.Progbar(300, verbose=0, stateful_metrics=["layer", "epoch", "loss"])
    >>> callback = keras_vae.training.SharedProgress(bar, before=100, steps=50, layer=2)
    """

    def __init__(self, bar, before, steps, **labels):
        super().__init__()
        self.bar, self.before, self.steps, self.labels = bar, before, steps, labels
        self.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        done = self.before + self.epoch * self.steps + batch + 1
        if done % EVERY == 0 and done < self.bar.target:  # the caller ends the bar
            loss = float(np.asarray(keras.ops.convert_to_numpy(logs["loss"])))
            self.bar.update(done, [*self.labels.items(), ("epoch", self.epoch + 1), ("loss", loss)])
