"""Likelihoods of values that are counted: class numbers, grey levels and colours."""

import keras
import numpy as np
import pytest
from scipy import special

import harness
import keras_vae
import reference
from keras_vae.likelihoods import CategoricalLikelihood, DiscretizedLogisticMixtureLikelihood

RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 5, (6, 4, 3, 2))
LOGITS = RNG.normal(size=(6, 4, 3, 2 * 5)).astype("float32")


def test_categorical_reads_the_logits_of_one_channel_after_those_of_another():
    logits = np.stack([LOGITS[..., :5], LOGITS[..., 5:]], axis=-2)  # (6, 4, 3, 2, 5)
    layer = CategoricalLikelihood(5)
    expected = reference.categorical_log_prob(CODES, logits)
    np.testing.assert_allclose(harness.numpy(layer.log_prob(LOGITS, CODES.astype("float32"))), expected, rtol=1e-5)
    mean = (special.softmax(logits.astype("float64"), axis=-1) * np.arange(5)).sum(axis=-1)
    np.testing.assert_allclose(harness.numpy(layer.mean(LOGITS)), mean, rtol=1e-5)


def test_categorical_says_what_it_takes():
    layer = CategoricalLikelihood(5)
    assert layer.interval == (0.0, 4.0) and layer.whole and layer.has_density
    assert layer.params_shape((4, 3, 2)) == LOGITS.shape[1:]


@pytest.mark.parametrize("axes", [1, 2, 3, 4])
def test_categorical_counts_what_the_mask_leaves(axes):
    mask = RNG.random(CODES.shape[:axes]) < 0.5
    layer = CategoricalLikelihood(5)
    each = harness.numpy(layer.elementwise_log_prob(LOGITS, CODES)).reshape(CODES.shape)
    kept = np.broadcast_to(mask.reshape(*mask.shape, *[1] * (4 - axes)), CODES.shape)
    expected = np.where(kept, each, 0.0).sum(axis=(1, 2, 3))
    np.testing.assert_allclose(harness.numpy(layer.log_prob(LOGITS, CODES, mask=mask)), expected, rtol=1e-5)


def fitted(likelihood, x, steps=30):
    """The losses of a VAE that sees the same batch again and again, the first and the last."""
    decoder = keras_vae.MLPDecoder(likelihood.params_shape(x.shape[1:]), (16,), "tanh")
    model = keras_vae.VAE(keras_vae.MLPEncoder((16,), "tanh"), decoder, latent_dim=2, likelihood=likelihood)
    model.compile(keras.optimizers.Adam(0.02))
    losses = [model.train_on_batch(x, return_dict=True)["loss"] for _ in range(steps)]
    return model, float(losses[0]), float(losses[-1])


def test_a_vae_learns_class_numbers():
    model, first, last = fitted(CategoricalLikelihood(5), CODES)
    assert abs(first / CODES[0].size - np.log(5)) < 0.5  # about nothing is known at first
    assert last < 0.8 * first
    refused = "`x` must hold whole numbers", r"`x` must be in \[0, 4\] for CategoricalLikelihood"
    for bad, told in zip((CODES / 2, CODES + 1), refused, strict=True):
        harness.check_refuses(lambda bad=bad: model.evaluate(bad, verbose=0), told)


