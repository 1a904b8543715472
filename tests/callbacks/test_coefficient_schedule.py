"""A scheduled coefficient really changes the loss of a compiled step, per step and per epoch."""

import copy

import keras
import numpy as np
import pytest
from keras import ops

import keras_vae
from harness import BACKEND, images
from keras_vae.callbacks import CoefficientSchedule
from keras_vae.ops.schedules import linear_schedule


class Weighted(keras.Model):
    """loss = beta * mean(x): of ones, the mean loss of an epoch is the mean of the betas that its steps have used."""

    def __init__(self, counts_steps=True):
        super().__init__()
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.beta = self.add_weight(shape=(), initializer="zeros", trainable=False, name="beta")
        self.table = self.add_weight(shape=(2,), initializer="zeros", trainable=False, name="table")
        if counts_steps:
            self.step = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="step")

    def call(self, x):
        return ops.multiply(x, self.scale)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        if training and hasattr(self, "step"):
            self.step.assign_add(1)
        return self.beta * ops.mean(y_pred)


X = np.ones((8, 1), "float32")


def fitted(callback, epochs=3, model=None, **compiled):
    model = model or Weighted()
    if not model.compiled:
        model.compile(keras.optimizers.SGD(0.0), **compiled)
    return model, model.fit(X, batch_size=2, epochs=epochs, shuffle=False, verbose=0, callbacks=[callback]).history


def test_per_step_the_loss_follows():
    _, history = fitted(CoefficientSchedule("beta", linear_schedule(0.0, 6.0, steps=6)))
    np.testing.assert_allclose(history["loss"], [1.5, 5.25, 6.0], rtol=1e-6)  # 0..3, 4 5 6 6, 6 6 6 6
    assert history["beta"] == [3.0, 6.0, 6.0]  # in force at the end of each epoch


def test_per_epoch_the_loss_follows():
    _, history = fitted(CoefficientSchedule("beta", lambda epoch: [0.0, 2.0, 5.0][epoch], unit="epoch"))
    np.testing.assert_allclose(history["loss"], [0.0, 2.0, 5.0], rtol=1e-6)
    assert history["beta"] == [0.0, 2.0, 5.0]


@pytest.mark.parametrize("counts_steps", [True, False])  # model.step, or the optimizer's count
def test_a_second_fit_goes_on(counts_steps):
    callback = CoefficientSchedule("beta", linear_schedule(0.0, 100.0, steps=100))
    model, first = fitted(callback, epochs=1, model=Weighted(counts_steps))
    _, second = fitted(copy.deepcopy(CoefficientSchedule("beta", callback.schedule)), epochs=1, model=model)
    np.testing.assert_allclose(first["loss"] + second["loss"], [1.5, 5.5], rtol=1e-6)


@pytest.mark.skipif(BACKEND == "torch", reason="torch has no steps_per_execution")
def test_several_steps_per_execution_share_a_value():
    callback = CoefficientSchedule("beta", linear_schedule(0.0, 100.0, steps=100))
    _, history = fitted(callback, epochs=1, steps_per_execution=2)
    assert history["loss"][0] == pytest.approx(np.mean([0, 0, 2, 2]))


def test_nothing_is_assigned_while_the_value_stays(monkeypatch):
    callback, asked = CoefficientSchedule("beta", linear_schedule(0.0, 2.0, steps=2)), []
    original = callback._coefficient
    monkeypatch.setattr(callback, "_coefficient", lambda: asked.append(1) or original())
    _, history = fitted(callback)
    assert len(asked) == 1 + 3  # the check, then 0, 1 and 2
    np.testing.assert_allclose(history["loss"], [1.25, 2.0, 2.0], rtol=1e-6)


def test_later_callbacks_see_the_value():
    seen = []
    after = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["beta"]))
    model = Weighted()
    model.compile("sgd")
    schedule = CoefficientSchedule("beta", lambda epoch: epoch + 0.5, unit="epoch")
    model.fit(X, epochs=2, verbose=0, callbacks=[schedule, after])
    assert seen == [0.5, 1.5]


def test_beta_of_a_beta_vae():
    """loss - distortion = beta * rate in every epoch, with the beta of that epoch."""
    model = keras_vae.BetaVAE(keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((8, 8, 1), (8,)), latent_dim=2)
    model.compile(keras.optimizers.SGD(0.0))
    schedule = CoefficientSchedule("beta", lambda epoch: [0.0, 1.0, 4.0][epoch], unit="epoch")
    logs = model.fit(images(16), batch_size=8, epochs=3, verbose=0, callbacks=[schedule]).history
    loss, distortion, rate = (np.array(logs[key]) for key in ("loss", "distortion", "rate"))
    assert rate.min() > 1e-3
    np.testing.assert_allclose(loss - distortion, [0.0, rate[1], 4 * rate[2]], rtol=1e-3, atol=1e-4)
    assert float(model.beta) == 4.0


def test_a_dotted_name_leads_into_a_part():
    class Part(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.temperature = self.add_weight(shape=(), initializer="ones", trainable=False, name="temperature")
            self.built = True

    model = Weighted()
    model.part = Part()
    _, history = fitted(CoefficientSchedule("part.temperature", lambda step: 0.25), epochs=1, model=model)
    assert history["temperature"] == [0.25] and float(model.part.temperature) == 0.25


@pytest.mark.parametrize(
    "name, message", [("gamma", "must be an attribute of the model, Weighted"), ("table", "must be that of a scalar")]
)
def test_a_wrong_name_stops_before_the_first_step(name, message):
    with pytest.raises(TypeError, match=f"`name` {message}.*Received: name='{name}'"):
        fitted(CoefficientSchedule(name, lambda step: 1.0))


def test_arguments_are_checked():
    with pytest.raises(TypeError, match="`schedule` must be a function"):
        CoefficientSchedule("beta", 4.0)
    with pytest.raises(ValueError, match="`unit` must be one of 'step', 'epoch'"):
        CoefficientSchedule("beta", abs, unit="batch")
