"""Activity regularizers of a user's own layers count once, also where `terms` calls a net again."""

import keras
import numpy as np
import pytest

import harness
import keras_vae

X = np.random.default_rng(0).random((6, 4), dtype="float32")
STRENGTH = 0.1


def regular(units, activation="linear"):
    """One layer with the penalty 0.1 |h|^2 of each example; Keras divides by the batch."""
    regularizer = keras.regularizers.L2(STRENGTH)
    return keras.Sequential([keras.layers.Dense(units, activation, activity_regularizer=regularizer)])


def contractive(**kwargs):
    return keras_vae.ContractiveAutoencoder(regular(3, "tanh"), keras_vae.MLPDecoder((4,), ()), **kwargs)


def dictionary():
    model = keras_vae.TopKAutoencoder(regular(12), regular(4), keras_vae.TopK(2), aux_k=3, dead_after=1)
    model.build((None, 4))
    model.idle.assign(np.full(12, 5))  # every unit is dead, so that the decoder is called for the auxiliary loss
    return model


@pytest.mark.parametrize(
    "make", [contractive, lambda: contractive(probes=2), dictionary], ids=["contractive", "probes", "dictionary"]
)
def test_penalties_of_activities_are_those_of_one_call(make):
    model = make()
    if not model.built:
        model.build((None, 4))
    model.compile(keras.optimizers.SGD(0.0))
    logs = model.evaluate(X, batch_size=6, verbose=0, return_dict=True)
    weight = {"contraction": 0.1, "auxiliary": 1 / 32}
    terms = logs["distortion"] + sum(weight[name] * logs[name] for name in weight if name in logs)
    outputs = model.predict(X, batch_size=6, verbose=0)
    activities = [outputs["h"], outputs["params"]] if "h" in outputs else [outputs["z"]]
    penalty = STRENGTH * sum(np.square(h).sum() for h in activities) / len(X)
    assert penalty > 0.01
    assert logs["loss"] == pytest.approx(terms + penalty, rel=1e-5)
    history = model.fit(X, batch_size=6, verbose=0).history
    terms = history["distortion"][0] + sum(weight[name] * history[name][0] for name in weight if name in history)
    assert history["loss"][0] == pytest.approx(terms + penalty, rel=1e-5)
    harness.assert_finite(history)
