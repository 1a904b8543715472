"""A run that was interrupted and resumed is the run that was not: noise and all."""

import json

import keras
import numpy as np
import pytest
from keras import ops

import harness
import keras_vae
from keras_vae.datasets import ImageBatches
from keras_vae.ops.numerics import sum_event
from keras_vae.training import NonFiniteLossError, TermsModel, TrainingCheckpoint, fit_resumable, resume
from toys import points


class Noisy(TermsModel):
    """Denoises: its loss depends on the state of two seeds."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator(3)
        self.dropout = keras.layers.Dropout(0.3, seed=20_007)
        self.dense = keras.layers.Dense(2)

    def call(self, x, training=False):
        noise = keras.random.normal(ops.shape(x), seed=self.seed_generator)
        return {"reconstruction": self.dense(self.dropout(x + noise, training=training))}

    def terms(self, x, y, outputs, training):
        return {"loss": sum_event(ops.square(y - outputs["reconstruction"]))}


def noisy():
    keras.utils.set_random_seed(0)
    model = Noisy()
    model.build((None, 2))
    model.compile("adam")
    return model


def fit(model, folder, epochs, initial_epoch=0):
    options = {"batch_size": 4, "epochs": epochs, "initial_epoch": initial_epoch, "shuffle": False, "verbose": 0}
    model.fit(points(16), callbacks=[TrainingCheckpoint(folder)], **options)
    return harness.weights(model) + harness.weights(model.optimizer)


def test_a_seeded_stream_goes_on_in_the_order_it_would_have_had(tmp_path):
    images = np.arange(12 * 16, dtype="uint8").reshape(12, 4, 4, 1)

    def weights(folder, *runs):
        for epochs, resumed in runs:
            keras.utils.set_random_seed(0)
            model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4, 4, 1), ()))
            model.build((None, 4, 4, 1))
            model.compile("adam")
            history = fit_resumable(
                model, ImageBatches(images, 4, seed=1), epochs, tmp_path / folder, resumed, every=2, verbose=0
            )
        return harness.weights(model) + harness.weights(model.optimizer), history.epoch

    whole, _ = weights("whole", (4, False))
    parts, epochs = weights("parts", (3, False), (4, True))
    assert epochs == [3]
    harness.assert_same_weights(whole, parts)
    anew, epochs = weights("parts", (4, False))  # not asked to go on: the checkpoint is left alone until it is replaced
    assert epochs == [0, 1, 2, 3]
    harness.assert_same_weights(whole, anew)


def test_resuming_is_bit_exact(tmp_path):
    whole = fit(noisy(), tmp_path / "whole", epochs=4)
    fit(noisy(), tmp_path / "part", epochs=2)
    model = noisy()
    done = resume(model, tmp_path / "part")
    assert done == 2
    harness.assert_same_weights(whole, fit(model, tmp_path / "part", epochs=4, initial_epoch=done))


def test_resuming_again_and_again_is_bit_exact(tmp_path):
    whole = fit(noisy(), tmp_path / "whole", epochs=3)
    for epoch in range(3):
        model = noisy()
        assert resume(model, tmp_path / "part") == epoch
        last = fit(model, tmp_path / "part", epochs=epoch + 1, initial_epoch=epoch)
    harness.assert_same_weights(whole, last)


def test_nothing_to_resume_is_epoch_zero(tmp_path):
    model = noisy()
    before = harness.weights(model)
    assert resume(model, tmp_path / "nowhere") == 0
    harness.assert_same_weights(before, harness.weights(model))


def test_only_the_last_checkpoint_is_kept(tmp_path):
    fit(noisy(), tmp_path, epochs=3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint.json", "epoch-000003.weights.h5"]


def test_every_counts_epochs_and_the_last_is_always_kept(tmp_path):
    model = noisy()
    seen = []
    look = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.append((tmp_path / "checkpoint.json").exists())
    )
    model.fit(points(8), epochs=3, verbose=0, callbacks=[TrainingCheckpoint(tmp_path, every=2), look])
    assert seen == [False, True, True]
    assert json.loads((tmp_path / "checkpoint.json").read_text())["epoch"] == 3


def test_the_last_epoch_is_kept_where_another_callback_stops_the_training(tmp_path):
    model = noisy()
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", epoch == 2))
    model.fit(points(8), epochs=9, verbose=0, callbacks=[TrainingCheckpoint(tmp_path, every=2), stop])
    other = noisy()
    assert resume(other, tmp_path) == 3
    harness.assert_same_weights(harness.weights(model), harness.weights(other))


def test_a_kill_while_writing_leaves_the_checkpoint_before(tmp_path, monkeypatch):
    model = noisy()
    fit(model, tmp_path, epochs=1)

    def killed(path, **kwargs):
        path.write_bytes(b"half a file")
        raise KeyboardInterrupt

    monkeypatch.setattr(model, "save_weights", killed)
    with pytest.raises(KeyboardInterrupt):
        fit(model, tmp_path, epochs=2, initial_epoch=1)
    assert resume(noisy(), tmp_path) == 1


def test_a_flipped_byte_is_refused(tmp_path):
    fit(noisy(), tmp_path, epochs=1)
    file = next(tmp_path.glob("*.weights.h5"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    with pytest.raises(ValueError, match="`folder` must hold a whole checkpoint. Received: .* missing or damaged"):
        resume(noisy(), tmp_path)


def test_a_missing_file_is_refused(tmp_path):
    fit(noisy(), tmp_path, epochs=1)
    next(tmp_path.glob("*.weights.h5")).unlink()
    with pytest.raises(ValueError, match="missing or damaged"):
        resume(noisy(), tmp_path)


def test_a_model_that_is_not_compiled_is_refused(tmp_path):
    fit(noisy(), tmp_path, epochs=1)
    with pytest.raises(ValueError, match="`model` must be built and compiled"):
        resume(Noisy(), tmp_path)


def test_another_model_is_refused(tmp_path):
    fit(noisy(), tmp_path, epochs=1)
    state = json.loads((tmp_path / "checkpoint.json").read_text())
    state["seeds"].pop()
    (tmp_path / "checkpoint.json").write_text(json.dumps(state))
    with pytest.raises(ValueError, match="must be the one of the checkpoint"):
        resume(noisy(), tmp_path)


def test_every_must_be_positive():
    harness.check_refuses(lambda: TrainingCheckpoint("runs", every=0), "`every` must be an integer >= 1")


def test_weights_are_those_of_the_end_of_the_epoch(tmp_path):
    model = noisy()
    fit(model, tmp_path, epochs=2)
    other = noisy()
    resume(other, tmp_path)
    harness.assert_same_weights(harness.weights(model), harness.weights(other))
    assert np.array_equal(harness.numpy(other.step.value), 8)


def test_an_epoch_that_diverged_leaves_the_checkpoint_before(tmp_path):
    model = noisy()
    fit(model, tmp_path, epochs=1)
    model.dense.kernel.assign(np.full((2, 2), np.nan))
    with pytest.raises(NonFiniteLossError):
        fit(model, tmp_path, epochs=2, initial_epoch=1)
    fresh = noisy()
    assert resume(fresh, tmp_path) == 1
    assert np.isfinite(harness.numpy(fresh.dense.kernel.value)).all()
