"""What a prior is trained on: encoded once, from arrays and streams, in memory and in files."""

import json
import pathlib

import keras
import numpy as np
import pytest
from variants import CausalPrior, trained_code_vqvae

import harness
import keras_vae
from keras_vae.datasets import ArrayBatches, ImageBatches
from keras_vae.models import encoded_latents as room
from keras_vae.models.encoded_latents import encoded_latents

X = harness.images(40)
LABELS = np.arange(40, dtype="int32") % 2


@pytest.fixture(scope="module")
def vqvae():
    return trained_code_vqvae(X, epochs=2, batch_size=8)


@pytest.fixture(scope="module")
def model(vqvae):
    return vqvae.with_prior(CausalPrior(8))


@pytest.fixture
def encodings(model, monkeypatch):
    """How many examples each call of `encode` had."""
    sizes, encode = [], model.encode
    monkeypatch.setattr(model, "encode", lambda x, *a, **k: (sizes.append(len(x)), encode(x, *a, **k))[1])
    return sizes


class Loader:
    """What has a length and can be read again: batches of inputs and targets, as of a DataLoader."""

    def __init__(self, x, size=16):
        self.x, self.size = x, size

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __iter__(self):
        return ((self.x[i : i + self.size], LABELS[i : i + self.size]) for i in range(0, len(self.x), self.size))


def latents(*args, **options):
    with encoded_latents(*args, verbose=0, **options) as found:
        return np.array(found)


@pytest.mark.parametrize("stream", [lambda: X, lambda: Loader(X), lambda: ArrayBatches(X, 16, shuffle=False)])
def test_arrays_and_streams_give_what_encode_gives(model, monkeypatch, stream):
    monkeypatch.setattr(room, "BATCH", 16)
    np.testing.assert_array_equal(latents(model, stream()), model.encode(X))


def test_a_shuffled_stream_gives_the_epoch_that_it_is_in_and_stays_there(model):
    stream, same = (ImageBatches(X, 16, seed=3, mirror=True, initial_epoch=5) for _ in range(2))
    expected = np.concatenate([model.encode(same[i]) for i in range(3)])
    np.testing.assert_array_equal(latents(model, stream), expected)
    assert stream.epoch == 5
    np.testing.assert_array_equal(stream[0], same[0])


