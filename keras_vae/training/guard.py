"""Stops a training whose loss is no longer finite, and names the term."""

import keras
import numpy as np


class NonFiniteLossError(ArithmeticError):
    """A term of the loss became NaN or infinite during training."""


class NonFiniteGuard(keras.callbacks.Callback):
    """Stops training when a logged term is NaN or infinite. `fit` adds it; the error comes after Keras has tidied up.

    Raising inside `fit` would leave a JAX model without its variables, so the guard asks Keras to stop and
    `raise_if_stopped` tells afterwards. The running means of the terms keep a NaN until the epoch ends: looking every
    `every` batches misses nothing and costs no step its asynchrony.

    Args:
        names: the names of the logged terms of the loss.
        every: int, batches between two looks. Default: 50.
    """

    async_safe = True

    def __init__(self, names, every=50):
        super().__init__()
        self.names = ("loss", *names)
        self.every = every
        self.message = None
        self.epoch = self.next_look = 0

    def set_model(self, model):
        super().set_model(model)
        # Keras may call from another thread, and there `self.model` would take JAX's weights from the step in progress.
        self.trained = model

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.next_look = epoch, 0

    def on_train_batch_end(self, batch, logs=None):
        if batch >= self.next_look:  # with `steps_per_execution` not every number comes by
            self.next_look = batch + self.every
            self._look(logs, f"epoch {self.epoch + 1}, batch {batch + 1}")

    def on_epoch_end(self, epoch, logs=None):
        self._look(logs, f"the end of epoch {epoch + 1}")

    def _look(self, logs, where):
        values = {name: float(np.asarray(_host(logs[name]))) for name in self.names if name in (logs or {})}
        bad = [name for name, value in values.items() if not np.isfinite(value)]
        if not bad or self.message:
            return
        culprits = [name for name in bad if name != "loss"] or bad
        told = ", ".join(f"{name}={value:g}" for name, value in values.items())
        self.message = (
            f"Training stopped at {where}: {', '.join(f'`{c}`' for c in culprits)} is not finite ({told}). "
            "Lower the learning rate, clip gradients (`clipnorm`), or check the data."
        )
        self.trained.stop_training = True

    def raise_if_stopped(self):
        """Raises NonFiniteLossError if the guard stopped the training."""
        if self.message:
            raise NonFiniteLossError(self.message)


def _host(value):
    return keras.ops.convert_to_numpy(value) if hasattr(value, "shape") else value
