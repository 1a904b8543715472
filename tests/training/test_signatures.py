"""`help(model.fit)` and editors show Keras's own arguments, with Keras's own defaults."""

import inspect

import keras
import numpy as np
import pytest

import keras_vae


@pytest.mark.parametrize("cls", [keras_vae.VAE, keras_vae.Classifier, keras_vae.LearnedPrior])
@pytest.mark.parametrize("name", ["fit", "evaluate", "predict", "train_on_batch", "test_on_batch"])
def test_the_signature_is_that_of_keras(cls, name):
    own, theirs = (inspect.signature(getattr(c, name)) for c in (cls, keras.Model))
    assert list(own.parameters.values()) == list(theirs.parameters.values())


def test_arguments_by_position_and_by_name_are_one():
    x = np.random.default_rng(0).random((8, 4), dtype="float32")
    model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((4,), ()))
    model.compile(keras.optimizers.SGD(0.0))
    by_name = model.fit(x=x, batch_size=4, epochs=2, verbose=0, validation_split=0.5)
    by_place = model.fit(x, None, 4, 2, 0, None, 0.5)
    assert by_place.epoch == [0, 1] and sorted(by_name.history) == sorted(by_place.history)
    for name, values in by_name.history.items():
        assert values == pytest.approx(by_place.history[name])
    assert model.evaluate(x, x, 8, 0) == pytest.approx(model.evaluate(x, verbose=0))
