"""Fine-tuning ends with the weights of its best epoch."""

import keras
import numpy as np
import pytest

import harness
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


def small_classifier():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, "softmax")])
    harness.set_weights(model)
    return model


def blobs():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 60)
    return (rng.normal(size=(60, 4)) + np.eye(3, 4)[labels]).astype("float32"), labels


def test_averaging_keeps_and_evaluates_the_running_mean():
    x, labels = blobs()
    model, raw = small_classifier(), []

    class Watch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raw.append([np.array(w) for w in model.get_weights()])

    held = (x[40:], labels[40:])
    options = {"epochs": 4, "batch_size": 40, "learning_rate": 0.3, "verbose": 0}  # one step an epoch
    history = finetune(model, x[:40], labels[:40], held, averaging=0.6, callbacks=Watch(), **options).history
    means = raw[:1]
    for now in raw[1:]:
        means.append([0.6 * a + 0.4 * w for a, w in zip(means[-1], now, strict=True)])
    best = int(np.argmax(history["val_accuracy"]))
    assert best > 0  # at the first epoch a mean is the weights themselves
    for got, wanted, last in zip(model.get_weights(), means[best], raw[best], strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
        assert np.abs(last - wanted).max() > 0.01
    loss = model.evaluate(*held, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(history["val_loss"][best], rel=1e-5)


def test_label_smoothing_is_the_cross_entropy_with_smoothed_targets():
    x, labels = blobs()
    model = small_classifier()
    p = keras.ops.convert_to_numpy(model(x))
    targets = 0.8 * np.eye(3)[labels] + 0.2 / 3
    options = {"epochs": 1, "batch_size": 60, "shuffle": False, "verbose": 0}
    history = finetune(model, x, labels, (x, labels), label_smoothing=0.2, **options).history
    assert history["loss"][0] == pytest.approx(-(targets * np.log(p)).sum(axis=1).mean(), rel=1e-5)
    scores = model.evaluate(x, labels, verbose=0, return_dict=True)
    assert scores["accuracy"] == pytest.approx(history["val_accuracy"][0])


@pytest.mark.parametrize("argument", ["averaging", "label_smoothing"])
def test_refuses(argument):
    x, labels = blobs()
    with pytest.raises(ValueError, match=f"`{argument}` must be .*Received: {argument}=1.0"):
        finetune(small_classifier(), x, labels, (x, labels), **{argument: 1.0})


@pytest.mark.parametrize("wrong", [np.full(60, -1), np.full(60, 3), np.zeros(60), np.zeros((60, 3), int)])
def test_labels_that_cannot_be_smoothed_are_refused(wrong):
    x, labels = blobs()
    told = r"`{}` must be integers from 0 to 2, shape \(n,\), for `label_smoothing`. Received: shape="
    with pytest.raises(ValueError, match=told.format("labels")):
        finetune(small_classifier(), x, wrong, (x, labels), label_smoothing=0.1)
    with pytest.raises(ValueError, match=told.format(r"validation_data\[1\]")):
        finetune(small_classifier(), x, labels, (x, wrong), label_smoothing=0.1)
