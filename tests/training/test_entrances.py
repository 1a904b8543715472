"""What was silent, or somebody else's error, where it enters: each is named, with what is accepted and what came."""

import pathlib
import warnings

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.core.checks import finite

X = np.linspace(0, 1, 64, dtype="float32").reshape(4, 4, 4, 1)


def model(likelihood=None, **kwargs):
    made = keras_vae.PlainAutoencoder(
        keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((4, 4, 1), ()), likelihood=likelihood, **kwargs
    )
    made.build((None, 4, 4, 1))
    made.compile("sgd")
    return made


@pytest.fixture(scope="module")
def greys():
    """A compiled autoencoder of values in [0, 1]."""
    return model(keras_vae.BernoulliLikelihood())


@pytest.mark.parametrize(
    "arguments, told, error",
    [
        ({"x": "images.npy"}, "`x` must be an array, tf.data.*Received: x='images.npy', a str", TypeError),
        ({"x": pathlib.Path("images")}, "`x` must be an array, tf.data.*Path", TypeError),
        ({"x": 3.0}, "`x` must be an array, tf.data.*Received: x=3.0, a float", TypeError),
        ({"x": X, "y": 3}, "`y` must be an array, tf.data.*Received: y=3, a int", TypeError),
        ({"x": X.astype("complex64")}, "`x` must be an array of numbers. Received: dtype=complex64", TypeError),
        ({"x": X.astype("float64") * 1e300}, "`x` must be within the range of float32, 3.4e[+]38", ValueError),
        ({"x": X, "y": X[:3]}, "`y` must have one entry for each of the 4 examples of `x`. Received: 3", ValueError),
        ({"x": X, "sample_weight": [1.0] * 4}, r"`sample_weight` must be an array of shape \(batch,\)", TypeError),
        ({"x": X, "sample_weight": np.ones(3)}, "`sample_weight` must have one entry for each of the 4", ValueError),
        ({"x": X, "sample_weight": np.array([1, -1, 1, 1.0])}, "`sample_weight` must be >= 0 and not all", ValueError),
        ({"x": X, "sample_weight": np.zeros(4)}, "`sample_weight` must be >= 0 and not all zero", ValueError),
    ],
    ids=str,
)
def test_fit_refuses(greys, arguments, told, error):
    harness.check_refuses(lambda: greys.fit(**arguments, verbose=0), told, error)


@pytest.mark.parametrize(
    "batch, told",
    [
        (
            (X, X[:3]),
            r"`x \(first batch, y\)` must have one entry for each of the 4 examples of `x \(first batch, x\)`",
        ),
        ((X, X, np.ones(2)), r"`x \(first batch, sample_weight\)` must have one entry for each"),
        ((X, X, -np.ones(4)), r"`x \(first batch, sample_weight\)` must be >= 0"),
    ],
)
def test_the_parts_of_a_batch_fit_each_other(greys, batch, told):
    harness.check_refuses(lambda: greys.fit((batch for _ in range(2)), verbose=0), told)


@pytest.mark.parametrize("bad, told", [(X * 255, r"must be in \[0, 1\] for Bernoulli"), (X * np.nan, "must be finite")])
def test_a_later_batch_of_a_generator_stops_the_training_in_our_words(bad, told):
    keras.utils.set_random_seed(1234)
    stopped = model(keras_vae.BernoulliLikelihood())
    batches = (batch for batch in (X, X, X, bad, X))
    harness.check_refuses(lambda: stopped.fit(batches, verbose=0), rf"`x \(batch 4\)` {told}")
    keras.utils.set_random_seed(1234)
    before = model(keras_vae.BernoulliLikelihood())
    before.fit((batch for batch in (X, X, X)), verbose=0)
    harness.assert_same_weights(harness.weights(before), harness.weights(stopped))  # it has kept them, on JAX too
    assert stopped.evaluate(X, verbose=0) == before.evaluate(X, verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_a_model_that_is_not_compiled(method):
    bare = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((4, 4, 1), ()))
    told = f"`{method}` needs a compiled model: call `compile` first.*Received: a PlainAutoencoder that is not compiled"
    harness.check_refuses(lambda: getattr(bare, method)(X), told)


@pytest.mark.parametrize("likelihood", [None, keras_vae.GaussianLikelihood()])
def test_eight_bit_images_are_warned_of_once(likelihood):
    warned = model(likelihood)
    with pytest.warns(UserWarning, match="`x` has values from 0 to 255. .* divide 8-bit images by 255"):
        warned.encode((X * 255).astype("uint8"))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*8-bit images")
        warned.encode((X * 255).astype("uint8"))
        model(likelihood).encode(X - 0.5)
        model(likelihood).encode(X * 1000)  # not the range of bytes


