"""Sparse codes: the penalty by hand, running means, named layers; k kept, k scheduled; dictionaries that revive."""

import os
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest

import harness
from keras_vae import (
    BatchTopK,
    DenoisingAutoencoder,
    KSparseAutoencoder,
    MLPDecoder,
    MLPEncoder,
    SparseAutoencoder,
    TopK,
    TopKAutoencoder,
)
from keras_vae.callbacks import CoefficientSchedule
from keras_vae.losses import bernoulli_kl, mean_activation
from keras_vae.metrics import ExplainedVariance
from keras_vae.ops import linear_schedule

X = harness.images(24)


def sparse(units=(7, 5), decoder=None, **kwargs):
    return SparseAutoencoder(MLPEncoder(units, "sigmoid"), decoder, **kwargs)


def built(model):
    model.build((None, 8, 8, 1))
    return harness.set_weights(model)


def kl(rho, mean):
    return rho * np.log(rho / mean) + (1 - rho) * np.log((1 - rho) / (1 - mean))


def test_the_penalty_of_one_unit():
    assert float(bernoulli_kl(0.05, np.float32(0.2))) == pytest.approx(0.0939430, abs=1e-6)
    assert float(bernoulli_kl(0.05, np.float32(0.05))) == pytest.approx(0.0, abs=1e-7)
    edges = harness.numpy(bernoulli_kl(0.05, np.array([0.0, 1.0], "float32")))
    nearest = np.array([1e-30, 1 - 2.0**-23])  # that are taken for 0 and, as a float32, for 1
    np.testing.assert_allclose(edges, kl(0.05, nearest), rtol=1e-5)


def test_means_are_taken_over_positions_too():
    maps = np.random.default_rng(0).random((3, 4, 5, 2)).astype("float32")
    np.testing.assert_allclose(harness.numpy(mean_activation(maps)), maps.mean(axis=(0, 1, 2)), rtol=1e-5)


def test_the_penalty_sums_units_and_layers():
    model = built(sparse(rho=0.1, sparsity_weight=3.0, sparse_layers=["dense_0", "dense_1"]))
    model.sparsity_weight.assign(3.0)
    outputs = model(X)
    terms = harness.numpy(model.terms(X, X, outputs, True))
    means = [harness.numpy(outputs[f"activations_dense_{i}"]).astype("float64").mean(axis=0) for i in (0, 1)]
    expected = sum(kl(0.1, mean).sum() for mean in means)
    np.testing.assert_allclose(terms["sparsity"], expected, rtol=1e-4)
    np.testing.assert_allclose(terms["mean_activation"], np.concatenate(means).mean(), rtol=1e-5)
    np.testing.assert_allclose(terms["loss"], terms["distortion"] + 3.0 * expected, rtol=1e-4)
    np.testing.assert_array_equal(harness.numpy(outputs["activations_dense_1"]), harness.numpy(outputs["z"]))


def test_the_last_layer_is_meant_where_none_is_named():
    model = built(sparse())
    assert list(model.activations.layers) == ["dense_1"]


def test_a_running_mean_by_hand():
    model = sparse(units=(5,), rho=0.2, momentum=0.9)
    model.compile(keras.optimizers.SGD(0.0))
    model.build((None, 8, 8, 1))
    running = np.full(5, 0.2)
    for batch in (X[:8], X[8:16], X[16:]):
        model.train_on_batch(batch)
        running = 0.9 * running + 0.1 * model.encode(batch).mean(axis=0)
    np.testing.assert_allclose(harness.numpy(model.running["dense_0"].value), running, rtol=1e-5)
    logs = model.evaluate(X[:4], verbose=0, return_dict=True)  # whatever the data, and nothing moves
    assert logs["sparsity"] == pytest.approx(kl(0.2, running).sum(), rel=1e-4)
    np.testing.assert_allclose(harness.numpy(model.running["dense_0"].value), running, rtol=1e-6)


def test_the_penalty_brings_back_units_however_dead():
    """Its pull on the bias of a dead unit is the constant -rho: d KL / d rho_hat = -rho / rho_hat, times rho_hat."""
    model = sparse(units=(3,), rho=0.1, decoder=MLPDecoder((8, 8, 1), ()), sparsity_weight=2.0)
    model.build((None, 8, 8, 1))
    dense = model.encoder.dense_layers()[0]
    dense.set_weights([np.zeros((64, 3)), np.array([-10.0, -20.0, -60.0])])
    model.decoder.set_weights([np.zeros_like(w) for w in model.decoder.get_weights()])
    model.compile(keras.optimizers.SGD(1.0))
    model.fit(X, batch_size=24, verbose=0)
    moved = harness.numpy(dense.bias.value) - np.array([-10.0, -20.0, -60.0])
    np.testing.assert_allclose(moved, 0.2, rtol=1e-3)


