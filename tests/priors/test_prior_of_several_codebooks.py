"""A hierarchical prior above whose lower level stands one of several codebooks: an axis of channels, no third size."""

import itertools

import numpy as np
import pytest
from keras import ops

import harness
import keras_vae


def of_codes(size, groups=1):
    net = keras_vae.PixelCNN(4, 1, stem_size=3, channel_groups=groups)
    return keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(size), net)


@pytest.fixture(scope="module")
def prior():
    prior = keras_vae.HierarchicalPrior(
        {"top": of_codes(3, groups=2), "bottom": of_codes(2)}, embedding_dim=3, residual_hidden=2, depth=1
    )
    prior.build({"top": (None, 1, 1, 2), "bottom": (None, 2, 2)})
    harness.set_weights(prior, seed=3)
    for variable in prior.trainable_variables:
        variable.assign(3.0 * harness.numpy(variable.value))
    prior.step.assign(1)
    return prior


@pytest.fixture(scope="module")
def probabilities(prior):
    """Of nine tops, the second code counting fastest, and sixteen bottoms."""
    tops = np.array(list(itertools.product(range(3), repeat=2)), "int32").reshape(-1, 1, 1, 2)
    bottoms = np.array(list(itertools.product(range(2), repeat=4)), "int32").reshape(-1, 2, 2)
    codes = {"top": np.repeat(tops, 16, axis=0), "bottom": np.tile(bottoms, (9, 1, 1))}
    log_prob = prior.log_prob({name: ops.convert_to_tensor(part) for name, part in codes.items()})
    return np.exp(harness.numpy(log_prob)).reshape(3, 3, 16)


def test_probabilities_sum_to_one_and_see_each_of_the_codes(probabilities):
    assert probabilities.sum() == pytest.approx(1.0, rel=1e-5)
    below = probabilities / probabilities.sum(axis=-1, keepdims=True)
    for codebook in (0, 1):
        assert below.std(axis=codebook).max() > 1e-3


def test_draws_follow_the_probabilities(prior, probabilities):
    drawn = prior.sample(4000, seed=1, batch_size=4000)
    places = [*drawn["top"].reshape(-1, 2).T, *drawn["bottom"].reshape(-1, 4).T]
    share = np.bincount(np.ravel_multi_index(places, (3, 3, 2, 2, 2, 2)), minlength=144) / 4000
    expected = probabilities.ravel()
    assert (np.abs(share - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / 4000) + 1e-4).all()