def test_draws_of_a_posterior_depend_on_the_seed():
    vae = keras_vae.VAE(keras_vae.MLPEncoder((4,)), keras_vae.MLPDecoder((8, 8, 1), ()), latent_dim=2)
    vae.build((None, 8, 8, 1))
    one, again, other = (latents(vae, Loader(X), seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    noise = one - vae.encode(X, output="mean")
    assert len(np.unique(noise)) == noise.size and np.abs(one - other).min() > 0


@pytest.mark.parametrize("in_folder", [True, False])
def test_what_is_larger_than_the_limit_is_read_from_a_file(model, monkeypatch, tmp_path, in_folder):
    monkeypatch.setattr(room, "MEMORY_LIMIT", 100)
    folder = tmp_path / "latents" if in_folder else None
    with encoded_latents(model, Loader(X), folder=folder, verbose=0) as found:
        assert isinstance(found, np.memmap)
        place = pathlib.Path(found.filename).parent
        np.testing.assert_array_equal(found, model.encode(X))
        np.testing.assert_array_equal(np.load(place / "0.npy"), model.encode(X))
    assert place.exists() == in_folder
    monkeypatch.setattr(room, "MEMORY_LIMIT", 10_000)
    with encoded_latents(model, Loader(X), folder=folder, verbose=0) as found:
        assert not isinstance(found, np.memmap)
        np.testing.assert_array_equal(found, model.encode(X))


def test_a_folder_is_read_again_where_data_and_encoder_are_the_same(model, tmp_path, encodings):
    folder, expected = tmp_path / "latents", model.encode(X)
    encodings.clear()

    def work(data, **options):
        encodings.clear()
        found = latents(model, data, folder=folder, **options)
        return found, sum(encodings)

    np.testing.assert_array_equal(work(Loader(X))[0], expected)
    assert encodings == [16, 16, 16, 8]  # the first to tell whether they are there, then all
    found, encoded = work(Loader(X))
    np.testing.assert_array_equal(found, expected)
    assert encoded == 16  # the first batch tells
    assert work(ImageBatches(X, 16))[1] == work(ImageBatches(X[::-1], 16))[1] == 16 + 40
    changed = X.copy()
    changed[-1] = 0.0
    assert (work(X)[1], work(X)[1], work(changed)[1], work(changed, seed=1)[1]) == (80, 40, 80, 80)  # one batch each


def test_a_stream_of_another_order_each_time_gives_each_example_once(model):
    class Shuffling(Loader):
        draws = np.random.default_rng(0)

        def __iter__(self):
            rows = self.draws.permutation(len(X))
            yield from (X[rows[start : start + 16]] for start in range(0, len(X), 16))

    found = latents(model, Shuffling(X))
    np.testing.assert_array_equal(np.sort(found.reshape(len(X), -1), axis=0), np.sort(model.encode(X), axis=0))


def test_other_weights_encode_again(vqvae, tmp_path):
    model = vqvae.with_prior(CausalPrior(8))
    latents(model, Loader(X), folder=tmp_path / "latents")
    stored = json.loads((tmp_path / "latents" / room.IDENTITY).read_text())
    kernel = model.encoder.layers[1].kernel
    before = harness.numpy(kernel.value).copy()
    try:
        kernel.assign(-before)
        np.testing.assert_array_equal(latents(model, Loader(X), folder=tmp_path / "latents"), model.encode(X))
        assert json.loads((tmp_path / "latents" / room.IDENTITY).read_text())["weights"] != stored["weights"]
    finally:
        kernel.assign(before)


def test_an_encoding_that_is_cut_short_leaves_nothing(model, tmp_path):
    class Broken(Loader):
        def __iter__(self):
            yield from list(super().__iter__())[:2]
            raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        latents(model, Broken(X), folder=tmp_path / "latents")
    assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(latents(model, Loader(X), folder=tmp_path / "latents"), model.encode(X))


def test_a_prior_learns_the_same_of_all_of_them(vqvae, tmp_path, monkeypatch):
    def rates(data, held, **options):
        keras.utils.set_random_seed(3)
        model = vqvae.with_prior(CausalPrior(8))
        history = model.fit_prior(data, epochs=2, batch_size=8, validation_data=held, verbose=0, **options).history
        return [*history["rate"], *history["val_rate"]]

    expected = rates(X[:32], X[32:])
    assert expected[1] < expected[0]
    stream = ArrayBatches(X[:32], 12, shuffle=False)
    np.testing.assert_allclose(rates(stream, Loader(X[32:])), expected, rtol=1e-5)
    monkeypatch.setattr(room, "MEMORY_LIMIT", 100)
    np.testing.assert_allclose(rates(stream, Loader(X[32:])), expected, rtol=1e-5)
    np.testing.assert_allclose(rates(stream, Loader(X[32:]), folder=tmp_path), expected, rtol=1e-5)
    assert (tmp_path / "latents" / "0.npy").exists() and (tmp_path / "held_out_latents" / "0.npy").exists()


def test_a_resumed_training_reads_its_latents(vqvae, tmp_path, monkeypatch):
    model, encode, sizes = vqvae.with_prior(CausalPrior(8)), type(vqvae).encode, []
    counting = lambda self, x, *a, **k: (sizes.append(len(x)), encode(self, x, *a, **k))[1]  # noqa: E731
    monkeypatch.setattr(type(vqvae), "encode", counting)
    model.fit_prior(Loader(X), epochs=1, folder=tmp_path, verbose=0)
    assert sum(sizes) == 16 + 40
    history = vqvae.with_prior(CausalPrior(8)).fit_prior(Loader(X), epochs=3, folder=tmp_path, verbose=0)
    assert history.epoch == [1, 2] and sum(sizes) == 16 + 40 + 16


def test_a_conditional_prior_takes_its_condition_from_the_stream(vqvae):
    model = vqvae.with_prior(CausalPrior(8, condition=keras_vae.ClassCondition(2)))
    stream = ImageBatches(X, 16, condition=LABELS, seed=1)
    with encoded_latents(model, stream, verbose=0) as found:
        order = np.concatenate([stream[i]["condition"] for i in range(3)])
        np.testing.assert_array_equal(found["condition"], order)
        np.testing.assert_array_equal(found["x"], np.concatenate([model.encode(stream[i]) for i in range(3)]))
    model.fit_prior(stream, epochs=1, verbose=0)
    assert int(model.prior.step.value) == 1
    harness.check_refuses(
        lambda: model.fit_prior(stream, condition=LABELS, verbose=0), "`condition` must be in the batches of a stream"
    )


def test_a_bar_counts_the_batches(model, monkeypatch):
    class Bar:
        def __init__(self, total, unit):
            self.told = [(total, unit)]
            bars.append(self)

        def at(self, done):
            self.told.append(done)

    bars = []
    monkeypatch.setattr(room, "Progress", Bar)
    with encoded_latents(model, Loader(X)):
        assert bars[0].told == [(3, "batch"), 1, 2, 3]
    latents(model, Loader(X))
    assert len(bars) == 1


def test_refusals(model):
    harness.check_refuses(lambda: model.fit_prior(iter([X])), "must be an array, or a stream of batches", TypeError)
    harness.check_refuses(lambda: model.fit_prior(Loader(X[:0])), "must hold at least one batch")
    harness.check_refuses(lambda: model.fit_prior(Loader(X[:, :4])), r"`x` must have shape \(batch, 8, 8, 1\)")
    harness.check_refuses(lambda: model.fit_prior([X]), "`x` must be one array, or a stream of batches", TypeError)