def mixture_params(channels, components, shape=(2, 3), seed=0, scale=1.0):
    size = components * (1 + 2 * channels + channels * (channels - 1) // 2)
    return (scale * np.random.default_rng(seed).normal(size=(*shape, size))).astype("float32")


@pytest.mark.parametrize("channels, levels", [(1, 256), (2, 8), (3, 256), (4, 5)])
def test_mixture_is_a_difference_of_scipys_logistic_cdfs(channels, levels):
    m = 3
    params = mixture_params(channels, m)
    x = np.random.default_rng(1).integers(0, levels, (2, 3, channels)) / (levels - 1)
    x[0, :2] = np.array([0.0, 1.0])[:, None]
    expected = []
    for pixel, row in zip(x.reshape(-1, channels), params.reshape(6, -1, m).astype("float64"), strict=True):
        parts = np.split(row, np.cumsum([1, channels, channels]))
        weights = special.softmax(parts[0][0])
        pairs = [(c, b) for c in range(channels) for b in range(c)]
        coefficients = dict(zip(pairs, np.tanh(parts[3]), strict=True))
        scales = np.exp(parts[2])
        expected.append(reference.logistic_mixture_pixel(pixel, weights, parts[1], scales, coefficients, levels))
    layer = DiscretizedLogisticMixtureLikelihood(m, levels)
    each = harness.numpy(layer.elementwise_log_prob(params, x))
    np.testing.assert_allclose(each, np.log(expected).reshape(2, 3), rtol=2e-5)
    np.testing.assert_allclose(harness.numpy(layer.log_prob(params, x.astype("float32"))), each.sum(axis=1), rtol=1e-5)


def test_mixture_says_what_it_takes():
    layer = DiscretizedLogisticMixtureLikelihood()
    assert layer.interval == (0.0, 1.0) and layer.has_density and not layer.whole
    shapes = {channels: layer.params_shape((4, 3, channels)) for channels in (1, 2, 3)}
    assert shapes == {1: (4, 3, 30), 2: (4, 3, 60), 3: (4, 3, 100)}


@pytest.mark.parametrize("log_scale, held", [(-100.0, -7.0), (100.0, 7.0)])
def test_mixture_holds_its_log_scales(log_scale, held):
    p = DiscretizedLogisticMixtureLikelihood(1).distribution(np.array([[0.0, 0.2, log_scale]], "float32"))
    assert harness.numpy(p.log_scales).item() == held


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_mixture_counts_what_the_mask_leaves(axes):
    params, x = mixture_params(3, 2, (4, 5, 3)), RNG.integers(0, 256, (4, 5, 3, 3)) / 255
    mask = RNG.random(x.shape[:axes]) < 0.5
    layer = DiscretizedLogisticMixtureLikelihood(2)
    each = harness.numpy(layer.elementwise_log_prob(params, x)).reshape(4, 5, 3)
    expected = np.where(mask.reshape(*mask.shape, *[1] * (3 - axes)), each, 0.0).sum(axis=(1, 2))
    np.testing.assert_allclose(harness.numpy(layer.log_prob(params, x, mask=mask)), expected, rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_vae_learns_grey_levels_and_colours(channels):
    x = (np.round(harness.images(6, 6, channels) * 255) / 255).astype("float32")
    model, first, last = fitted(DiscretizedLogisticMixtureLikelihood(2), x)
    assert last < first - 0.5 * x[0].size
    reconstruction = model.reconstruct(x)
    assert (
        np.mean((reconstruction - x) ** 2) < 0.8 * np.var(x) and ((reconstruction >= 0) & (reconstruction <= 1)).all()
    )


def test_emphasis_of_a_denoising_model_is_on_pixels_of_which_any_channel_is_destroyed():
    likelihood = DiscretizedLogisticMixtureLikelihood(2)
    shape = likelihood.params_shape((4, 4, 3))
    model = keras_vae.DenoisingAutoencoder(
        keras_vae.MLPEncoder((5,)), keras_vae.MLPDecoder(shape, ()), emphasis=(2.0, 0.5), likelihood=likelihood
    )
    model.build((None, 4, 4, 3))
    x, params = RNG.integers(0, 256, (2, 4, 4, 3)) / 255, mixture_params(3, 2, (2, 4, 4))
    destroyed = RNG.random(x.shape) < 0.2
    outputs = {"params": params, "reconstruction": likelihood.mean(params), "destroyed": destroyed}
    loss = harness.numpy(model.terms(x, x.astype("float32"), outputs, True)["loss"])
    each = -harness.numpy(likelihood.elementwise_log_prob(params, x)).reshape(2, 4, 4)
    np.testing.assert_allclose(loss, (np.where(destroyed.any(-1), 2.0, 0.5) * each).sum(axis=(1, 2)), rtol=1e-5)


@pytest.mark.parametrize("arguments, told", [((0,), "`components` .* >= 1"), ((5, 1), "`levels` .* >= 2")])
def test_mixtures_of_nothing(arguments, told):
    harness.check_refuses(lambda: DiscretizedLogisticMixtureLikelihood(*arguments), told)


@pytest.mark.parametrize("size", [2, 31, 90])
def test_parameters_of_no_mixture(size):
    told = r"`decoder` must return 10 \(1 \+ 2 C .* Received: params of shape"
    layer = DiscretizedLogisticMixtureLikelihood()
    harness.check_refuses(lambda: layer.mean(np.zeros((2, size), "float32")), told)


@pytest.mark.parametrize("classes, error", [(1, ValueError), (2.5, TypeError)])
def test_too_few_classes(classes, error):
    harness.check_refuses(lambda: CategoricalLikelihood(classes), "`num_classes` must be an integer >= 2", error)


def test_logits_that_are_not_so_many_for_each_channel():
    told = r"`decoder` must return 3 numbers for each channel of x.*Received: params of shape \(6, 4, 3, 10\)"
    harness.check_refuses(lambda: CategoricalLikelihood(3).log_prob(LOGITS, CODES), told)
