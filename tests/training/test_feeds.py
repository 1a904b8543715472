"""Whatever the data comes in as, the same batches give the same training."""

import importlib

import keras
import numpy as np
import pytest

import harness
from toys import line, points

BATCH, COUNT = 4, 16


class Batches(keras.utils.PyDataset):
    def __init__(self, *arrays, **kwargs):
        super().__init__(**kwargs)
        self.arrays = arrays

    def __len__(self):
        return len(self.arrays[0]) // BATCH

    def __getitem__(self, index):
        batch = tuple(a[index * BATCH : (index + 1) * BATCH] for a in self.arrays)
        return batch if len(batch) > 1 else batch[0]


def pydataset(*arrays):
    return Batches(*arrays)


def generator(*arrays):
    source = Batches(*arrays)
    return (source[i] for i in range(len(source)))


def tf_data(*arrays):
    tensorflow = importlib.import_module("tensorflow")
    return tensorflow.data.Dataset.from_tensor_slices(arrays if len(arrays) > 1 else arrays[0]).batch(BATCH)


def loader(*arrays):
    torch = importlib.import_module("torch")
    items = list(zip(*arrays, strict=True)) if len(arrays) > 1 else arrays[0]
    return torch.utils.data.DataLoader(items, batch_size=BATCH)


def grain_map(*arrays):
    grain = importlib.import_module("grain")
    items = list(zip(*arrays, strict=True)) if len(arrays) > 1 else list(arrays[0])
    return grain.MapDataset.source(items).batch(BATCH)


def grain_iterator(*arrays):
    return grain_map(*arrays).to_iter_dataset()


def beside(backend):
    """A mark for feeds of one framework into a model on another: the environment with all three tests them."""
    return [] if harness.BACKEND == backend else [pytest.mark.cross_backend]


FEEDS = [
    pytest.param(pydataset, id="pydataset"),
    pytest.param(generator, id="generator"),
    pytest.param(tf_data, id="tf.data", marks=beside("tensorflow")),
    pytest.param(loader, id="torch.DataLoader", marks=beside("torch")),
    pytest.param(grain_map, id="grain.MapDataset", marks=harness.needs("grain")),
    pytest.param(grain_iterator, id="grain.IterDataset", marks=harness.needs("grain")),
]


def trained(feed, **kwargs):
    model = line()
    history = model.fit(feed, shuffle=False, verbose=0, **kwargs).history
    return harness.numpy(model.dense.kernel.value), history


@pytest.mark.parametrize("feed", FEEDS)
def test_inputs_without_targets(feed):
    x = points(COUNT)
    expected, logs = trained(x, batch_size=BATCH)
    kernel, history = trained(feed(x))
    np.testing.assert_allclose(kernel, expected, rtol=1e-6)
    assert history["loss"] == pytest.approx(logs["loss"], rel=1e-5)


@pytest.mark.parametrize("feed", FEEDS)
def test_inputs_with_targets(feed):
    x, y = points(COUNT), 3 * points(COUNT)
    expected, _ = trained(x, y=y, batch_size=BATCH)
    np.testing.assert_allclose(trained(feed(x, y))[0], expected, rtol=1e-6)


@pytest.mark.parametrize("feed", FEEDS)
def test_inputs_with_targets_and_weights(feed):
    x, weight = points(COUNT), np.linspace(0, 2, COUNT, dtype="float32")
    expected, _ = trained(x, y=x, sample_weight=weight, batch_size=BATCH)
    np.testing.assert_allclose(trained(feed(x, x, weight))[0], expected, rtol=1e-6)


@pytest.mark.parametrize("feed", FEEDS)
def test_validation(feed):
    x = points(COUNT)
    _, logs = trained(x, validation_data=(x, x), batch_size=BATCH)
    _, history = trained(x, validation_data=feed(x), batch_size=BATCH)
    assert history["val_loss"] == pytest.approx(logs["val_loss"], rel=1e-5)


@pytest.mark.parametrize("feed", FEEDS)
def test_evaluation(feed):
    x = points(COUNT)
    expected = line().evaluate(x, batch_size=BATCH, verbose=0, return_dict=True)
    assert line().evaluate(feed(x), verbose=0, return_dict=True) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("feed", [np.asarray, pydataset], ids=["array", "pydataset"])
def test_training_is_that_of_keras(feed):
    x = points(COUNT)
    ours, theirs = line(), line()
    options = {"epochs": 3, "verbose": 0, "validation_data": (x[:6], 2 * x[:6])}
    if feed is np.asarray:
        options |= {"batch_size": BATCH, "validation_batch_size": 3}
    for model, fit in ((ours, ours.fit), (theirs, lambda *given, **more: keras.Model.fit(theirs, *given, **more))):
        keras.utils.set_random_seed(1)  # Keras shuffles
        history = fit(feed(x), **options).history
        model.logged = {name: history[name] for name in ("loss", "val_loss")}
    assert ours.logged == theirs.logged
    np.testing.assert_array_equal(harness.numpy(ours.dense.kernel.value), harness.numpy(theirs.dense.kernel.value))


@pytest.mark.skipif(harness.BACKEND != "tensorflow", reason="tf.data feeds TensorFlow alone")
def test_no_thread_tunes_the_pipelines_of_tensorflow(monkeypatch):
    from keras_vae.training import feeding

    found, fed = [], feeding.fed
    monkeypatch.setattr(feeding, "fed", lambda *given, **options: found.append(fed(*given, **options)) or found[-1])
    x, model = points(COUNT), line()
    model.fit(pydataset(x), validation_data=(x, x), verbose=0)
    model.evaluate(x, verbose=0)
    model.predict(x, verbose=0)
    assert len(found) == 4
    for adapter, y, weight in found:
        assert adapter.get_tf_dataset().options().autotune.enabled is False
        assert (y, weight) == (None, None)
    own = tf_data(x)
    assert fed(own)[0] is own  # the user's own is tuned as the user says
