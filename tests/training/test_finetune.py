"""Fine-tuning ends with the weights of its best epoch."""

import keras
import numpy as np
import pytest

from keras_vae.training import finetune


def test_the_best_epoch_is_kept():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(60, 4)).astype("float32"), rng.integers(0, 2, 60)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2, "softmax")])
    held = (x[40:], labels[40:])
    history = finetune(model, x[:40], labels[:40], held, epochs=6, batch_size=10, learning_rate=0.1, verbose=0).history
    accuracy = model.evaluate(*held, verbose=0, return_dict=True)["accuracy"]
    assert accuracy == pytest.approx(max(history["val_accuracy"]))
    assert len(history["loss"]) == 6  # all of its schedule is run
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) < 1e-6
