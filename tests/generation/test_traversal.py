"""Traversals of a latent that is known by hand."""

import numpy as np
import pytest
from fakes import FakeCodes, FakeModel

from keras_vae.generation import latent_traversal, most_active_dimensions


def test_traversal_moves_one_dimension_and_keeps_the_others():
    start = np.array([0.1, 0.2, 0.3], "float32")
    rows = latent_traversal(FakeModel(), start.reshape(1, 3, 1), dims=[2, 0], span=2.0, steps=5)
    assert rows.shape == (2, 5, 1, 3, 1)
    np.testing.assert_allclose(rows[0, :, 0, :, 0], [[0.1, 0.2, v] for v in (-2, -1, 0, 1, 2)], atol=1e-6)
    np.testing.assert_allclose(rows[1, :, 0, :, 0], [[v, 0.2, 0.3] for v in (-2, -1, 0, 1, 2)], atol=1e-6)
    everything = latent_traversal(FakeModel(), start.reshape(1, 3, 1))
    assert everything.shape == (3, 11, 1, 3, 1) and everything.max() == 3.0


def test_most_active_dimensions_come_first():
    x = np.random.default_rng(0).normal(size=(50, 1, 3, 1)) * np.array([1.0, 3.0, 0.1])[:, None]
    assert most_active_dimensions(FakeModel(), x).tolist() == [1, 0, 2]
    assert most_active_dimensions(FakeModel(), x, count=1).tolist() == [1]


@pytest.mark.parametrize(
    "kwargs, message",
    [
        ({"x0": np.zeros((3, 1, 1))}, r"`x0` must be one image of shape \(1, 3, 1\)"),
        ({"dims": [3]}, "`dims` must be integers from 0 to 2"),
        ({"dims": [-1]}, "`dims` must be integers from 0 to 2"),
        ({"dims": [0.5]}, "`dims` must be integers from 0 to 2"),
        ({"dims": []}, "`dims` must be integers from 0 to 2"),
        ({"steps": 1}, "`steps` must be an integer >= 2"),
        ({"span": 0}, "`span` must be a finite number > 0"),
    ],
)
def test_traversal_checks_its_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        latent_traversal(FakeModel(), **{"x0": np.zeros((1, 3, 1)), **kwargs})


def test_codes_have_no_traversal():
    with pytest.raises(ValueError, match="`model` must have a continuous latent to traverse. Received: FakeCodes"):
        latent_traversal(FakeCodes(), np.zeros((1, 3, 1)))
