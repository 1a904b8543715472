"""Likelihoods of values that are counted: class numbers."""

import keras
import numpy as np
import pytest
from scipy import special

import harness
import keras_vae
import reference
from keras_vae.likelihoods import CategoricalLikelihood

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


@pytest.mark.parametrize("classes, error", [(1, ValueError), (2.5, TypeError)])
def test_too_few_classes(classes, error):
    harness.check_refuses(lambda: CategoricalLikelihood(classes), "`num_classes` must be an integer >= 2", error)


def test_logits_that_are_not_so_many_for_each_channel():
    told = r"`decoder` must return 3 numbers for each channel of x.*Received: params of shape \(6, 4, 3, 10\)"
    harness.check_refuses(lambda: CategoricalLikelihood(3).log_prob(LOGITS, CODES), told)
