"""The epoch logs in TensorBoard."""

from pathlib import Path

import keras

from keras_vae.callbacks.summaries import summary_writer


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes the logs of each epoch for TensorBoard, on every backend and without TensorFlow.

    Keras's own TensorBoard callback needs TensorFlow. Training goes to `<log_dir>/train` and validation to
    `<log_dir>/validation` under the same tags, so that TensorBoard draws them in one chart. Needs the extra `viz`.

    Args:
        log_dir: str or Path, one folder per run.

    Example:
        >>> callback = TensorBoardScalars("runs/vae_mnist/tensorboard")
    """

    def __init__(self, log_dir):
        super().__init__()
        self.log_dir = Path(log_dir)
        self.writers = {}

    def on_epoch_end(self, epoch, logs=None):
        for name, value in (logs or {}).items():
            run = "validation" if name.startswith("val_") else "train"
            if run not in self.writers:
                self.writers[run] = summary_writer(self.log_dir / run)
            self.writers[run].add_scalar(name.removeprefix("val_"), float(value), epoch + 1)
        for writer in self.writers.values():
            writer.flush()

    def on_train_end(self, logs=None):
        for writer in self.writers.values():
            writer.close()
        self.writers = {}
