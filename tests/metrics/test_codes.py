"""Perplexity and usage of codes belong to the union of all batches, also when updated inside a compiled loss."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
from keras_vae.metrics import CodebookUsage, CodeHistogram, Perplexity


def reference_perplexity(indices, size, weights=None):
    p = np.bincount(np.ravel(indices), weights=None if weights is None else np.ravel(weights), minlength=size)
    p = p[p > 0] / p.sum()
    return np.exp(-(p * np.log(p)).sum())


def test_by_hand():
    metric = Perplexity(5)
    metric.update_state([0, 0, 1, 2])  # H = 0.5 ln 2 + 2 * 0.25 ln 4 = 1.5 ln 2
    assert float(metric.result()) == pytest.approx(2**1.5, rel=1e-6)
    usage = CodebookUsage(5)
    usage.update_state([0, 0, 1, 2])
    assert float(usage.result()) == pytest.approx(0.6)


def test_of_several_codebooks_each_is_counted_for_itself():
    indices = np.array([[[0, 3], [1, 3]], [[0, 3], [1, 3]]])  # two codes of the first evenly, one of the second
    metric, usage = Perplexity(4, codebooks=2), CodebookUsage(4, codebooks=2)
    for m in (metric, usage):
        m.update_state(indices)
    np.testing.assert_array_equal(ops.convert_to_numpy(metric.counts), [2, 2, 0, 0, 0, 0, 0, 4])
    assert float(metric.result()) == pytest.approx(2**0.5, rel=1e-6)  # the mean of the entropies ln 2 and 0
    assert float(usage.result()) == pytest.approx(3 / 8)
    metric.update_state(np.array([[[2, 0]], [[2, 0]]]), np.array([3.0, 1.0]))
    np.testing.assert_array_equal(ops.convert_to_numpy(metric.counts), [2, 2, 4, 0, 4, 0, 0, 4])
    assert float(metric.result()) == pytest.approx(2 ** (0.5 * (1.5 + 1.0)), rel=1e-6)


def test_extremes():
    metric, usage = Perplexity(64), CodebookUsage(64)
    assert float(metric.result()) == 1.0 and float(usage.result()) == 0.0  # nothing seen
    for m in (metric, usage):
        m.update_state(np.full((3, 2, 2), 7))
    assert float(metric.result()) == pytest.approx(1.0, abs=1e-6) and float(usage.result()) == 1 / 64
    for m in (metric, usage):
        m.reset_state()
        m.update_state(np.arange(64).reshape(4, 4, 4))
    assert float(metric.result()) == pytest.approx(64.0, rel=1e-5) and float(usage.result()) == 1.0


def test_over_batches_it_is_that_of_the_union_not_the_mean():
    rng = np.random.default_rng(0)
    batches = [rng.integers(low, low + 8, (3, 4, 4)) for low in (0, 8, 4)]
    metric, usage = Perplexity(32), CodebookUsage(32)
    for batch in batches:
        metric.update_state(batch)
        usage.update_state(batch)
    union = np.concatenate(batches)
    expected = reference_perplexity(union, 32)
    assert float(metric.result()) == pytest.approx(expected, rel=1e-5)
    assert expected > 1.5 * np.mean([reference_perplexity(b, 32) for b in batches])
    assert float(usage.result()) == len(np.unique(union)) / 32


def test_counts_are_exact():
    indices = np.random.default_rng(1).integers(0, 1000, (8, 32, 32))
    metric = Perplexity(1000)
    metric.update_state(indices.astype("int32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(metric.counts), np.bincount(indices.ravel(), minlength=1000))


@pytest.mark.parametrize("compiled", [False, True])
def test_counts_go_on_beyond_two_to_the_power_of_24(compiled):
    metric = Perplexity(2)
    metric.counts.assign([2.0**24, 0.0])
    update = metric.update_state
    if compiled and harness.BACKEND == "tensorflow":
        import tensorflow as tf

        update = tf.function(metric.update_state, jit_compile=True)
    for _ in range(10):
        update(np.array([0], "int32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(metric.counts), [2.0**24 + 10, 0])


def test_sample_weight_counts_all_codes_of_an_example():
    rng = np.random.default_rng(2)
    indices, weight = rng.integers(0, 16, (5, 3, 3)), np.array([1.0, 0.0, 2.0, 0.5, 1.0], "float32")
    metric, usage = Perplexity(16), CodebookUsage(16)
    for w in (weight, weight[:, None]):
        metric.reset_state()
        metric.update_state(indices, sample_weight=w)
        spread = np.broadcast_to(weight[:, None, None], indices.shape)
        assert float(metric.result()) == pytest.approx(reference_perplexity(indices, 16, spread), rel=1e-5)
    usage.update_state([[0, 1], [2, 3]], sample_weight=[1.0, 0.0])
    assert float(usage.result()) == 2 / 16


@keras.saving.register_keras_serializable("tests")
class Nearest(keras.Model):
    """The nearest of five places on a line, with metrics updated inside compute_loss, as the library's models do."""

    def __init__(self):
        super().__init__()
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.perplexity, self.usage = Perplexity(5), CodebookUsage(5)

    def call(self, x):
        return {"z": ops.multiply(x, self.scale), "indices": ops.cast(ops.round(x), "int32")}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        self.perplexity.update_state(y_pred["indices"])
        self.usage.update_state(y_pred["indices"])
        return ops.mean(ops.square(y_pred["z"] - ops.convert_to_tensor(x)))

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return self.get_metrics_result()


@pytest.mark.parametrize("jit_compile", ["auto", False])
def test_inside_a_compiled_loss(jit_compile):
    x = np.array([[0, 0], [0, 1], [1, 1], [3, 3], [3, 3]], "float32")
    model = Nearest()
    model.compile("sgd", jit_compile=jit_compile)
    history = model.fit(x, batch_size=2, epochs=2, verbose=0, validation_data=(x[:3],)).history
    expected = reference_perplexity(x.astype(int), 5)
    np.testing.assert_allclose(history["perplexity"], [expected, expected], rtol=1e-5)  # reset between the epochs
    np.testing.assert_allclose(history["codebook_usage"], [0.6, 0.6], rtol=1e-6)
    np.testing.assert_allclose(history["val_perplexity"], [2.0, 2.0], rtol=1e-5)
    np.testing.assert_allclose(history["val_codebook_usage"], [0.4, 0.4], rtol=1e-6)


@pytest.mark.parametrize("cls", [Perplexity, CodebookUsage])
def test_configuration(cls):
    metric = cls(7, name="other")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(again) is cls and again.get_config() == metric.get_config()
    assert again.codebook_size == 7 and again.name == "other" and tuple(again.counts.shape) == (7,)
    with pytest.raises(ValueError, match="`codebook_size` must be an integer >= 1"):
        cls(0)


def test_the_base_has_no_result():
    with pytest.raises(NotImplementedError):
        CodeHistogram(3).result()
