"""Several processes or devices: what would go wrong inside of the loop is said before the first step."""

import numpy as np
import pytest

import harness
from keras_vae import _backend
from keras_vae.datasets import ImageBatches
from keras_vae.training import finetune, replicas
from processes import finish, start

X = harness.images(9)
REFUSED = "^`fit` must run in one process on torch: .* Received: torch.distributed with 2 processes.$"


def test_each_way_to_train_refuses_a_second_process(plain, monkeypatch):
    monkeypatch.setattr(_backend, "replica", lambda: (1, 2))
    before = harness.weights(plain)
    classifier = plain.as_classifier(2)
    for train in (
        lambda: plain.fit(X, verbose=0),
        lambda: plain.train_on_batch(X),
        lambda: finetune(classifier, X, np.arange(9) % 2, (X, np.arange(9) % 2), epochs=1),
    ):
        with pytest.raises(RuntimeError, match=REFUSED):
            train()
    harness.assert_same_weights(before, harness.weights(plain))
    error = np.square(X - plain.reconstruct(X)).sum(axis=(1, 2, 3)).mean()
    assert plain.evaluate(X, verbose=0, return_dict=True)["loss"] == pytest.approx(error, rel=1e-5)  # moves no weight


def generator(size):
    return ((harness.images(size),) for _ in range(2))


BAD = {  # what `fit` is given, and what it says on two devices
    "array": (lambda: {"x": X, "batch_size": 4}, "`x` .* batches of 4 and 1 examples"),
    "batch_size": (lambda: {"x": X[:8], "batch_size": 3}, "`x` .* batches of 3 and 2 examples"),
    "default batch": (lambda: {"x": X}, "`x` .* batches of 9 examples"),
    "stream": (lambda: {"x": ImageBatches(X, 4)}, "`x` .* batches of 4 and 1 examples"),
    "generator": (lambda: {"x": generator(5)}, r"`x \(first batch\)` .* batches of 5 examples"),
    "validation": (lambda: {"x": X[:8], "validation_data": (X[:3],)}, "`validation_data` .* batches of 3 examples"),
    "validation stream": (
        lambda: {"x": X[:8], "validation_data": generator(3)},
        r"`validation_data \(first batch\)` .* batches of 3 examples",
    ),
    "split": (lambda: {"x": X[:8], "validation_split": 0.6}, "`validation_split` .* batches of 5 examples"),
    "rest of the split": (lambda: {"x": X, "validation_split": 0.5}, "`validation_split` .* batches of 5 examples"),
}
GOOD = {
    "array": lambda: {"x": X[:8], "batch_size": 6},
    "stream": lambda: {"x": ImageBatches(X, 4, drop_remainder=True)},
    "generator": lambda: {"x": generator(4), "validation_data": generator(2)},
    "split": lambda: {"x": X[:8], "validation_split": 0.5, "batch_size": 2},
    "validation": lambda: {"x": X[:8], "validation_data": ImageBatches(X[:6], 4), "validation_batch_size": 3},
}


@pytest.mark.parametrize("case", BAD)
def test_batches_that_cannot_be_divided(case, plain, monkeypatch):
    monkeypatch.setattr(_backend, "devices", lambda: 2)
    given, said = BAD[case]
    before = harness.weights(plain)
    said = f"^{said}. Choose another".replace(
        " .* ", " must come in batches that can be divided over 2 devices. Received: "
    )
    with pytest.raises(ValueError, match=said):
        plain.fit(**given(), verbose=0)
    harness.assert_same_weights(before, harness.weights(plain))


@pytest.mark.parametrize("case", GOOD)
def test_batches_that_can_be_divided(case, monkeypatch):
    monkeypatch.setattr(_backend, "devices", lambda: 2)
    given = GOOD[case]()
    checked = replicas.check_split(given)
    for name in ("x", "validation_data"):  # a generator still gives its first batch
        if name in given and not hasattr(given[name], "__len__"):
            assert len(list(checked[name])) == 2


@pytest.mark.parametrize("method", ["evaluate", "predict", "train_on_batch", "test_on_batch"])
def test_every_method_looks_at_its_batches(method, plain, monkeypatch):
    monkeypatch.setattr(_backend, "devices", lambda: 2)
    with pytest.raises(ValueError, match="^`x` must come in batches .* batches of 9 examples"):
        getattr(plain, method)(X)


def test_one_device_takes_any_batch(plain):
    assert _backend.devices() == 1
    given = {"x": X, "batch_size": 4}
    assert replicas.check_split(given) is given


@pytest.mark.slow
@pytest.mark.skipif(harness.BACKEND != "jax", reason="keras.distribution")
def test_a_model_on_two_jax_devices_outlives_a_batch_that_cannot_be_divided():
    """In a process of its own: Keras's own error leaves the model without its variables."""
    script = """
        import keras_vae
        import keras

        keras.distribution.set_distribution(keras.distribution.DataParallel())
        import harness
        from small_models import small

        x, model = harness.images(9), small("plain")
        model.compile("adam")
        for count in (9, 8):
            try:
                model.fit(x[:count], batch_size=4, verbose=0)
            except ValueError as error:
                print(error)
        print(int(model.step.value))
    """
    said = finish(start(script, XLA_FLAGS="--xla_force_host_platform_device_count=2"))
    assert "divided over 2 devices. Received: batches of 4 and 1 examples." in said
    assert said.split()[-1] == "2"
