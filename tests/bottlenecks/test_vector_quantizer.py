"""Vector quantization: the nearest code, the straight-through output, and which loss moves which side."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
import keras_vae
import reference
from keras_vae.bottlenecks import GaussianBottleneck, IdentityBottleneck, VectorQuantizer, VectorQuantizerEMA
from keras_vae.ops.numerics import sum_event
from keras_vae.training import TermsModel

pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist")  # which is what is tested
RNG = np.random.default_rng(0)
CODEBOOK = RNG.normal(size=(5, 3)).astype("float32")
X = RNG.normal(size=(4, 2, 3)).astype("float32")  # (batch, positions, D)


class OneTerm(TermsModel):
    """z_e = Wx, quantized; the loss is one of the quantizer's outputs, or a linear function of z."""

    def __init__(self, term, quantizer, **kwargs):
        super().__init__(**kwargs)
        self.term = term
        self.dense = keras.layers.Dense(3, use_bias=False, kernel_initializer="identity")
        self.quantizer = quantizer

    def call(self, x, training=False):
        outputs = self.quantizer(self.dense(x), training=training)
        return {"reconstruction": outputs["z"], **outputs}

    def terms(self, x, y, outputs, training):
        return {"loss": sum_event(3.0 * outputs["z"]) if self.term == "z" else outputs[self.term]}


def stepped(term, quantizer=None, rate=0.01):
    """(gradient of the encoder's kernel, gradient of the codebook), read off one step of plain SGD."""
    model = OneTerm(term, quantizer or VectorQuantizer(5, 3))
    model.build((None, 2, 3))
    model.quantizer.codebook.assign(CODEBOOK)
    model.compile(keras.optimizers.SGD(rate))
    model.train_on_batch(X)
    kernel, codebook = harness.numpy([model.dense.kernel.value, model.quantizer.codebook.value])
    return (np.eye(3) - kernel) / rate, (CODEBOOK - codebook) / rate


def residual():
    flat = X.reshape(-1, 3)
    indices = reference.nearest(flat, CODEBOOK)
    return flat, indices, flat - CODEBOOK[indices]


