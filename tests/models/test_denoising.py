"""Denoising: the clean target, emphasis by hand, tied weights, and stacks that train one layer at a time."""

import keras
import numpy as np
import pytest

import harness
from keras_vae import (
    VAE,
    AdditiveGaussianNoise,
    BernoulliLikelihood,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    MaskingNoise,
    MLPDecoder,
    MLPEncoder,
    PlainAutoencoder,
    SharedVarianceGaussianLikelihood,
    SquaredError,
    StackedDenoisingAutoencoder,
    TopK,
    TopKAutoencoder,
)

X = harness.images(24)


def dae(units=6, **kwargs):
    return DenoisingAutoencoder(MLPEncoder((units,), "sigmoid"), **kwargs)


def built(model, shape=(8, 8, 1)):
    model.build((None, *shape))
    return harness.set_weights(model)


@pytest.mark.parametrize("likelihood", [SquaredError(activation="sigmoid"), BernoulliLikelihood()])
def test_emphasis_by_hand(likelihood):
    model = built(dae(emphasis=(2.0, 0.5), likelihood=likelihood))
    outputs = model(X[:3], training=True)
    destroyed, params = harness.numpy(outputs["destroyed"]), harness.numpy(outputs["params"]).astype("float64")
    assert (destroyed.reshape(3, -1).sum(axis=1) == 16).all()  # a quarter of 64
    probability = 1 / (1 + np.exp(-params))
    if isinstance(likelihood, BernoulliLikelihood):
        errors = -(X[:3] * np.log(probability) + (1 - X[:3]) * np.log1p(-probability))
    else:
        errors = (X[:3] - probability) ** 2
    terms = harness.numpy(model.terms(X[:3], X[:3], outputs, True))
    weighted = np.where(destroyed, 2.0, 0.5) * errors
    np.testing.assert_allclose(terms["loss"], weighted.reshape(3, -1).sum(axis=1), rtol=1e-4)
    np.testing.assert_allclose(terms["distortion"], errors.reshape(3, -1).sum(axis=1), rtol=1e-4)


def test_the_target_is_clean_and_the_input_is_not():
    """Everything masked: what the net says does not depend on x, and the error is that of the clean x."""
    model = built(dae(corruption=MaskingNoise(1.0)))
    outputs = harness.numpy(model(X[:4], training=True))
    assert np.ptp(outputs["reconstruction"], axis=0).max() < 1e-6
    terms = harness.numpy(model.terms(X[:4], X[:4], outputs, True))
    error = np.square(X[:4] - outputs["reconstruction"]).reshape(4, -1).sum(axis=1)
    np.testing.assert_allclose(terms["loss"], error, rtol=1e-4)


def test_evaluation_sees_clean_data():
    model = built(dae(emphasis=(1.0, 0.0)))
    plain = PlainAutoencoder(model.encoder, model.decoder)
    plain.build((None, 8, 8, 1))
    for one in (model, plain):
        one.compile()
    logs = [one.evaluate(X, verbose=0, return_dict=True) for one in (model, plain)]
    assert logs[0] == pytest.approx(logs[1], rel=1e-5)


