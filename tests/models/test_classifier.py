"""Classifiers of codes: what they are fed, what they refuse, files, and the protocol that trains them."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.training import NonFiniteLossError, finetune

X = harness.images(12)
LABELS = np.arange(12) % 3


def classifier(loss="sparse_categorical_crossentropy"):
    model = keras_vae.KSparseAutoencoder(keras_vae.MLPEncoder((6,), "linear"), k=2, alpha=2.0)
    model.build((None, 8, 8, 1))
    made = model.as_classifier(3)
    harness.set_weights(made)
    made.compile(keras.optimizers.SGD(0.1), loss, metrics=["accuracy"])
    return made


@pytest.fixture(scope="module")
def shared():
    return classifier()


BAD = [
    ((np.where(X > 0.5, np.nan, X), LABELS), "`x` must be finite"),
    ((X[:, :4], LABELS), r"`x` must have shape \(batch, 8, 8, 1\)"),
    ((X[:0], LABELS[:0]), "`x` must hold at least one example"),
    ((X, LABELS + 1), r"`y` must be in \[0, 2\] for labels of 3 classes. Received: values from 1 to 3"),
    ((X, LABELS - 1), r"`y` must be in \[0, 2\]"),
    ((X, LABELS + 0.5), "`y` must hold whole numbers"),
    (
        (X, np.zeros((12, 2))),
        r"`y` must be labels \(batch,\), or probabilities \(batch, 3\). Received: shape=\(12, 2\)",
    ),
    ((X, 2 * np.eye(3)[LABELS]), r"`y` must be in \[0, 1\] for probabilities of classes"),
]


@pytest.mark.parametrize("data, told", BAD, ids=range(len(BAD)))
@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch"])
def test_bad_data_is_refused_and_changes_nothing(shared, method, data, told):
    before = harness.weights(shared)
    harness.check_refuses(lambda: getattr(shared, method)(*data), told)
    harness.assert_same_weights(before, harness.weights(shared))


def test_validation_data_and_streams_are_checked_too(shared):
    harness.check_refuses(
        lambda: shared.fit(X, LABELS, validation_data=(X, LABELS + 9)), r"`validation_data\[1\]` must"
    )
    batches = ((X[i : i + 4], LABELS[i : i + 4] + 7) for i in (0, 4, 8))
    harness.check_refuses(lambda: shared.fit(batches, verbose=0), r"`x \(first batch, y\)` must be in \[0, 2\]")


def test_labels_and_probabilities_train_alike():
    one, other = classifier(), classifier("categorical_crossentropy")
    one.fit(X, LABELS, batch_size=6, epochs=2, shuffle=False, verbose=0)
    other.fit(X, np.eye(3, dtype="float32")[LABELS], batch_size=6, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(one.predict(X, verbose=0), other.predict(X, verbose=0), rtol=1e-4, atol=1e-5)


def test_class_weights_and_sample_weights_are_keras_own(shared):
    by_class, by_example = np.array([1.0, 2.0, 0.5]), np.linspace(0, 2, 12)
    for name, given, weights in (
        ("class_weight", dict(enumerate(by_class)), by_class[LABELS]),
        ("sample_weight", by_example, by_example),
    ):
        errors = -np.log(shared.predict(X, verbose=0)[np.arange(12), LABELS])
        loss = shared.fit(X, LABELS, verbose=0, **{name: given}).history["loss"][0]
        assert loss == pytest.approx((weights * errors).mean(), rel=1e-4)


def test_a_loss_that_is_not_finite_stops_the_training():
    model = classifier()
    model.optimizer.learning_rate = 1e38
    with pytest.raises(NonFiniteLossError, match="`loss` is not finite"):
        model.fit(X, LABELS, batch_size=4, epochs=4, verbose=0)


def test_saved_and_loaded(tmp_path, shared):
    shared.save(tmp_path / "classifier.keras")
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0), shared.predict(X, verbose=0), rtol=1e-5)
    loaded.fit(X, LABELS, verbose=0)
    harness.check_refuses(lambda: loaded.fit(X, LABELS + 1), "`y` must be in")


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = classifier()
        losses = model.fit(X, LABELS, epochs=2, verbose=0).history["loss"]
    finally:
        keras.config.set_dtype_policy("float32")
    assert losses == pytest.approx(classifier().fit(X, LABELS, epochs=2, verbose=0).history["loss"], rel=0.05)
    assert {v.dtype for v in model.variables if keras.backend.is_float_dtype(v.dtype)} == {"float32"}


@pytest.mark.parametrize("callbacks", [None, [], keras.callbacks.LambdaCallback()], ids=["none", "empty", "one"])
def test_finetune_takes_callbacks_as_fit_does(shared, callbacks):
    history = finetune(shared, X, LABELS, (X, LABELS), epochs=1, batch_size=6, callbacks=callbacks, verbose=0)
    assert history.history["val_accuracy"] == [shared.evaluate(X, LABELS, verbose=0, return_dict=True)["accuracy"]]


def test_corruption_and_dropout_act_in_training_only():
    model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((6,), "linear"), keras_vae.MLPDecoder((8, 8, 1), ()))
    model.build((None, 8, 8, 1))
    plain = model.as_classifier(3)
    corrupted = model.as_classifier(3, corruption=keras_vae.MaskingNoise(1.0, seed=0))
    dropped = model.as_classifier(3, dropout=0.5)
    for made in (plain, corrupted, dropped):
        harness.set_weights(made)
    still = harness.numpy(plain(X))
    for made in (corrupted, dropped):
        np.testing.assert_allclose(harness.numpy(made(X)), still, atol=1e-6)
    black = harness.numpy(plain(np.zeros_like(X)))
    np.testing.assert_allclose(harness.numpy(corrupted(X, training=True)), black, atol=1e-6)
    assert np.abs(harness.numpy(dropped(X, training=True)) - still).max() > 1e-3
    harness.check_refuses(lambda: model.as_classifier(3, dropout=1.0), "`dropout` must be")
    with pytest.raises(TypeError, match="`corruption` must be a keras Layer"):
        model.as_classifier(3, corruption=0.2)
    harness.check_refuses(
        lambda: model.as_classifier(3, corruption=keras.layers.Flatten()),
        r"`corruption` must keep the shape of x, \(8, 8, 1\). Received: a Flatten, which gives \(64,\)",
    )


def test_corruption_takes_integer_images():
    def losses(x):
        model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((6,), "linear"), keras_vae.MLPDecoder((8, 8, 1), ()))
        model.build((None, 8, 8, 1))
        made = model.as_classifier(3, corruption=keras_vae.AdditiveGaussianNoise(0.1, seed=0))
        harness.set_weights(made)
        made.compile("sgd", "sparse_categorical_crossentropy")
        return made.fit(x, LABELS, batch_size=6, shuffle=False, verbose=0).history["loss"]

    assert losses((X > 0.5).astype("int32")) == pytest.approx(losses((X > 0.5).astype("float32")), rel=1e-6)


def normalized():
    """A classifier whose encoder behaves otherwise in training, and whose bottleneck keeps two of six codes."""
    layers = [keras.layers.Flatten(), keras.layers.Dense(6), keras.layers.BatchNormalization()]
    made = keras_vae.Classifier(keras.Sequential(layers), keras_vae.KSparse(2), 3)
    made.build((None, 8, 8, 1))
    made.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    return made


def test_features_are_the_codes_that_the_head_reads():
    model = normalized()
    model.fit(X, LABELS, batch_size=6, verbose=0)
    moments = harness.weights(model.encoder)
    found = model.features(X)
    encoded = harness.numpy(model.encoder(X, training=False))
    least = np.sort(encoded, axis=1)[:, -2:-1]
    np.testing.assert_allclose(found, np.where(encoded >= least, encoded, 0.0), rtol=1e-5, atol=1e-6)
    assert found.dtype == np.float32 and (np.count_nonzero(found, axis=1) == 2).all()
    np.testing.assert_allclose(harness.numpy(model.head(found)), model.predict(X, verbose=0), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.features(X, batch_size=5), found, rtol=1e-5, atol=1e-6)
    harness.assert_same_weights(moments, harness.weights(model.encoder))
    model.fit(X, LABELS, epochs=3, verbose=0)  # what was compiled sees the new weights
    changed = model.features(X)
    assert np.abs(changed - found).max() > 1e-3
    np.testing.assert_allclose(harness.numpy(model.head(changed)), model.predict(X, verbose=0), rtol=1e-4, atol=1e-6)


def test_features_of_bad_data_are_refused(shared):
    for x, told in (
        (np.where(X > 0.5, np.nan, X), "`x` must be finite"),
        (X[:, :4], r"`x` must have shape \(batch, 8, 8, 1\)"),
        (X[:0], "`x` must hold at least one example"),
        ((255 * X).astype("uint8"), "`x` must be floats: divide 8-bit images by 255. Received: dtype=uint8, values up"),
    ):
        harness.check_refuses(lambda x=x: shared.features(x), told)
    harness.check_refuses(lambda: shared.features(X, batch_size=0), "`batch_size` must be an integer >= 1")
    unbuilt = keras_vae.Classifier(keras_vae.MLPEncoder((6,)), keras_vae.IdentityBottleneck(), 3)
    with pytest.raises(ValueError, match="Classifier must be built first"):
        unbuilt.features(X)
    zeros_and_ones = (X > 0.5).astype("int32")
    np.testing.assert_array_equal(shared.features(zeros_and_ones), shared.features(zeros_and_ones.astype("float32")))
