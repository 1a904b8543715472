"""Several steps of `fit` on the classical variants against gradient descent in NumPy, gradients by differences."""

import keras
import numpy as np
import pytest
from scipy import special

import harness
import keras_vae
import reference

X = np.random.default_rng(0).random((12, 6)).astype("float32")
RATE = 0.05


@keras.saving.register_keras_serializable("tests")
class Hole(keras.layers.Layer):
    """A corruption that is the same for every example: the first two entries are gone."""

    def call(self, x, training=False):
        return x * np.array([0, 0, 1, 1, 1, 1], "float32") if training else x


def error(x, weights, bias, visible, h):
    """||x - sigmoid(h W^T + c)||^2 of a tied decoder, (batch, inputs)."""
    return (x - special.expit(h @ weights.T + visible)) ** 2


def contractive(parameters, x):
    weights, bias, visible = parameters
    h = special.expit(x @ weights + bias)
    contraction = (reference.sigmoid_jacobian(x, weights, bias) ** 2).sum(axis=(1, 2))
    return (error(x, weights, bias, visible, h).sum(axis=1) + 0.7 * contraction).mean()


def sparse(parameters, x):
    weights, bias, visible = parameters
    h = special.expit(x @ weights + bias)
    penalty = reference.bernoulli_kl(0.1, h.mean(axis=0)).sum()
    return error(x, weights, bias, visible, h).sum(axis=1).mean() + 2.0 * penalty


def emphasised(parameters, x):
    weights, bias, visible = parameters
    h = special.expit((x * [0, 0, 1, 1, 1, 1]) @ weights + bias)
    return (error(x, weights, bias, visible, h) * [1.5, 1.5, 0.5, 0.5, 0.5, 0.5]).sum(axis=1).mean()


def k_sparse(parameters, x):
    weights, bias, visible = parameters
    h = reference.largest(x @ weights + bias, 2)
    return error(x, weights, bias, visible, h).sum(axis=1).mean()


VARIANTS = {
    "contractive": (
        contractive,
        lambda net, **kw: keras_vae.ContractiveAutoencoder(net, contraction_weight=0.7, **kw),
        "sigmoid",
    ),
    "sparse": (
        sparse,
        lambda net, **kw: keras_vae.SparseAutoencoder(net, rho=0.1, sparsity_weight=2.0, **kw),
        "sigmoid",
    ),
    "denoising": (
        emphasised,
        lambda net, **kw: keras_vae.DenoisingAutoencoder(net, corruption=Hole(), emphasis=(1.5, 0.5), **kw),
        "sigmoid",
    ),
    "k-sparse": (k_sparse, lambda net, **kw: keras_vae.KSparseAutoencoder(net, k=2, **kw), "linear"),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_steps_of_fit_are_those_of_gradient_descent(name):
    loss, make, activation = VARIANTS[name]
    model = make(keras_vae.MLPEncoder((4,), activation), likelihood=keras_vae.SquaredError(activation="sigmoid"))
    model.build((None, 6))
    dense = model.encoder.dense_layers()[0]
    rng = np.random.default_rng(1)
    start = [rng.normal(size=(6, 4)), rng.normal(size=4), rng.normal(size=6)]
    tied = [v for v in model.trainable_variables if v is not dense.kernel and v is not dense.bias]
    assert len(tied) == 1  # the decoder's bias
    for variable, value in zip((dense.kernel, dense.bias, *tied), start, strict=True):
        variable.assign(value)
    model.compile(keras.optimizers.SGD(RATE))
    # One batch an epoch, so that the logged loss is that of one step.
    logged = model.fit(X, batch_size=12, epochs=4, shuffle=False, verbose=0).history["loss"]
    expected, losses = reference.descend(loss, start, RATE, [X.astype("float64")] * 4)
    np.testing.assert_allclose(logged, losses, rtol=1e-5)
    assert losses[0] - losses[-1] > 1e-3  # something was learnt
    for variable, value in zip((dense.kernel, dense.bias, *tied), expected, strict=True):
        np.testing.assert_allclose(harness.numpy(variable.value), value, rtol=1e-3, atol=1e-5)
