"""A run that was interrupted and resumed is the run that was not: noise and all."""

import errno
import json

import keras
import numpy as np
import pytest
from keras import ops

import harness
import keras_vae
from keras_vae.datasets import ImageBatches
from keras_vae.ops.numerics import sum_event
from keras_vae.training import (
    NonFiniteLossError,
    TermsModel,
    TrainingCheckpoint,
    checkpoint_folder,
    fit_resumable,
    resume,
)
from processes import finish, start
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


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


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
    assert files(tmp_path) == ["checkpoint.json", "epoch-000003.weights.h5"]


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
    good = harness.weights(model)
    model.dense.kernel.assign(np.full((2, 2), np.nan))
    with pytest.raises(NonFiniteLossError):
        fit(model, tmp_path, epochs=2, initial_epoch=1)
    fresh = noisy()
    assert resume(fresh, tmp_path) == 1
    harness.assert_same_weights(good, harness.weights(fresh))


@pytest.fixture
def disk(monkeypatch):
    """`disk(True)`: the disk is full; `disk(False)`: it is not any more."""
    write_synced = checkpoint_folder.write_synced

    def full(path, content):
        path.write_bytes(content[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    def fill(is_full):
        monkeypatch.setattr(checkpoint_folder, "write_synced", full if is_full else write_synced)

    return fill


def test_a_full_disk_is_told_and_the_next_epoch_tries_again(tmp_path, disk):
    model, seen = noisy(), []

    def look(epoch, logs):
        seen.append(files(tmp_path))
        disk(epoch == 0)  # full during the second epoch alone

    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    callbacks = [TrainingCheckpoint(tmp_path), keras.callbacks.LambdaCallback(on_epoch_end=look)]
    with pytest.warns(
        UserWarning, match="checkpoint of epoch 2 could not be .*No space left.*If the training goes on, "
    ) as told:
        model.fit(points(16), epochs=3, callbacks=callbacks, **options)
    assert sum(warning.category is UserWarning and "could not" in str(warning.message) for warning in told) == 1
    assert seen == [["checkpoint.json", f"epoch-00000{epoch}.weights.h5"] for epoch in (1, 1, 3)]
    other = noisy()
    assert resume(other, tmp_path) == 3
    harness.assert_same_weights(harness.weights(model), harness.weights(other))


def test_a_write_that_failed_is_tried_again_before_its_turn(tmp_path, disk):
    disk(True)
    free = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: disk(epoch < 2))
    seen = []
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(len(files(tmp_path))))
    with pytest.warns(UserWarning, match="epoch 2 could not be written"):
        noisy().fit(points(8), epochs=4, verbose=0, callbacks=[free, TrainingCheckpoint(tmp_path, every=2), look])
    assert seen == [0, 0, 2, 2]


@pytest.mark.filterwarnings("ignore:The checkpoint of epoch 2")  # at the end of the epoch, too
def test_a_disk_that_stays_full_is_told_at_the_end(tmp_path, disk):
    fit(noisy(), tmp_path, epochs=1)
    disk(True)
    model = noisy()
    resume(model, tmp_path)
    with pytest.warns(UserWarning, match="epoch 2 could not be written .* The training has ended: what it did since"):
        fit(model, tmp_path, epochs=2, initial_epoch=1)
    assert int(harness.numpy(model.step.value)) == 8 and resume(noisy(), tmp_path) == 1


