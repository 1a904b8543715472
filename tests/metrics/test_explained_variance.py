"""Explained variance at the edges of float32: tiny scales, constants, very long epochs."""

import numpy as np
import pytest

import harness
from keras_vae.metrics import ExplainedVariance


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_scale_of_the_data_does_not_matter(scale):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    guess = x + 0.5 * rng.normal(size=x.shape)
    metric = ExplainedVariance()
    for part in np.split(np.arange(40), 4):
        metric.update_state((scale * x[part]).astype("float32"), (scale * guess[part]).astype("float32"))
    expected = 1 - np.square(x - guess).sum() / np.square(x - x.mean(axis=0)).sum()
    assert float(metric.result()) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("value", [0.1, 1e-8, 12345.678])
def test_where_nothing_varies_it_is_zero(value):
    metric = ExplainedVariance()
    for _ in range(5):
        metric.update_state(np.full((7, 3), value, "float32"), np.zeros((7, 3), "float32"))
    assert float(metric.result()) == 0.0


def test_an_epoch_of_more_than_two_to_the_power_of_24_examples_goes_on_counting():
    metric = ExplainedVariance()
    x = np.array([[0.0], [2.0]], "float32")
    metric.update_state(x, x, sample_weight=np.full(2, 2.0**23, "float32"))
    for _ in range(4):
        metric.update_state(x[:1], x[1:])  # one more example at 0, reconstructed as 2
    error, count, squares = (float(harness.numpy(metric.sums[n][0].value)) for n in ("error", "count", "squares"))
    assert (error, count, squares) == (16.0, 2.0**24 + 4, 2.0**24 + 4)
