"""What may not move the state that no optimizer owns: examples of weight zero, and steps that the loss scaler skips."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
import toys

X = harness.images(12)
WEIGHT = np.array([1.0] * 8 + [0.0] * 4, "float32")  # four examples of padding


def vqvae():
    quantizer = keras_vae.VectorQuantizerEMA(16, 4, decay=0.5, restart_threshold=0.0)
    return keras_vae.VQVAE(keras.layers.Dense(4), keras.layers.Dense(1), quantizer)  # a code for each pixel


def sparse():
    return keras_vae.SparseAutoencoder(keras_vae.MLPEncoder((6,), "sigmoid"), rho=0.3, momentum=0.5)


def dictionary(bottleneck=None):
    encoder, decoder = keras_vae.MLPEncoder((32,), "linear"), keras_vae.MLPDecoder((8, 8, 1), ())
    bottleneck = keras_vae.TopK(2) if bottleneck is None else bottleneck
    return keras_vae.TopKAutoencoder(encoder, decoder, bottleneck, dead_after=1000)


def moved(make, x, weight=None):
    """The weights that no optimizer owns after one step that learns nothing, by name."""
    model = make()
    model.build((None, 8, 8, 1))
    harness.set_weights(model)
    if hasattr(model, "idle"):
        model.idle.assign(np.full(model.idle.shape, 5))
    model.compile(keras.optimizers.SGD(0.0))
    model.train_on_batch(x, sample_weight=weight)
    named = [v for v in model.non_trainable_variables if v.name not in ("step", "seed_generator_state")]
    return {f"{i} {v.name}": harness.numpy(v.value) for i, v in enumerate(named)}


@pytest.mark.parametrize("make", [vqvae, sparse, dictionary], ids=["codebook", "running mean", "idle clocks"])
def test_padding_of_weight_zero_moves_no_state(make):
    padded, without = moved(make, X, WEIGHT), moved(make, X[:8])
    everything = moved(make, X)
    assert padded.keys() == without.keys()
    for name, value in without.items():
        np.testing.assert_allclose(padded[name], value, rtol=1e-5, atol=1e-7, err_msg=name)
    assert any(not np.allclose(everything[name], value, rtol=1e-4) for name, value in without.items())


def test_padding_of_weight_zero_does_not_lower_the_threshold_of_batch_top_k():
    bottleneck = keras_vae.BatchTopK(1, decay=0.5)
    h = np.array([[3.0, 0.0], [2.0, 0.0], [0.5, 0.4]], "float32")
    bottleneck.update({**bottleneck(h, training=True), "sample_weight": keras.ops.convert_to_tensor([1.0, 1.0, 0.0])})
    assert float(harness.numpy(bottleneck.threshold.value)) == 2.0


def test_weights_enter_the_mean_activation_of_the_penalty():
    """One example of weight two is two examples."""
    model = sparse()
    model.compile(keras.optimizers.SGD(0.0))
    weighted = model.evaluate(X[:2], sample_weight=np.array([2.0, 1.0]), verbose=0, return_dict=True)
    repeated = model.evaluate(X[[0, 0, 1]], verbose=0, return_dict=True)
    for name in ("sparsity", "mean_activation", "distortion"):
        assert weighted[name] == pytest.approx(repeated[name], rel=1e-5)


def test_the_loss_is_divided_by_the_examples_and_its_terms_by_their_weights():
    x, weight = toys.points(4), np.array([0.0, 1.0, 3.0, 0.0], "float32")
    power = np.sum(x**2, axis=1)  # W = I: distortion and power are both |x|^2
    logs = toys.line().evaluate(x, sample_weight=weight, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(np.sum(weight * 1.5 * power) / 4, rel=1e-5)
    assert logs["power"] == pytest.approx(np.sum(weight * power) / 4.0, rel=1e-5)  # sum(w) is 4 as well
    logs = toys.line().evaluate(x, sample_weight=weight / 2, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(np.sum(weight * 1.5 * power) / 8, rel=1e-5)
    assert logs["power"] == pytest.approx(np.sum(weight * power) / 4.0, rel=1e-5)


def run(make, scale):
    model = make()
    model.build((None, 8, 8, 1))
    harness.set_weights(model)
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1e-3), initial_scale=scale))
    before = dict(harness.weights(model))
    model.fit(X, batch_size=len(X), shuffle=False, verbose=0)
    after = dict(harness.weights(model))
    return model, [path for path in before if not np.array_equal(before[path], after[path])]


@pytest.mark.parametrize("make", [vqvae, sparse, dictionary])
def test_a_skipped_step_moves_no_state(make):
    model, changed = run(make, scale=2.0**127)  # the gradients overflow
    assert [path.split("/")[-1] for path in changed] == ["step"]
    assert float(harness.numpy(model.optimizer.dynamic_scale.value)) == 2.0**126


def test_a_step_that_is_not_skipped_moves_codebook_counts_and_sums():
    _, changed = run(vqvae, scale=2.0)
    assert {"codebook", "counts", "sums", "step", "kernel"} <= {path.split("/")[-1] for path in changed}


def test_the_steps_after_a_skipped_one_go_on():
    skipping, _ = run(vqvae, scale=2.0**127)
    skipping.optimizer.dynamic_scale.assign(1.0)
    skipping.fit(X, batch_size=12, shuffle=False, verbose=0)
    once, _ = run(vqvae, scale=1.0)
    harness.assert_close(skipping.bottleneck.codebook.value, once.bottleneck.codebook.value)
    harness.assert_close(skipping.bottleneck.counts.value, once.bottleneck.counts.value)
