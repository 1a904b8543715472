"""Contraction: closed form, exact and estimated in one loss, and its second-order gradient through fit."""

import keras
import numpy as np
import pytest

import harness
from keras_vae import ContractiveAutoencoder, MLPDecoder, MLPEncoder, PlainAutoencoder
from keras_vae.losses.encoder_jacobian import is_one_sigmoid_layer

X = np.random.default_rng(0).random((12, 5)).astype("float32")


def made(units=(4,), activation="sigmoid", seed=0, tied=False, **kwargs):
    decoder = None if tied else MLPDecoder((5,), ())
    model = ContractiveAutoencoder(MLPEncoder(units, activation), decoder, **kwargs)
    model.build((None, 5))
    harness.set_weights(model, seed)
    model.contraction_weight.assign(kwargs.get("contraction_weight", 0.1))
    return model


class Untold(keras.layers.Layer):
    """One sigmoid layer that does not look like one: its norm has to be computed exactly."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(4, "sigmoid")

    def build(self, shape):
        self.dense.build(shape)

    def call(self, x):
        return self.dense(x)


def twins():
    """The same model with the closed form and with the exact norm."""
    closed = made(contraction_weight=0.7)
    exact = ContractiveAutoencoder(Untold(), MLPDecoder((5,), ()), contraction_weight=0.7)
    exact.build((None, 5))
    dense = closed.encoder.dense_layers()[0]
    exact.encoder.dense.set_weights(dense.get_weights())
    exact.decoder.set_weights(closed.decoder.get_weights())
    assert is_one_sigmoid_layer(closed.encoder) and not is_one_sigmoid_layer(exact.encoder)
    return closed, exact


def test_closed_form_equals_the_exact_norm():
    one, other = (harness.numpy(m.terms(X, X, m(X), True))["contraction"] for m in twins())
    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-7)


def test_the_jacobian_norm_of_any_trained_model():
    for model in twins():
        expected = np.sqrt(harness.numpy(model.terms(X, X, model(X), True))["contraction"])
        np.testing.assert_allclose(model.jacobian_norm(X, batch_size=8), expected, rtol=1e-5)
    plain = PlainAutoencoder(MLPEncoder((3,), "linear"), MLPDecoder((5,), ()))
    plain.build((None, 5))
    kernel = harness.numpy(plain.encoder.dense_layers()[0].kernel.value)  # of a linear net it is the Jacobian
    np.testing.assert_allclose(plain.jacobian_norm(X), np.full(12, np.linalg.norm(kernel)), rtol=1e-5)


def test_both_train_to_the_same_weights():
    closed, exact = twins()
    for model in (closed, exact):
        model.compile(keras.optimizers.SGD(0.1))
        model.fit(X, batch_size=6, epochs=4, shuffle=False, verbose=0)
    np.testing.assert_allclose(
        harness.numpy(closed.encoder.dense_layers()[0].kernel.value),
        harness.numpy(exact.encoder.dense.kernel.value),
        rtol=1e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("units, probes, tied", [((4,), None, 0), ((6, 3), None, 0), ((6, 3), 2, 0), ((4,), None, 1)])
def test_the_gradient_equals_finite_differences(units, probes, tied):
    """One step of SGD of size one moves a weight by minus the gradient of the whole loss, penalty included."""

    def fresh():
        return made(units, contraction_weight=5.0, probes=probes, seed=3, tied=tied)

    def loss(model, index, value):
        kernel = model.encoder.dense_layers()[0].kernel
        weights = harness.numpy(kernel.value).copy()
        weights[index] += value
        kernel.assign(weights)
        model.seed_generator.state.assign(np.array([3, 0]))  # the same directions each time
        terms = harness.numpy(model.terms(X, X, model(X), True))
        weights[index] -= value
        kernel.assign(weights)
        return terms["loss"].astype("float64").mean()

    model, probe = fresh(), fresh()
    before = harness.numpy(model.encoder.dense_layers()[0].kernel.value).copy()
    model.seed_generator.state.assign(np.array([3, 0]))
    model.compile(keras.optimizers.SGD(1e-3))
    model.fit(X, batch_size=len(X), shuffle=False, verbose=0)
    gradient = (before - harness.numpy(model.encoder.dense_layers()[0].kernel.value)) / 1e-3
    for index in [(0, 0), (2, 1), (4, 2)]:
        step = 1e-2
        expected = (loss(probe, index, step) - loss(probe, index, -step)) / (2 * step)
        assert gradient[index] == pytest.approx(expected, rel=2e-2, abs=2e-3)


def test_any_encoder_trains_exact_and_estimated():
    for probes in (None, 2):
        encoder = keras.Sequential(
            [
                keras.layers.Reshape((5, 1)),
                keras.layers.Conv1D(3, 3, padding="same", activation="tanh"),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.5),
                keras.layers.Flatten(),
                keras.layers.Dense(4, "sigmoid"),
            ]
        )
        model = ContractiveAutoencoder(encoder, MLPDecoder((5,), ()), probes=probes)
        model.compile("adam")
        logs = {
            name: np.array(values) for name, values in model.fit(X, batch_size=6, epochs=2, verbose=0).history.items()
        }
        np.testing.assert_allclose(logs["loss"], logs["distortion"] + 0.1 * logs["contraction"], rtol=1e-5)
        moving = harness.numpy(encoder.layers[2].moving_mean.value)
        assert np.abs(moving).max() > 0  # batch statistics of the ordinary pass move on
        if probes is None:
            around = (
                np.repeat(X, 5, axis=0),
                1e-2 * np.tile(np.eye(5, dtype="float32"), (12, 1)),
            )  # each input by itself
            slopes = (
                harness.numpy(encoder(around[0] + around[1])) - harness.numpy(encoder(around[0] - around[1]))
            ) / 2e-2
            exact = np.square(slopes).reshape(12, -1).sum(axis=1)
            got = harness.numpy(model.terms(X, X, model(X), False))["contraction"]
            np.testing.assert_allclose(got, exact, rtol=1e-2, atol=1e-6)


def test_the_estimate_is_near_the_exact_norm():
    exact, estimated = made((6, 3)), made((6, 3), probes=3000)
    norms = [harness.numpy(m.terms(X, X, m(X), True))["contraction"] for m in (exact, estimated)]
    np.testing.assert_allclose(norms[1], norms[0], rtol=0.15)


def test_the_penalty_contracts():
    def norm(weight):
        keras.utils.set_random_seed(0)
        model = made(contraction_weight=weight)
        model.compile(keras.optimizers.Adam(0.02))
        model.fit(np.tile(X, (80, 1)), batch_size=len(X), verbose=0)
        return model.evaluate(X, verbose=0, return_dict=True)["contraction"]

    assert norm(5.0) < 0.3 * norm(0.0)


@pytest.mark.parametrize("units, probes", [((4,), None), ((6, 3), None), ((6, 3), 2)])
def test_the_norm_is_float32_under_mixed_precision(units, probes):
    def steep():
        model = made(units, probes=probes)
        model.encoder.dense_layers()[0].set_weights([60 * w for w in model.encoder.dense_layers()[0].get_weights()])
        return model

    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = steep()
        model.compile("sgd")
        logs = model.evaluate(X, verbose=0, return_dict=True)
        contraction = model.contraction(X.astype("float16"), model(X)["z"])
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(contraction.dtype) == "float32"
    assert logs["loss"] == pytest.approx(logs["distortion"] + 0.1 * logs["contraction"], rel=1e-5)
    if probes is None:  # the directions of an estimate are others in half precision
        single = steep()
        expected = harness.numpy(single.contraction(X, single(X)["z"])).mean()
        assert harness.numpy(contraction).mean() == pytest.approx(expected, rel=0.1)


def test_what_only_resembles_one_sigmoid_layer_has_no_closed_form():
    class Doubled(MLPEncoder):
        def call(self, x, training=False):
            return 2.0 * super().call(x, training)

    model = ContractiveAutoencoder(Doubled((4,), "sigmoid"), MLPDecoder((5,), ()))
    assert not is_one_sigmoid_layer(model.encoder)
    assert is_one_sigmoid_layer(MLPEncoder((4,), keras.activations.sigmoid))


def test_what_would_take_hundreds_of_derivatives_is_refused():
    model = ContractiveAutoencoder(MLPEncoder((4, 3), "sigmoid"), MLPDecoder((64, 64, 3), ()))
    model.build((None, 64, 64, 3))
    model.compile("sgd")
    x = np.zeros((256, 64, 64, 3), "float32")
    harness.check_refuses(lambda: model.terms(x, x, model(x), True), "use `hutchinson_squared_jacobian`")


def test_bad_arguments():
    harness.check_refuses(lambda: made(contraction_weight=-1.0), "`contraction_weight` must be a finite number >= 0")
    harness.check_refuses(lambda: made(probes=0), "`probes` must be an integer >= 1")