@pytest.mark.parametrize("value, error", [(-3, ValueError), (np.nan, ValueError), ("4", TypeError), (1j, TypeError)])
def test_a_coefficient_is_checked_where_it_is_assigned(value, error):
    made = keras_vae.BetaVAE(keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((4, 4, 1), ()), latent_dim=2, beta=2.0)
    with pytest.raises(error, match="`beta` must be a finite number >= 0. Received"):
        made.beta = value
    assert float(harness.numpy(made.beta.value)) == 2.0
    made.beta = np.float32(0.5)
    assert float(harness.numpy(made.beta.value)) == 0.5


def test_a_coefficient_that_was_assigned_past_its_attribute_is_told_before_the_first_step():
    made = keras_vae.BetaVAE(keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((4, 4, 1), ()), latent_dim=2)
    made.compile("sgd")
    made.beta.assign(-3.0)
    harness.check_refuses(lambda: made.fit(X, verbose=0), "`beta` must be a finite number >= 0. Received: beta=-3.0")


def test_a_schedule_out_of_range_is_told():
    made = keras_vae.BetaVAE(keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((4, 4, 1), ()), latent_dim=2)
    made.compile("sgd")
    schedule = keras_vae.callbacks.CoefficientSchedule("beta", lambda step: 1.0 - step)
    fit = lambda: made.fit(X, batch_size=1, callbacks=[schedule], verbose=0)  # noqa: E731
    harness.check_refuses(fit, "`beta` must be a finite number >= 0. Received: beta=-1.0")
    assert int(harness.numpy(made.step.value)) == 2


@pytest.mark.parametrize("k, error", [(0, ValueError), (2.5, TypeError), (True, TypeError)])
def test_the_k_of_a_k_sparse_code_is_checked_where_it_is_assigned(k, error):
    bottleneck = keras_vae.KSparse(3)
    with pytest.raises(error, match="`k` must be an integer >= 1. Received"):
        bottleneck.k = k
    assert int(harness.numpy(bottleneck.k.value)) == 3


@pytest.mark.parametrize("seed, error", [(1.5, TypeError), ("a", TypeError), (True, TypeError), (-1, ValueError)])
@pytest.mark.parametrize(
    "make",
    [
        lambda seed: keras_vae.GaussianBottleneck(2, seed=seed),
        lambda seed: keras_vae.VectorQuantizer(4, 2, seed=seed),
        lambda seed: keras_vae.VectorQuantizerEMA(4, 2, seed=seed),
        lambda seed: keras_vae.MaskingNoise(seed=seed),
        lambda seed: keras_vae.metrics.linear_probe(X[:, 0, 0], [0, 1, 0, 1], X[:, 0, 0], [0, 1, 0, 1], seed=seed),
    ],
    ids=["GaussianBottleneck", "VectorQuantizer", "VectorQuantizerEMA", "MaskingNoise", "linear_probe"],
)
def test_a_seed_is_an_integer(make, seed, error):
    pytest.importorskip("sklearn")
    harness.check_refuses(lambda: make(seed), "`seed` must be an integer >= 0", error)


@pytest.mark.parametrize("value", [np.complex64(1), 1 + 0j, np.ones(1), None, True])
def test_a_number_is_real_and_one(value):
    harness.check_refuses(lambda: finite("beta", value), "`beta` must be a finite number", TypeError)


def test_a_policy_of_float64_is_refused():
    harness.check_refuses(lambda: model(dtype="float64"), "`dtype` must be float32 or half precision.*dtype='float64'")
    bottleneck = keras_vae.IdentityBottleneck()
    harness.check_refuses(
        lambda: keras_vae.Classifier(keras_vae.MLPEncoder((2,)), bottleneck, 3, dtype="float64"),
        "`dtype` must be float32",
    )


def test_layers_of_float64_inside_of_a_model_work():
    def losses(dtype):
        keras.utils.set_random_seed(0)
        nets = keras.layers.Dense(3, dtype=dtype), keras.layers.Dense(1, dtype=dtype)
        made = keras_vae.VAE(*nets, latent_dim=2, likelihood=keras_vae.GaussianLikelihood())
        made.build((None, 4, 4, 1))
        harness.set_weights(made)
        made.compile(keras.optimizers.SGD(1e-3))
        return made.fit(X, epochs=3, verbose=0).history["loss"]

    assert losses("float64") == pytest.approx(losses("float32"), rel=1e-4)
