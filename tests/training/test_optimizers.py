"""One optimizer for each part, and a run of two of them that is interrupted."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.training import fit_resumable, optimizers, resume

X = harness.images(32)


def make():
    keras.utils.set_random_seed(1)
    model = keras_vae.VAE(keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((8, 8, 1), (8,)), latent_dim=2)
    model.build((None, 8, 8, 1))
    model.compile(optimizers(model, keras.optimizers.Adam(0.01), decoder=keras.optimizers.SGD(0.001, momentum=0.9)))
    return model


def test_each_part_follows_its_own():
    model = make()
    before = [harness.numpy(v.value) for v in model.trainable_variables]
    model.compile(optimizers(model, keras.optimizers.SGD(0.0), decoder=keras.optimizers.SGD(0.01)))
    model.fit(X, verbose=0)
    pairs = zip(model.trainable_variables, before, strict=True)
    moved = {v.path for v, old in pairs if not np.array_equal(harness.numpy(v.value), old)}
    assert moved == {v.path for v in model.decoder.trainable_variables}


def test_a_nested_part_is_named_by_its_path():
    model = make()
    chosen = optimizers(model, "adam", bottleneck__head=keras.optimizers.SGD(0.5))
    chosen.build(model.trainable_variables)
    head = {id(v) for v in model.bottleneck.head.trainable_variables}
    for variable in model.trainable_variables:
        own = chosen.optimizers[chosen._var_to_optimizer_idx[chosen._var_key(variable)]]
        assert isinstance(own, keras.optimizers.SGD) == (id(variable) in head)


def test_an_interrupted_run_ends_in_the_same_weights(tmp_path):
    batches = lambda: keras_vae.datasets.ArrayBatches(X, 8, seed=3)  # noqa: E731
    whole = make()
    fit_resumable(whole, batches(), 4, tmp_path / "whole", verbose=0)
    fit_resumable(make(), batches(), 2, tmp_path / "parts", verbose=0)
    again = make()
    history = fit_resumable(again, batches(), 4, tmp_path / "parts", resumed=True, verbose=0)
    assert history.epoch == [2, 3]
    if keras.backend.backend() == "tensorflow":  # whose sums are not the same from run to run
        for (_, one), (_, other) in zip(harness.weights(whole), harness.weights(again), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
    else:
        harness.assert_same_weights(harness.weights(whole), harness.weights(again))


def test_another_optimizer_of_a_part_is_refused(tmp_path):
    batches = keras_vae.datasets.ArrayBatches(X, 8, seed=3)
    fit_resumable(make(), batches, 1, tmp_path, verbose=0)
    other = make()
    other.compile(optimizers(other, keras.optimizers.Adam(0.01), decoder=keras.optimizers.SGD(0.002, momentum=0.9)))
    with pytest.raises(ValueError, match="learning_rate`: checkpoint 0.001, now 0.002"):
        resume(other, tmp_path, batches)
    other.compile(optimizers(other, keras.optimizers.Adam(0.01), encoder=keras.optimizers.SGD(0.001, momentum=0.9)))
    with pytest.raises(ValueError, match="must be those of the checkpoint"):
        resume(other, tmp_path, batches)


def test_refusals():
    model = make()
    harness.check_refuses(lambda: optimizers(model, "adam", nothing="sgd"), "`nothing` must be a part of the model")
    harness.check_refuses(
        lambda: optimizers(model, "adam", likelihood="sgd"), "`likelihood` must be a part of the model"
    )
    shared = {"bottleneck": "sgd", "bottleneck__head": "adam"}
    harness.check_refuses(lambda: optimizers(model, "adam", **shared), "`bottleneck__head` must share no weight")
    unbuilt = keras_vae.VAE(keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((8, 8, 1), (8,)), latent_dim=2)
    harness.check_refuses(lambda: optimizers(unbuilt, "adam"), "`model` must be built")
