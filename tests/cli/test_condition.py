"""`--condition`: what a conditional model is told from the command line; and presets that are no autoencoders."""

import numpy as np
import pytest

import keras_vae
from harness import set_weights
from keras_vae.datasets import to_float
from small_models import facts


@pytest.fixture
def told(shelf, here):
    """A conditional model and a classifier in runs of their own."""
    encoder = keras_vae.Conditioned(keras_vae.MLPEncoder((8,)), flatten=True)
    decoder = keras_vae.Conditioned(keras_vae.MLPDecoder((8, 8, 1), (8,)))
    model = keras_vae.ConditionalVAE(encoder, decoder, keras_vae.ClassCondition(3), latent_dim=2)
    model.build((None, 8, 8, 1))
    set_weights(model)
    keras_vae.save_pretrained(model, here / "told", **facts())
    keras_vae.save_pretrained(keras_vae.load_pretrained(shelf / "plain").as_classifier(3), here / "judge", **facts())
    return model


def test_it_reaches_the_model(run, told, x):
    run("sample told -n 4 --condition 2 -o a.npy")
    np.testing.assert_allclose(np.load("a.npy"), told.sample(4, seed=0, condition=2), atol=1e-6)
    run("reconstruct told pictures --condition 1 -o r.npy")
    np.testing.assert_allclose(np.load("r.npy"), told.reconstruct(to_float(x), condition=1), atol=1e-6)
    run("encode told pictures --condition 1 -o z.npz")
    np.testing.assert_allclose(np.load("z.npz")["z_mean"], told.encode(to_float(x), condition=1), atol=1e-6)
    run("decode told z.npz --condition 1 -o d.npy")
    np.testing.assert_allclose(np.load("d.npy"), np.load("r.npy"), atol=1e-6)
    np.save("labels.npy", np.array([0, 2, 1, 1]))
    run("sample told -n 4 --condition labels.npy -o each.npy")
    each = told.sample(4, seed=0, condition=np.array([0, 2, 1, 1]))
    np.testing.assert_allclose(np.load("each.npy"), each, atol=1e-6)
    assert np.abs(each - np.load("a.npy")).max() > 1e-3


def test_refusals(refused, told):
    assert "`--condition` must be 1 integer(s) for this model, or an .npy file. Received: None." in refused(
        "sample told"
    )
    assert "must be 1 integer(s)" in refused("sample told --condition 0.5")
    assert "must be 1 integer(s)" in refused("sample told --condition 1 2")
    assert "must be numbers, or one .npy file. Received: two." in refused("sample told --condition two")
    assert "there is no file labels.npy" in refused("sample told --condition labels.npy")
    np.save("labels.npy", np.array([0, 1]))
    assert "one for each of 4 examples. Received: 2" in refused("sample told -n 4 --condition labels.npy")
    assert "`condition` must be labels in [0, 3)" in refused("sample told --condition 3")
    assert "`--condition` is for conditional models. Received: a VAE." in refused("sample digits --condition 1")


def test_a_classifier_is_told_of(run, told):
    out, _ = run("info judge")
    assert "Classifier" in out and "num classes" in out


@pytest.mark.parametrize(
    "command",
    [
        "reconstruct judge pictures",
        "traverse judge",
        "encode judge pictures -o z.npz",
        "neighbours judge pictures/0.png --among pictures",
    ],
)
def test_what_only_an_autoencoder_can_is_refused(refused, told, command):
    assert refused(command) == "`name` must be that of an autoencoder. Received: judge, a Classifier."


@pytest.mark.parametrize("command", ["sample judge", "evaluate judge pictures"])
def test_what_a_prior_can_too_is_refused_to_others(refused, told, command):
    assert refused(command) == "`name` must be that of an autoencoder or a prior. Received: judge, a Classifier."
