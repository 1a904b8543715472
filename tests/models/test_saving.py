"""Saving, loading and resuming whole models, noise, codebook and optimizer included."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
from keras_vae import Autoencoder, BernoulliLikelihood, GaussianBottleneck, MLPDecoder, MLPEncoder, StandardNormal
from keras_vae.training import TrainingCheckpoint, resume
from small_models import small

X = harness.images(16)


def trained(kind, folder, epochs, model=None, start=0):
    if model is None:
        keras.utils.set_random_seed(0)
        model = small(kind)
        model.compile("adam")
        start = resume(model, folder)
    callbacks = [TrainingCheckpoint(folder)]
    model.fit(X, batch_size=8, epochs=epochs, initial_epoch=start, shuffle=False, verbose=0, callbacks=callbacks)
    return model


@pytest.mark.parametrize("kind", ["vae", "vqvae"])
def test_a_resumed_run_is_the_run_that_was_not_interrupted(kind, tmp_path):
    whole = trained(kind, tmp_path / "whole", 3)
    trained(kind, tmp_path / "part", 2)
    again = trained(kind, tmp_path / "part", 3)
    assert int(harness.numpy(again.step.value)) == 6
    pairs = zip(harness.weights(whole), harness.weights(again), strict=True)
    for (path, one), (_, other) in pairs:
        # TensorFlow's convolutions on a CPU are not the same from run to run to the last bit; the others are.
        tolerance = 1e-5 if harness.BACKEND == "tensorflow" else 0.0
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance, err_msg=path)


def test_a_loaded_vqvae_keeps_counts_step_and_codes(vqvae, tmp_path):
    vqvae.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.encode(X), vqvae.encode(X))
    assert int(harness.numpy(loaded.step.value)) == int(harness.numpy(vqvae.step.value)) > 0
    harness.assert_same_weights(harness.weights(vqvae), harness.weights(loaded))
    assert loaded.data_shape == vqvae.data_shape and loaded.latent_shape == vqvae.latent_shape


def test_a_loaded_model_samples_the_same(vae, tmp_path):
    vae.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.sample(4, seed=1), vae.sample(4, seed=1), rtol=1e-6, atol=1e-7)


def test_a_file_compiled_here_names_no_backend(vae):
    """Keras would write torch's own optimizer class, which no other backend can train with."""
    config = keras.saving.serialize_keras_object(vae)
    assert "keras.src.backend" not in str(config["compile_config"])


def test_a_scheduled_coefficient_is_saved_at_its_present_value(tmp_path):
    from keras_vae import BetaVAE

    model = BetaVAE(MLPEncoder((4,)), MLPDecoder((8, 8, 1), (4,)), latent_dim=2, beta=1.0)
    model.build((None, 8, 8, 1))
    model.beta.assign(2.5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert float(harness.numpy(loaded.beta.value)) == 2.5
    assert loaded.get_config()["beta"] == 2.5


@keras.saving.register_keras_serializable("tests")
class OneGaussian(Autoencoder):
    """A user's own variant that makes a part of its parent itself, from an argument of its own."""

    fixed = ("bottleneck", "prior")

    def __init__(self, encoder, decoder, latent_dim, **kwargs):
        super().__init__(encoder, decoder, GaussianBottleneck(latent_dim), prior=StandardNormal(), **kwargs)
        self.latent_dim = latent_dim

    def terms(self, x, y, outputs, training):
        return self.total(super().terms(x, y, outputs, training), rate=1.0)


@keras.saving.register_keras_serializable("tests")
class Louder(OneGaussian):
    """A variant of that variant: what its parent fixed is no argument of its own."""

    def __init__(self, encoder, decoder, latent_dim, loudness=2.0, **kwargs):
        super().__init__(encoder, decoder, latent_dim, **kwargs)
        self.loudness = loudness

    def terms(self, x, y, outputs, training):
        return self.total(super().terms(x, y, outputs, training), rate=self.loudness)


@pytest.mark.parametrize("cls, more", [(OneGaussian, {}), (Louder, {"loudness": 3.0})])
def test_a_variant_that_fixes_a_part_is_loaded_again(cls, more, tmp_path):
    def make():
        return cls(MLPEncoder((8,)), MLPDecoder((8, 8, 1), (8,)), 2, likelihood=BernoulliLikelihood(), **more)

    model = harness.check_model(make, X, tmp_path)
    config = model.get_config()
    assert config["latent_dim"] == 2 and "likelihood" in config and not {"bottleneck", "prior"} & set(config)
    assert {name: config[name] for name in more} == more


@keras.saving.register_keras_serializable("tests")
class FreeBits(Autoencoder):
    """A user's own variant: one hook, no training step. At least `floor` nats of rate are free."""

    def __init__(self, encoder, decoder, floor=1.0, **kwargs):
        super().__init__(encoder, decoder, **kwargs)
        self.floor = floor

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        terms["charged"] = ops.maximum(terms["rate"], self.floor)
        return self.total(terms, charged=1.0)


def test_a_users_variant_needs_its_terms_only(tmp_path):
    def make():
        return FreeBits(
            MLPEncoder((8,)),
            MLPDecoder((8, 8, 1), (8,)),
            floor=1000.0,
            bottleneck=GaussianBottleneck(2),
            likelihood=BernoulliLikelihood(),
            prior=StandardNormal(),
        )

    model = harness.check_model(make, X, tmp_path)
    logs = model.evaluate(X, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(logs["distortion"] + 1000.0, rel=1e-5)
