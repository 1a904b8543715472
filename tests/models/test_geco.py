"""GECO: its multiplier by hand, saved and resumed, within its limits, and the tolerance that it meets."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.training import TrainingCheckpoint, resume

X = harness.images(10, size=4)
SHAPE = X.shape[1:]


def geco(**kwargs):
    given = {"tolerance": 9.0, "decay": 0.8, "multiplier_rate": 0.1, **kwargs}
    nets = keras_vae.MLPEncoder((6,), "tanh"), keras_vae.MLPDecoder(SHAPE, (5,), "tanh")
    model = keras_vae.GECO(*nets, latent_dim=3, **given)
    model.build((None, *SHAPE))
    for part in (model.encoder, model.decoder, model.bottleneck):
        harness.set_weights(part)
    return model


def by_hand(distortions, tolerance=9.0, decay=0.8, rate=0.1):
    """The multiplier and the average after each step. Rezende & Viola 2018, algorithm 1."""
    multiplier, average, states = 1.0, None, []
    for distortion in distortions:
        excess = distortion - tolerance
        average = excess if average is None else decay * average + (1 - decay) * excess
        multiplier = min(max(multiplier * np.exp(rate * average), 1e-6), 1e6)
        states.append((multiplier, average))
    return states


def test_three_steps_of_geco_by_hand():
    """In a compiled step, with sample weights; the step itself uses the multiplier from before."""
    model, told = geco(), []
    model.compile(keras.optimizers.SGD(1e-3))
    weight = np.array([1, 0, 2, 1, 1, 0, 0, 1, 3, 1], "float32")
    states, used = [], []
    for _ in range(3):
        model.reset_metrics()
        logs = model.train_on_batch(X, sample_weight=weight, return_dict=True)
        told.append(float(logs["distortion"]))
        used.append(float(logs["multiplier"]))
        states.append([float(harness.numpy(v.value)) for v in (model.multiplier, model.excess)])
    expected = by_hand(told)
    np.testing.assert_allclose(states, expected, rtol=1e-4)
    np.testing.assert_allclose(used, [1.0, *(m for m, _ in expected[:2])], rtol=1e-4)
    assert states[0][0] > 1.05
    before = harness.weights(model)
    model.evaluate(X, verbose=0)
    harness.assert_same_weights(
        *([pair for pair in w if "seed" not in pair[0]] for w in (before, harness.weights(model)))
    )


def test_the_multiplier_stays_within_its_limits():
    model = geco(tolerance=-1e4, multiplier_rate=1.0)
    outputs = model(X)
    for limit, sign in ((1e6, 1.0), (1e-6, -1.0)):
        model.excess.assign(0.0)
        model.tolerance = -sign * 1e4
        model.step.assign(1)
        model.update_state(outputs, model.terms(X, X, outputs, True))
        assert float(harness.numpy(model.multiplier.value)) == pytest.approx(limit)


def test_a_resumed_geco_is_the_one_that_was_not_interrupted(tmp_path):
    def trained(folder, epochs):
        model = geco()
        model.bottleneck.seed_generator.state.assign(np.array([5, 0]))
        model.compile(keras.optimizers.SGD(1e-3))
        options = {"initial_epoch": resume(model, folder), "callbacks": [TrainingCheckpoint(folder)]}
        model.fit(X, batch_size=5, epochs=epochs, shuffle=False, verbose=0, **options)
        return harness.weights(model)

    whole = trained(tmp_path / "whole", 2)
    trained(tmp_path / "part", 1)
    again = trained(tmp_path / "part", 2)
    assert [value for path, value in again if path.endswith("/multiplier")] != [1.0]
    for (path, one), (_, other) in zip(whole, again, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=path)


def test_geco_meets_its_tolerance_from_either_side():
    """On data of two directions: the distortion goes where it is told, with no more rate than that takes."""
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(256, 2)) @ rng.normal(size=(2, 6))).astype("float32")
    model = keras_vae.GECO(
        keras.layers.Identity(),
        keras.layers.Dense(6),
        tolerance=0.5,
        latent_dim=2,
        decay=0.9,
        multiplier_rate=1e-6,
        likelihood=keras_vae.SquaredError(),
    )
    model.compile(keras.optimizers.Adam(0.05))
    many, logs = np.tile(x, (100, 1)), {}
    model.fit(many, batch_size=256, verbose=0)
    model.multiplier_rate = 0.03
    for tolerance in (0.5, 2.0):
        model.tolerance = tolerance
        model.fit(many, batch_size=256, epochs=2, verbose=0)
        logs[tolerance] = model.evaluate(np.tile(x, (10, 1)), batch_size=256, verbose=0, return_dict=True)
        assert logs[tolerance]["distortion"] == pytest.approx(tolerance, rel=0.2)
    assert logs[0.5]["multiplier"] > 1 > logs[2.0]["multiplier"]
    assert logs[0.5]["rate"] > logs[2.0]["rate"] + 1