def test_commitment_moves_the_encoder_and_not_the_codebook():
    kernel, codebook = stepped("commitment")
    flat, _, difference = residual()
    np.testing.assert_allclose(kernel, flat.T @ (2 * difference) / len(X), rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(codebook, 0.0)


def test_codebook_loss_moves_the_codebook_and_not_the_encoder():
    kernel, codebook = stepped("codebook")
    _, indices, difference = residual()
    expected = np.zeros_like(CODEBOOK)
    np.add.at(expected, indices, -2 * difference / len(X))
    np.testing.assert_allclose(codebook, expected, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(kernel, 0.0)


@pytest.mark.parametrize("quantizer", [VectorQuantizer, VectorQuantizerEMA])
def test_the_straight_through_output_moves_the_encoder_as_if_nothing_were_quantized(quantizer):
    made = quantizer(5, 3, **({"restart_threshold": 0.0} if quantizer is VectorQuantizerEMA else {}))
    kernel, codebook = stepped("z", made)
    np.testing.assert_allclose(kernel, X.reshape(-1, 3).T @ np.full((8, 3), 3.0) / len(X), rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(codebook, 0.0)


@pytest.mark.parametrize("quantizer", [VectorQuantizer, VectorQuantizerEMA])
def test_values_are_the_references(quantizer):
    layer = quantizer(5, 3)
    layer.build(X.shape)
    layer.codebook.assign(CODEBOOK)
    outputs = harness.numpy(layer(X))
    indices = reference.nearest(X.reshape(-1, 3), CODEBOOK).reshape(4, 2)
    np.testing.assert_array_equal(outputs["indices"], indices)
    np.testing.assert_allclose(outputs["z"], CODEBOOK[indices], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs["commitment"], reference.vq_losses(X, CODEBOOK), rtol=1e-5)
    if "codebook" in outputs:
        np.testing.assert_allclose(outputs["codebook"], outputs["commitment"], rtol=1e-6)
    np.testing.assert_array_equal(harness.numpy(layer.lookup(indices)), CODEBOOK[indices])
    assert outputs["indices"].dtype == np.int32


def test_nearest_code_is_right_for_many_codes_and_vectors():
    rng = np.random.default_rng(3)
    codebook, x = rng.normal(size=(700, 6)).astype("float32"), rng.normal(size=(5000, 6)).astype("float32")
    layer = VectorQuantizer(700, 6)
    layer.build((None, 6))
    layer.codebook.assign(codebook)
    assert np.mean(harness.numpy(layer(x)["indices"]) == reference.nearest(x, codebook)) > 0.9995


def test_a_far_away_codebook_is_still_searched_exactly():
    """|z|^2 - 2 z e + |e|^2 loses digits far from zero; the argmin must not depend on where zero is, to float32."""
    codebook = np.array([[100.0, 0.0], [101.0, 0.0], [102.0, 0.0]], "float32")
    layer = VectorQuantizer(3, 2)
    layer.build((None, 2))
    layer.codebook.assign(codebook)
    x = np.array([[100.2, 0.0], [100.9, 0.0], [150.0, 0.0]], "float32")
    np.testing.assert_array_equal(harness.numpy(layer(x)["indices"]), [0, 1, 2])


def test_a_seed_repeats_the_first_codebook():
    def codebook(seed):
        layer = VectorQuantizer(5, 3, seed=seed)
        layer.build((None, 3))
        return harness.numpy(layer.codebook.value)

    np.testing.assert_array_equal(codebook(3), codebook(3))
    assert not np.array_equal(codebook(3), codebook(4))


def test_features_of_the_wrong_width_are_refused():
    layer = VectorQuantizer(5, 3)
    harness.check_refuses(lambda: layer.build((None, 4)), "`embedding_dim` must be the number of features .* here 4")


def test_codes_are_checked():
    layer = VectorQuantizer(5, 3)
    harness.check_refuses(lambda: layer.check_latents(np.array([[0, 5]])), r"`z` must be codes in \[0, 5\)")
    harness.check_refuses(lambda: layer.check_latents(np.array([[-1]])), r"`z` must be codes in \[0, 5\)")
    harness.check_refuses(lambda: layer.check_latents(np.array([[0.5]])), "`z` must be an array of integer", TypeError)
    np.testing.assert_array_equal(layer.check_latents(np.array([[4, 0]])), [[4, 0]])


def test_identity_bottleneck_is_the_identity():
    outputs = IdentityBottleneck()(X)
    np.testing.assert_array_equal(harness.numpy(outputs["z"]), X)
    np.testing.assert_array_equal(harness.numpy(IdentityBottleneck().posterior(outputs).mode), X)


def gaussian(mean, log_var):
    """A Gaussian bottleneck whose posterior is N(mean, exp(log_var)) for every input."""
    layer = GaussianBottleneck(latent_dim=1, seed=5)
    layer.build((None, 1))
    layer.head.kernel.assign(np.zeros((1, 2), "float32"))
    layer.head.bias.assign(np.array([mean, log_var], "float32"))
    return layer


def test_gaussian_bottleneck_draws_from_its_posterior():
    layer = gaussian(2.0, np.log(9.0))
    z = harness.numpy(layer(np.zeros((20_000, 1), "float32"))["z"])
    assert abs(z.mean() - 2.0) < 0.1 and abs(z.std() - 3.0) < 0.08


def test_gaussian_bottleneck_draws_anew_each_time_in_evaluation_too():
    layer, x = gaussian(0.0, 0.0), np.zeros((4, 1), "float32")
    assert not np.array_equal(harness.numpy(layer(x)["z"]), harness.numpy(layer(x)["z"]))
    assert not np.array_equal(harness.numpy(layer(x)["z"]), harness.numpy(layer(x, training=True)["z"]))


def test_gaussian_bottleneck_keeps_log_variance_in_range():
    outputs = gaussian(0.0, 1e6)(np.zeros((4, 1), "float32"))
    assert harness.numpy(outputs["z_log_var"]).max() == 14.0
    harness.assert_finite(ops.cast(outputs["z"], "float16"))


@pytest.mark.parametrize("log_var, sign", [(25.0, 1.0), (-25.0, -1.0)])
def test_a_posterior_that_has_left_the_range_of_its_log_variance_comes_back(log_var, sign):
    encoder, decoder = keras.layers.Dense(1), keras.layers.Dense(2)
    model = keras_vae.VAE(encoder, decoder, latent_dim=1, likelihood=keras_vae.GaussianLikelihood())
    model.build((None, 2))
    for weight in model.weights:
        if weight.name in ("kernel", "bias"):
            weight.assign(np.zeros(weight.shape))
    bias = model.bottleneck.head.bias
    bias.assign([0.0, log_var])
    model.compile(keras.optimizers.SGD(1e-3))
    model.train_on_batch(np.zeros((4, 2), "float32"))
    assert sign * (log_var - harness.numpy(bias.value)[1]) > 1e-4  # a step towards the prior


@pytest.mark.parametrize("mean", [0.0, 10.0, 100.0, 1000.0])
def test_nearest_codes_about_a_far_mean_are_those_of_float64(mean):
    rng = np.random.default_rng(0)
    codebook = (mean + 0.3 * rng.normal(size=(512, 64))).astype("float32")
    features = (mean + 0.3 * rng.normal(size=(2000, 64))).astype("float32")
    layer = VectorQuantizer(512, 64)
    layer.build((None, 64))
    layer.codebook.assign(codebook)
    got = harness.numpy(layer(features)["indices"])
    assert np.mean(got != reference.nearest(features.astype("float64"), codebook.astype("float64"))) <= 1e-3


def test_gaussian_bottleneck_is_float32_under_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = GaussianBottleneck(3)
        outputs = layer(ops.ones((2, 5), "bfloat16"))
    finally:
        keras.config.set_dtype_policy("float32")
    assert {keras.backend.standardize_dtype(v.dtype) for v in outputs.values()} == {"float32"}
    both = np.concatenate([harness.numpy(outputs[name]) for name in ("z_mean", "z_log_var")], axis=-1)
    expected = harness.numpy(layer.head.kernel.value).sum(axis=0) + harness.numpy(layer.head.bias.value)
    np.testing.assert_allclose(both, [expected, expected], rtol=1e-2, atol=1e-2)


def test_gaussian_bottleneck_makes_a_map_of_latents_of_a_feature_map():
    layer, h = GaussianBottleneck(2), RNG.normal(size=(3, 4, 5, 6)).astype("float32")
    outputs = harness.numpy(layer(h))
    assert outputs["z"].shape == (3, 4, 5, 2)
    parameters = h @ harness.numpy(layer.head.kernel.value) + harness.numpy(layer.head.bias.value)  # at each position
    np.testing.assert_allclose(outputs["z_mean"], parameters[..., :2], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(outputs["z_log_var"], parameters[..., 2:], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("latent_dim, error", [(0, ValueError), (2.5, TypeError), (None, TypeError)])
def test_gaussian_bottleneck_refuses(latent_dim, error):
    harness.check_refuses(lambda: GaussianBottleneck(latent_dim), "`latent_dim` must be an integer >= 1", error)
