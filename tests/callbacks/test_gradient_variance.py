"""The variance of gradients beside a training: what it is, that nothing moves, and that it is resumed."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.callbacks import GradientVariance
from keras_vae.datasets import ArrayBatches
from keras_vae.training import gradient_variance

X = harness.images(64, size=4)


def vae(estimator=None, seed=1):
    bottleneck = keras_vae.Reparameterised("Laplace", 2, seed=seed, estimator=estimator)
    nets = keras_vae.MLPEncoder((6,), "tanh"), keras_vae.MLPDecoder((4, 4, 1), (6,), "tanh")
    model = keras_vae.VAE(*nets, bottleneck=bottleneck)
    model.build((None, 4, 4, 1))
    return harness.set_weights(model)


def fitted(callbacks, epochs=2):
    model = vae()
    model.compile(keras.optimizers.SGD(1e-3))
    model.fit(X, batch_size=16, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    return model


def test_the_training_goes_on_as_if_nothing_had_been(tmp_path):
    callback = GradientVariance(ArrayBatches(X, 8, seed=0), "bottleneck.head", (1, 3), tmp_path / "values.json")
    harness.assert_same_weights(harness.weights(fitted([callback], 3)), harness.weights(fitted([], 3)))
    assert sorted(callback.values) == [1, 3]
    resumed = GradientVariance(ArrayBatches(X, 8, seed=0), "bottleneck.head", (1, 3), tmp_path / "values.json")
    resumed.set_model(vae())
    resumed.on_train_begin()
    resumed.on_epoch_begin(3)
    assert resumed.values == callback.values
    resumed.on_train_begin()
    resumed.on_train_end()  # every epoch was done before
    assert resumed.values == callback.values


def test_it_is_the_variance_at_the_weights_of_then():
    """Without a seed the copy draws other noise than the original: equal within what 400 gradients leave open."""
    batches = ArrayBatches(
        np.repeat(X[:8], 400, axis=0).reshape(8, 400, 4, 4, 1).swapaxes(0, 1).reshape(-1, 4, 4, 1), 8
    )
    callback = GradientVariance(batches, "bottleneck.head", (2,))
    model = fitted([callback])
    before = harness.weights(model)
    again = gradient_variance(model, batches, model.bottleneck.head.trainable_variables)
    assert callback.values[2] == pytest.approx(again, rel=0.3)
    after = harness.weights(model)
    same = [path for (path, one), (_, other) in zip(before, after, strict=True) if np.array_equal(one, other)]
    assert {weight.path for weight in model.trainable_variables} <= set(same)


def test_a_baseline_that_has_learnt_is_quieter():
    estimator = keras_vae.ScoreFunction(keras_vae.InputDependentBaseline((8,)))
    model = vae(estimator)
    batches, weights = ArrayBatches(X, 8, seed=0), model.bottleneck.head.trainable_variables
    raw = gradient_variance(model, batches, weights, 5, "bottleneck.estimator")
    learnt = gradient_variance(model, batches, weights, 5, "bottleneck.estimator", batches, 30)
    assert learnt < 0.8 * raw


def test_state_that_no_optimizer_owns_stays_too():
    nets = keras_vae.MLPEncoder((6,)), keras_vae.MLPDecoder((4, 4, 1), (6,))
    model = keras_vae.GECO(*nets, tolerance=0.1, latent_dim=2, multiplier_rate=0.1)
    model.build((None, 4, 4, 1))
    before = harness.weights(model)
    gradient_variance(model, ArrayBatches(X, 8, seed=0), model.bottleneck.head.trainable_variables)
    harness.assert_same_weights(before, harness.weights(model))


def test_what_cannot_be_measured_is_refused_before_the_first_epoch():
    batches = ArrayBatches(X, 8)
    harness.check_refuses(lambda: GradientVariance(batches, "bottleneck.head", (0,)), "`epochs")
    for part in ("bottleneck.tail", "prior"):
        callback = GradientVariance(batches, part, (1,))
        harness.check_refuses(lambda callback=callback: fitted([callback], 1), "`part` must be a part of the model")
