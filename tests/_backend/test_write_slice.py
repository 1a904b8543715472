"""A slice written by a sampler: as `keras.ops.slice_update`, and on torch without a copy of the rest."""

import keras
import numpy as np
from keras import ops

import harness
from keras_vae import _backend


def test_it_writes_what_slice_update_does():
    x, update = (np.random.default_rng(s).normal(size=shape) for s, shape in ((0, (2, 5, 3)), (1, (2, 1, 3))))
    values, update = ops.convert_to_tensor(x.astype("float32")), ops.convert_to_tensor(update.astype("float32"))
    expected = harness.numpy(ops.slice_update(values, (0, 3, 0), update))
    written = _backend.write_slice(values, (0, 3, 0), update)
    np.testing.assert_array_equal(harness.numpy(written), expected)
    assert (written is values) == (keras.backend.backend() == "torch")