@pytest.mark.parametrize("file", ["epoch-000002.weights.h5", "checkpoint.json"])
def test_a_kill_while_writing_leaves_the_checkpoint_before(file, tmp_path, monkeypatch):
    model = noisy()
    fit(model, tmp_path, epochs=1)
    write_synced = checkpoint_folder.write_synced

    def killed(path, content):
        write_synced(path, content[: len(content) // 2] if path.name == file else content)
        if path.name == file:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint_folder, "write_synced", killed)
    with pytest.raises(KeyboardInterrupt):
        fit(model, tmp_path, epochs=2, initial_epoch=1)
    assert resume(noisy(), tmp_path) == 1


def test_the_next_checkpoint_removes_what_killed_writes_left(tmp_path):
    for name in ("epoch-000007.weights.h5", "checkpoint.json"):
        (tmp_path / f".{name}.0123abcd.partial").mkdir()
        (tmp_path / f".{name}.0123abcd.partial" / name).write_bytes(b"half")
    (tmp_path / "epoch-000007.weights.h5").write_bytes(b"whole, and its state was never written")
    fit(noisy(), tmp_path, epochs=1)
    assert files(tmp_path) == ["checkpoint.json", "epoch-000001.weights.h5"]


@pytest.mark.slow
def test_hdf5_survives_a_disk_that_was_full(tmp_path):
    """In a process of its own: where HDF5 itself wrote, a segmentation fault ended it once there was space again."""
    pytest.importorskip("resource")
    script = """
        import resource, sys, warnings
        import keras_vae
        import keras, numpy as np

        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]

        def limit(epoch, logs):
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000 if epoch < 2 else hard, hard))

        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(4000), keras.layers.Dense(2)])
        model.compile("sgd", "mse")
        x = np.ones((4, 2), "float32")
        limited = keras.callbacks.LambdaCallback(on_epoch_begin=limit)
        callbacks = [limited, keras_vae.training.TrainingCheckpoint(sys.argv[1])]
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            model.fit(x, x, epochs=4, verbose=0, callbacks=callbacks)
        print([str(warning.message).split(" to ")[0] for warning in told if "could not" in str(warning.message)])
        print(keras_vae.training.resume(model, sys.argv[1]))
    """
    said = finish(start(script, tmp_path)).splitlines()
    assert said[-2:] == [str([f"The checkpoint of epoch {epoch} could not be written" for epoch in (1, 2)]), "4"]
    assert files(tmp_path) == ["checkpoint.json", "epoch-000004.weights.h5"]


@pytest.mark.slow
@pytest.mark.skipif(harness.BACKEND != "torch", reason="the others do not survive a fork")
def test_a_run_killed_six_times_ends_as_one_that_was_not(tmp_path):
    script = """
        import os, random, signal, sys, time
        import keras_vae
        import keras, numpy as np
        from keras_vae.datasets import ImageBatches

        def train(folder, resumed):
            keras.utils.set_random_seed(0)
            encoder, decoder = keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4, 4, 1), ())
            model = keras_vae.BetaVAE(encoder, decoder, 2)
            model.build((None, 4, 4, 1))
            model.compile("adam")
            batches = ImageBatches(np.arange(192, dtype="uint8").reshape(12, 4, 4, 1), 4, mirror=True)
            keras_vae.training.fit_resumable(model, batches, 40, folder, resumed, verbose=0)
            np.savez(folder + "/end.npz", *model.get_weights(), *[v.numpy() for v in model.optimizer.variables])

        def child(*arguments):
            if not (pid := os.fork()):
                train(*arguments)
                os._exit(0)
            return pid

        keras.utils.set_random_seed(0)  # imports much: once, before the forks
        draw, kills, begin = random.Random(0), 0, time.monotonic()
        os.waitpid(child(sys.argv[1], False), 0)
        whole = time.monotonic() - begin
        for i in range(6):
            pid = child(sys.argv[2], i > 0)
            time.sleep(draw.uniform(0.02, whole / 6))
            os.kill(pid, signal.SIGKILL)
            kills += os.waitpid(pid, 0)[1] == signal.SIGKILL
        os.waitpid(child(sys.argv[2], True), 0)
        print(kills)
    """
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    assert finish(start(script, tmp_path / "whole", tmp_path / "killed")).split()[-1] == "6"
    assert files(tmp_path / "killed") == ["checkpoint.json", "end.npz", "epoch-000040.weights.h5"]
    whole, killed = (np.load(tmp_path / name / "end.npz") for name in ("whole", "killed"))
    assert len(whole.files) > 10 and whole.files == killed.files
    for name in whole.files:
        np.testing.assert_array_equal(whole[name], killed[name])