@pytest.mark.parametrize("momentum", [None, 0.9])
def test_the_gradient_goes_through_the_batch(momentum):
    """One step of SGD against the derivative of the penalty at the value that the mean has."""
    model = sparse(units=(3,), rho=0.3, sparsity_weight=1.0, momentum=momentum, decoder=MLPDecoder((8, 8, 1), ()))
    model.build((None, 8, 8, 1))
    dense = model.encoder.dense_layers()[0]
    bias = np.array([-1.0, 0.0, 1.0])
    dense.set_weights([np.zeros((64, 3)), bias])
    model.decoder.set_weights([np.zeros_like(w) for w in model.decoder.get_weights()])
    model.compile(keras.optimizers.SGD(1.0))
    model.fit(X, batch_size=24, verbose=0)
    activation = 1 / (1 + np.exp(-bias))  # of every example
    mean = activation if momentum is None else 0.9 * 0.3 + 0.1 * activation
    slope = (-0.3 / mean + 0.7 / (1 - mean)) * activation * (1 - activation)
    np.testing.assert_allclose(harness.numpy(dense.bias.value) - bias, -slope, rtol=1e-3, atol=1e-5)


@pytest.mark.slow
@pytest.mark.skipif(harness.BACKEND != "tensorflow", reason="tf.distribute")
def test_two_replicas_train_as_one():
    script = """
        import sys
        import numpy as np
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
        import keras
        import harness, keras_vae

        x = np.random.default_rng(0).random((4, 6)).astype("float32")

        def trained(strategy):
            with strategy.scope():
                model = keras_vae.SparseAutoencoder(
                    keras_vae.MLPEncoder((5,), "sigmoid"), keras_vae.MLPDecoder((6,), ()), rho=0.1, momentum=0.5
                )
                model.build((None, 6))
                harness.set_weights(model)
                model.compile(keras.optimizers.SGD(0.1))
            logs = model.fit(x, batch_size=4, epochs=2, shuffle=False, verbose=0).history
            return logs["sparsity"], logs["loss"], model.encoder.get_weights(), model.running["dense_0"].numpy()

        one = trained(tf.distribute.get_strategy())
        two = trained(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
        for a, b in zip(keras.tree.flatten(one), keras.tree.flatten(two), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], env=environment, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_training_brings_units_to_the_target():
    model = sparse(units=(6,), rho=0.1, sparsity_weight=20.0, decoder=MLPDecoder((8, 8, 1), ()))
    model.compile(keras.optimizers.Adam(0.05))
    model.fit(np.tile(X, (60, 1, 1, 1)), batch_size=24, shuffle=False, verbose=0)
    means = model.encode(X).mean(axis=0)
    assert np.abs(means - 0.1).max() < 0.04, means


@pytest.mark.parametrize("kind", ["sequential", "functional"])
def test_layers_of_a_users_own_net(kind, tmp_path):
    parts = [keras.layers.Flatten(), keras.layers.Dense(6, "sigmoid", name="low"), keras.layers.Dense(4, name="code")]
    if kind == "sequential":
        encoder = keras.Sequential([keras.Input((8, 8, 1)), *parts])
    else:
        x = inputs = keras.Input((8, 8, 1))
        for part in parts:
            x = part(x)
        encoder = keras.Model(inputs, x)
    model = SparseAutoencoder(encoder, MLPDecoder((8, 8, 1), ()), sparse_layers=["low"])
    model.compile("adam")
    model.fit(X, verbose=0)
    outputs = model(X)
    by_hand = parts[1](X.reshape(24, -1))
    harness.assert_close(outputs["activations_low"], by_hand)
    np.testing.assert_allclose(harness.numpy(outputs["z"]), harness.numpy(encoder(X)), rtol=1e-4, atol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(loaded.encode(X), model.encode(X), rtol=1e-5, atol=1e-6)


def test_what_is_no_sigmoid_is_refused():
    model = SparseAutoencoder(MLPEncoder((4,), "relu"), None)
    harness.check_refuses(lambda: model.build((None, 8, 8, 1)), "`sparse_layers` must have sigmoid activation")
    harness.check_refuses(
        lambda: sparse(sparse_layers=["dense_9"]).build((None, 8, 8, 1)), "dense_0, dense_1. Received: .*dense_9"
    )
    for names in ("dense_0", []):
        harness.check_refuses(
            lambda names=names: sparse(sparse_layers=names), "`sparse_layers` must be a list of names"
        )
    harness.check_refuses(lambda: sparse(rho=1.0), r"`rho` must be in \(0, 1\)")
    harness.check_refuses(lambda: sparse(sparsity_weight=-1), "`sparsity_weight` must be a finite number >= 0")
    harness.check_refuses(lambda: sparse(momentum=1.0), r"`momentum` must be in \[0, 1\)")


# --- k-sparse


def k_sparse(**kwargs):
    return KSparseAutoencoder(MLPEncoder((12,), "linear"), **kwargs)


def test_k_are_kept_in_training_and_alpha_k_when_encoding():
    model = built(k_sparse(k=3, alpha=2.5))
    h = harness.numpy(model.encoder(X))
    for training in (False, True):
        z = harness.numpy(model(X, training=training)["z"])
        assert ((z != 0).sum(axis=1) == 3).all()
        kept = np.sort(h, axis=1)[:, -3:]
        np.testing.assert_allclose(np.sort(z.sum(axis=1)), np.sort(kept.sum(axis=1)), rtol=1e-4, atol=1e-5)
    codes = model.encode(X)
    assert ((codes != 0).sum(axis=1) == 8).all()
    np.testing.assert_allclose(codes[codes != 0], h[codes != 0], rtol=1e-5)


def test_it_is_a_relu_whose_threshold_adjusts():
    """h where it is above any threshold between the k-th and the next activation of its example, and zero elsewhere."""
    model = built(k_sparse(k=3))
    h = harness.numpy(model.encoder(X))
    ordered = np.sort(h, axis=1)
    threshold = (ordered[:, -3] + ordered[:, -4])[:, None] / 2
    np.testing.assert_allclose(harness.numpy(model(X)["z"]), np.where(h > threshold, h, 0), rtol=1e-5, atol=1e-6)


def test_k_is_lowered_in_a_compiled_fit():
    model = k_sparse(k=2)
    model.compile("adam")
    seen = []

    class Look(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append((logs["k"], int((harness.numpy(model(X[:1], training=True)["z"]) != 0).sum())))

    schedule = CoefficientSchedule("k", linear_schedule(12, 2, steps=6))
    model.fit(X, batch_size=8, epochs=3, verbose=0, callbacks=[schedule, Look()])
    assert seen == [(9, 9), (4, 4), (2, 2)]  # 12 - 10/6 x step, rounded, at the last of three steps of each epoch
    assert model.get_config()["k"] == 2


# --- dictionaries


def dictionary(bottleneck, units=16, **kwargs):
    return TopKAutoencoder(MLPEncoder((units,), "linear"), MLPDecoder((5,), ()), bottleneck, **kwargs)


VECTORS = np.random.default_rng(0).normal(size=(32, 5)).astype("float32")


def test_top_k_keeps_positive_activations_only():
    h = np.array([[3.0, -1.0, 2.0, -5.0]], "float32")
    assert harness.numpy(TopK(3)(h)["z"]).tolist() == [[3.0, 0.0, 2.0, 0.0]]


def test_batch_top_k_shares_its_budget_and_learns_a_threshold():
    layer = BatchTopK(1, decay=0.5)
    layer.build((None, 3))
    first = np.array([[9.0, 8.0, 7.0], [1.0, 2.0, 3.0]], "float32")
    outputs = layer(first, training=True)
    assert harness.numpy(outputs["z"]).tolist() == [[9.0, 8.0, 0.0], [0.0, 0.0, 0.0]]
    layer.update(outputs)
    assert float(harness.numpy(layer.threshold.value)) == 8.0  # the first batch sets it
    layer.update(layer(np.array([[4.0, -1.0, 0.5]], "float32"), training=True))
    assert float(harness.numpy(layer.threshold.value)) == 6.0
    assert harness.numpy(layer(first)["z"]).tolist() == [[9.0, 8.0, 7.0], [0.0, 0.0, 0.0]]
    assert harness.numpy(layer(first[:1])["z"]).tolist() == [[9.0, 8.0, 7.0]]  # each example on its own
    layer.update(layer(np.full((1, 3), -1.0, "float32"), training=True))  # nothing kept
    assert float(harness.numpy(layer.threshold.value)) == 3.0


def test_dead_units_are_counted_by_hand():
    model = dictionary(TopK(2), dead_after=10)
    model.compile(keras.optimizers.SGD(0.0))
    model.build((None, 5))
    idle = np.zeros(16, int)
    for batch in np.split(VECTORS, 4):
        logs = model.train_on_batch(batch, return_dict=True)
        assert logs["dead"] == pytest.approx((idle >= 10).mean())
        model.reset_metrics()
        used = (harness.numpy(model(batch)["z"]) > 0).any(axis=0)
        idle = np.where(used, 0, idle + len(batch))
        np.testing.assert_array_equal(harness.numpy(model.idle.value), idle)
    before = harness.numpy(model.idle.value)
    model.evaluate(VECTORS, verbose=0)
    np.testing.assert_array_equal(harness.numpy(model.idle.value), before)


def test_the_auxiliary_loss_by_hand():
    model = dictionary(TopK(2), aux_k=2, aux_weight=0.25, dead_after=10)
    model.build((None, 5))
    harness.set_weights(model)
    dead = np.zeros(16, bool)
    dead[[1, 4, 7, 9]] = True
    model.idle.assign(np.where(dead, 10, 3))
    outputs = model(VECTORS)
    terms = harness.numpy(model.terms(VECTORS, VECTORS, outputs, True))
    h, x_hat = (harness.numpy(outputs[key]).astype("float64") for key in ("h", "reconstruction"))
    kernel = harness.numpy(model.decoder.parts[-2].kernel.value)
    z = np.zeros_like(h)
    for row, values in enumerate(h):
        chosen = sorted(np.flatnonzero(dead), key=lambda j: -values[j])[:2]
        z[row, chosen] = np.maximum(values[chosen], 0)
    expected = np.square(VECTORS - x_hat - z @ kernel).sum(axis=1)
    np.testing.assert_allclose(terms["auxiliary"], expected, rtol=1e-4)
    np.testing.assert_allclose(terms["loss"], terms["distortion"] + 0.25 * expected, rtol=1e-4)
    model.idle.assign(np.zeros(16, int))
    assert (harness.numpy(model.terms(VECTORS, VECTORS, outputs, True))["auxiliary"] == 0).all()


@pytest.mark.parametrize("bottleneck", [TopK, BatchTopK])
def test_only_the_auxiliary_loss_moves_dead_units(bottleneck):
    """Half of the units start so faint that none of them is ever among the k largest."""

    def moved(aux_weight):
        model = dictionary(bottleneck(2), aux_k=8, aux_weight=aux_weight, dead_after=8)
        model.build((None, 5))
        harness.set_weights(model)
        dense = model.encoder.dense_layers()[0]
        faint = np.arange(16) < 8
        dense.set_weights([np.where(faint, 1e-3, 1.0) * w for w in dense.get_weights()])
        model.idle.assign(np.where(faint, 8, 0))
        before = harness.numpy(dense.kernel.value).copy()
        model.compile(keras.optimizers.SGD(0.1))
        model.fit(VECTORS, batch_size=16, verbose=0)
        return np.abs(harness.numpy(dense.kernel.value) - before).max(axis=0)[faint]

    assert (moved(0.0) == 0).all()
    assert (moved(1.0) > 0).sum() >= 6  # the others are positive for none of the examples


def test_more_activations_than_units_are_refused():
    harness.check_refuses(lambda: k_sparse(k=13).build((None, 8, 8, 1)), "`k` must be at most the number of units, 12")
    for bottleneck in (TopK(17), BatchTopK(17)):
        harness.check_refuses(lambda b=bottleneck: dictionary(b).build((None, 5)), "at most the number of units, 16")


def test_a_bottleneck_with_state_is_updated_in_any_model():
    model = DenoisingAutoencoder(MLPEncoder((6,), "linear"), bottleneck=BatchTopK(2))
    model.compile("adam")
    model.fit(X, batch_size=12, epochs=2, verbose=0)
    assert float(harness.numpy(model.bottleneck.threshold.value)) > 0
    codes = model.encode(X)
    np.testing.assert_allclose(model.encode(X[:1]), codes[:1], rtol=1e-5, atol=1e-6)  # each example on its own
    classifier = model.as_classifier(2)
    one = harness.numpy(classifier(X[:1], training=True))  # in training too
    np.testing.assert_allclose(one, harness.numpy(classifier(X, training=True))[:1], rtol=1e-4, atol=1e-6)


def test_a_dictionary_starts_from_the_data():
    """At the start, x^ = mean + sum over kept j of <d_j, x - mean> d_j, with features d_j of unit norm."""
    x = np.random.default_rng(3).normal(3.0, 1.0, size=(20, 6)).astype("float32")
    encoder = MLPEncoder((9,), "linear", centered=True)
    model = TopKAutoencoder(encoder, MLPDecoder((6,), ()), TopK(4))
    model.adapt(x)
    features = harness.numpy(model.decoder.dense_layers()[0].kernel.value)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1.0, rtol=1e-5)
    h = (x - x.mean(axis=0)) @ features.T
    kept = np.where(h >= np.sort(h, axis=1)[:, -4:-3], np.maximum(h, 0), 0)
    np.testing.assert_allclose(model.reconstruct(x), x.mean(axis=0) + kept @ features, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "encoder, decoder, told",
    [
        (MLPEncoder((9,), "relu"), MLPDecoder((6,), ()), "`encoder` must be MLPEncoder"),
        (MLPEncoder((5, 9), "linear"), MLPDecoder((6,), ()), "`encoder` must be MLPEncoder"),
        (MLPEncoder((9,), "linear"), MLPDecoder((6,), (5,)), "`decoder` must be MLPDecoder"),
        (MLPEncoder((9,), "linear"), None, "`decoder` must be MLPDecoder.*Received: a TiedMLPDecoder"),
    ],
)
def test_adapt_refuses_what_is_no_dictionary(encoder, decoder, told):
    model = TopKAutoencoder(encoder, decoder, TopK(4))
    harness.check_refuses(lambda: model.adapt(np.ones((2, 6), "float32")), told)
    harness.check_refuses(lambda: model.adapt([[1.0]]), "`x` must be an array", TypeError)
    harness.check_refuses(lambda: model.adapt(np.full((2, 6), np.nan, "float32")), "`x` must be finite")


def test_dictionaries_refuse():
    harness.check_refuses(lambda: dictionary(None), "`bottleneck` must be a TopK or BatchTopK", TypeError)
    harness.check_refuses(lambda: dictionary(TopK(2), aux_k=0), "`aux_k` must be an integer >= 1")
    harness.check_refuses(lambda: BatchTopK(2, decay=1.0), r"`decay` must be in \[0, 1\)")


def test_explained_variance_is_of_the_whole_epoch():
    rng = np.random.default_rng(0)
    x = rng.normal(3.0, [1.0, 2.0], (40, 2)).astype("float32")
    guess = x + rng.normal(0, 0.5, x.shape).astype("float32")
    metric = ExplainedVariance()
    for part in range(0, 40, 10):
        metric.update_state(x[part : part + 10], guess[part : part + 10])
    expected = 1 - np.square(x - guess).sum() / np.square(x - x.mean(axis=0)).sum()
    assert float(metric.result()) == pytest.approx(expected, rel=1e-4)
    metric.reset_state()
    metric.update_state(x, np.broadcast_to(x.mean(axis=0), x.shape))
    assert float(metric.result()) == pytest.approx(0.0, abs=1e-4)
    weight = (np.arange(40) < 20).astype("float32")
    metric.reset_state()
    metric.update_state(x, guess, sample_weight=weight)
    half = 1 - np.square(x - guess)[:20].sum() / np.square(x[:20] - x[:20].mean(axis=0)).sum()
    assert float(metric.result()) == pytest.approx(half, rel=1e-4)


def test_explained_variance_of_data_far_from_zero():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 8)) + 1000.0
    guess = x + 0.3 * rng.normal(size=x.shape)
    metric = ExplainedVariance()
    for part in np.split(np.arange(4000), 10):
        metric.update_state(x[part].astype("float32"), guess[part].astype("float32"))
    expected = 1 - np.square(x - guess).sum() / np.square(x - x.mean(axis=0)).sum()
    assert float(metric.result()) == pytest.approx(expected, abs=1e-3)


def test_explained_variance_of_nothing_and_of_other_shapes():
    metric = ExplainedVariance()
    metric.update_state(np.ones((4, 3), "float32"), np.zeros((4, 3), "float32"))
    assert float(metric.result()) == 0.0  # nothing varies
    harness.check_refuses(
        lambda: metric.update_state(np.ones((4, 3)), np.ones((4, 1))), "`y` must have the shape of `x`"
    )


def test_explained_variance_in_fit():
    model = dictionary(TopK(3))
    model.compile("adam", metrics=[ExplainedVariance()])
    history = model.fit(VECTORS, validation_data=(VECTORS,), verbose=0).history
    x_hat = model.reconstruct(VECTORS)
    expected = 1 - np.square(VECTORS - x_hat).sum() / np.square(VECTORS - VECTORS.mean(axis=0)).sum()
    assert history["val_explained_variance"][-1] == pytest.approx(expected, rel=1e-3, abs=1e-4)