@pytest.mark.parametrize(
    "corruption",
    [
        AdditiveGaussianNoise(0.2, seed=1),
        keras.layers.GaussianDropout(0.5, seed=1),
        keras.layers.Conv2D(1, 3, padding="same"),  # one with weights
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_any_layer_corrupts(corruption):
    model = dae(corruption=corruption, emphasis=(1.0, 0.5))
    model.compile("adam")
    model.fit(X, batch_size=12, verbose=0)
    assert all(layer.built for layer in model._flatten_layers())
    outputs = model(X[:4], training=True)
    errors = np.square(X[:4] - harness.numpy(outputs["reconstruction"]))
    weighted = np.where(harness.numpy(outputs["destroyed"]), 1.0, 0.5) * errors
    loss = harness.numpy(model.terms(X[:4], X[:4], outputs, True)["loss"])
    np.testing.assert_allclose(loss, weighted.reshape(4, -1).sum(axis=1), rtol=1e-4)
    assert harness.numpy(outputs["destroyed"]).any()
    assert not np.allclose(harness.numpy(model(X[:4])["z"]), harness.numpy(outputs["z"]))


def test_tied_weights_are_one_variable():
    model = dae()
    model.compile("adam")
    model.fit(X, batch_size=12, verbose=0)
    kernel = model.encoder.dense_layers()[0].kernel
    assert [v.path for v in model.trainable_variables].count(kernel.path) == 1
    assert sum(v.shape == (64, 6) for v in model.variables) == 1
    z = np.random.default_rng(0).random((2, 6)).astype("float32")
    bias = harness.numpy(model.decoder.biases[-1].value)
    np.testing.assert_allclose(
        model.decode(z), (z @ harness.numpy(kernel.value).T + bias).reshape(2, 8, 8, 1), rtol=1e-4, atol=1e-5
    )


def test_tied_weights_of_several_layers_mirror_the_encoder():
    model = built(PlainAutoencoder(MLPEncoder((7, 5), "tanh"), None))
    first, second = (harness.numpy(layer.kernel.value).astype("float64") for layer in model.encoder.dense_layers())
    upper, lower = (harness.numpy(bias.value) for bias in model.decoder.biases)
    z = np.random.default_rng(0).normal(size=(2, 5))
    expected = np.tanh(z @ second.T + upper) @ first.T + lower
    np.testing.assert_allclose(model.decode(z), expected.reshape(2, 8, 8, 1), rtol=1e-4, atol=1e-5)


def test_tied_outputs_are_float32_under_mixed_precision():
    model = built(dae())
    expected = model.reconstruct(X)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = dae()
        mixed.build((None, 8, 8, 1))
    finally:
        keras.config.set_dtype_policy("float32")
    mixed.set_weights(model.get_weights())
    z = model.encode(X)
    np.testing.assert_allclose(mixed.decode(z), model.decode(z), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(mixed.reconstruct(X), expected, atol=0.05)


def test_a_tied_model_is_loaded_tied(tmp_path):
    model = dae()
    model.compile("adam")
    model.fit(X, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.decoder.tie.encoder is loaded.encoder
    np.testing.assert_allclose(loaded.reconstruct(X), model.reconstruct(X), rtol=1e-5, atol=1e-6)


def test_what_cannot_be_tied_is_refused():
    with pytest.raises(
        TypeError, match="`decoder` may be None where the encoder has tied weights.*Received: encoder=Dense"
    ):
        PlainAutoencoder(keras.layers.Dense(3), None)
    harness.check_refuses(
        lambda: VAE(MLPEncoder((8,)), None, latent_dim=2).build((None, 8, 8, 1)), "latents are as wide as the encoder's"
    )


def test_codes_are_not_classified_as_magnitudes(vqvae):
    harness.check_refuses(lambda: vqvae.as_classifier(3), "`as_classifier` needs continuous latents")


def test_emphasis_is_a_pair():
    harness.check_refuses(lambda: dae(emphasis=(1.0,)), "`emphasis` must be a pair of numbers >= 0")
    harness.check_refuses(lambda: dae(emphasis=(1.0, -1.0)), r"`emphasis\[1\]` must be a finite number >= 0")
    harness.check_refuses(lambda: dae(corruption="mask"), "`corruption` must be a keras Layer", TypeError)


# --- stacks


def stack():
    keras.utils.set_random_seed(0)
    stages = [dae(6, likelihood=BernoulliLikelihood()), dae(5, corruption=MaskingNoise(0.4, seed=3)), dae(4)]
    return StackedDenoisingAutoencoder(stages)


def test_each_layer_trains_alone_on_the_clean_codes_below():
    model = stack()
    model.build((None, 8, 8, 1))
    seen = []
    start = [harness.weights(stage) for stage in model.stages]
    for i, stage in enumerate(model.stages):
        fit = stage.fit

        def spy(batches, i=i, fit=fit, **kwargs):
            below = X if i == 0 else model.stages[i - 1].encode(X if i == 1 else model.stages[0].encode(X))
            rows = np.concatenate([batches[n] for n in range(len(batches))])
            np.testing.assert_allclose(np.sort(rows.ravel()), np.sort(below.ravel()), rtol=1e-5, atol=1e-6)
            before = [harness.weights(s) for s in model.stages]
            history = fit(batches, **kwargs)
            for j, other in enumerate(model.stages):
                if j != i:
                    harness.assert_same_weights(before[j], harness.weights(other))
            seen.append(i)
            return history

        object.__setattr__(stage, "fit", spy)
    logs = model.pretrain(X, epochs=[2, 1, 3], batch_size=8, verbose=0)
    assert seen == [0, 1, 2] and [len(log["loss"]) for log in logs] == [2, 1, 3]
    for before, stage in zip(start, model.stages, strict=True):
        changed = [not np.array_equal(a, b) for (_, a), (_, b) in zip(before, harness.weights(stage), strict=True)]
        assert any(changed)


def test_pretraining_goes_on_inside_and_between_layers(tmp_path, capsys):
    whole = stack()
    whole.pretrain(X, epochs=2, batch_size=8)
    bars = capsys.readouterr().out
    assert "18/18" in bars and "layer" in bars  # 3 layers, 2 epochs, 3 steps: one bar
    for epochs in ([1, 1, 1], [2, 1, 1], 2):  # as if it had been stopped in each layer
        part = stack()
        part.pretrain(X, epochs=epochs, batch_size=8, folder=tmp_path, verbose=0)
        if epochs == 2:
            break
        for later in ("layer-2", "layer-3"):  # what a stopped run has not reached
            for file in (tmp_path / later).glob("*"):
                file.unlink()
    pairs = zip(harness.weights(whole), harness.weights(part), strict=True)
    for (path, one), (_, other) in pairs:
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6, err_msg=path)
    assert part.pretrain(X, epochs=2, batch_size=8, folder=tmp_path, verbose=0) == [{}, {}, {}]  # all of it is done


def test_a_layer_whose_inputs_changed_starts_anew(tmp_path):
    def logs(x=X, **kwargs):
        return [
            len(log.get("loss", ())) for log in stack().pretrain(x, batch_size=8, folder=tmp_path, verbose=0, **kwargs)
        ]

    assert logs(epochs=1) == [1, 1, 1]
    assert logs(epochs=1) == [0, 0, 0]
    assert logs(epochs=[1, 2, 1]) == [0, 1, 1]  # the last one stands on other codes now
    assert logs(1 - X, epochs=1) == [1, 1, 1]
    assert logs(1 - X, epochs=1, optimizer=keras.optimizers.Adam(0.1)) == [1, 1, 1]
    assert logs(1 - X, epochs=1, optimizer=keras.optimizers.Adam(0.1)) == [0, 0, 0]
    assert logs(1 - X, epochs=1, optimizer="sgd", seed=3) == [1, 1, 1]


def test_pretraining_leaves_the_files_of_others(tmp_path):
    mine = tmp_path / "layer-1" / "thesis.txt"
    mine.parent.mkdir()
    mine.write_text("written by hand")
    model = StackedDenoisingAutoencoder([dae(4)])
    for seed in (0, 1):  # a first checkpoint, and one that replaces it
        model.pretrain(X, epochs=1, folder=tmp_path, verbose=0, seed=seed)
    assert mine.read_text() == "written by hand"


def test_stages_do_not_share_weights():
    shared = SharedVarianceGaussianLikelihood()
    model = StackedDenoisingAutoencoder([dae(6, likelihood=shared), dae(4, likelihood=shared)])
    harness.check_refuses(lambda: model.build((None, 8, 8, 1)), "`stages` must not share parts that have weights")


def test_a_corruption_keeps_the_shape():
    model = dae(corruption=keras.layers.Cropping2D(1))
    harness.check_refuses(lambda: model.build((None, 8, 8, 1)), r"`corruption` must keep the shape of x, \(8, 8, 1\)")


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
def test_whole_numbers_train_as_floats_do(dtype):
    """Every loss that looks at x itself: emphasis, dead units, Jacobians."""
    x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype(dtype)
    net = lambda activation: MLPEncoder((5,), activation)  # noqa: E731
    made = {
        "emphasis": lambda: DenoisingAutoencoder(net("sigmoid"), emphasis=(1.0, 0.5), corruption=MaskingNoise(1.0)),
        "dead units": lambda: TopKAutoencoder(net("linear"), MLPDecoder((4, 4, 1), ()), TopK(2), aux_k=2),
        "Jacobian": lambda: ContractiveAutoencoder(net("tanh")),
    }
    for name, make in made.items():
        losses = []
        for data in (x, x.astype("float32")):
            model = make()
            model.build((None, 4, 4, 1))
            harness.set_weights(model).compile(keras.optimizers.SGD(1e-3))
            losses.append(model.fit(data, batch_size=4, shuffle=False, verbose=0).history["loss"])
        np.testing.assert_allclose(*losses, rtol=1e-6, err_msg=name)


def test_a_stack_is_one_autoencoder_and_a_classifier(tmp_path):
    model = harness.check_model(stack, X, tmp_path)
    codes = X
    for stage in model.stages:
        codes = stage.encode(codes)
    np.testing.assert_allclose(model.encode(X), codes, rtol=1e-5, atol=1e-6)
    down = codes
    for stage in model.stages[::-1]:
        down = stage.decode(down)
    np.testing.assert_allclose(model.reconstruct(X), down, rtol=1e-4, atol=1e-5)
    labels = np.arange(len(X)) % 3
    classifier = model.as_classifier(3)
    assert classifier.head.kernel.shape == (4, 3)
    classifier.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    before = model.encode(X)
    history = classifier.fit(X, labels, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert not np.allclose(model.encode(X), before)  # the weights are shared
    classifier.save(tmp_path / "classifier.keras")
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), classifier.predict(X, verbose=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(classifier.predict(X, verbose=0).sum(axis=1), 1.0, rtol=1e-5)


def test_bad_stacks_and_bad_pretraining():
    harness.check_refuses(lambda: StackedDenoisingAutoencoder([]), "`stages` must hold at least one")
    plain = PlainAutoencoder(MLPEncoder((4,)), MLPDecoder((8, 8, 1), ()))
    harness.check_refuses(lambda: StackedDenoisingAutoencoder([plain]), "`stages` must be a sequence", TypeError)
    wrong = dae(5)
    wrong.build((None, 9))
    harness.check_refuses(
        lambda: StackedDenoisingAutoencoder([dae(6), wrong]).build((None, 8, 8, 1)), r"`stages\[1\]` must take data"
    )
    harness.check_refuses(lambda: stack().pretrain(X, epochs=[1, 2]), "`epochs` must be one number, or one for each")
    harness.check_refuses(lambda: stack().pretrain(iter([X])), "`x` must be an array", TypeError)
    harness.check_refuses(lambda: stack().pretrain(X * np.nan), "`x` must be finite")
    with pytest.raises(ValueError, match="PlainAutoencoder must be built first"):
        plain.as_classifier(3)
