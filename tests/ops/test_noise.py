"""Noise from its specification: the same on every backend, row by row, and of the kind that was asked for."""

import keras
import numpy as np
import pytest

import harness
from keras_vae.ops import Noise, draw_noise, noise_from_seeds, noise_of


def test_one_kind_is_what_numpy_draws():
    drawn = draw_noise(Noise("normal", (3, 2)), np.random.default_rng(5), (4,))
    np.testing.assert_array_equal(drawn, np.random.default_rng(5).standard_normal((4, 3, 2), dtype="float32"))


def test_a_nest_is_drawn_in_the_order_of_its_names():
    spec = {"z": Noise("normal", (2,)), "a": (Noise("uniform", ()), Noise("uniform", (3,)))}
    drawn, rng = draw_noise(spec, np.random.default_rng(5), (4,)), np.random.default_rng(5)
    np.testing.assert_array_equal(drawn["a"][0], rng.random((4,), dtype="float32"))
    np.testing.assert_array_equal(drawn["a"][1], rng.random((4, 3), dtype="float32"))
    np.testing.assert_array_equal(drawn["z"], rng.standard_normal((4, 2), dtype="float32"))


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="torch serves through TensorFlow")
def test_rows_from_seeds_do_not_depend_on_their_batch():
    spec = {"k": Noise("uniform", (500,)), "z": Noise("normal", (500,))}
    seeds = np.array([7, -1, 7, 2**31 - 1], "int32")
    drawn = harness.numpy(noise_from_seeds(spec, keras.ops.convert_to_tensor(seeds)))
    alone = harness.numpy(noise_from_seeds(spec, keras.ops.convert_to_tensor(seeds[1:2])))
    for name in spec:
        np.testing.assert_array_equal(drawn[name][0], drawn[name][2])
        np.testing.assert_array_equal(drawn[name][1], alone[name][0])
        assert np.abs(drawn[name][0] - drawn[name][1]).max() > 0.1
    assert 0 <= drawn["k"].min() < drawn["k"].max() < 1 and drawn["k"][0].mean() == pytest.approx(0.5, abs=0.06)
    assert drawn["z"][0].mean() == pytest.approx(0, abs=0.2) and drawn["z"][0].std() == pytest.approx(1, abs=0.15)
    # Two draws of one seed are independent: equal streams would be a function of each other.
    assert abs(np.corrcoef(drawn["k"][0], drawn["z"][0])[0, 1]) < 0.2


def test_nothing_random_is_none():
    assert noise_of(None, (2,)) is None
    assert draw_noise(None, np.random.default_rng(0), (2,)) is None
    assert noise_from_seeds(None, None) is None
    assert draw_noise((Noise("normal", ()), None), np.random.default_rng(0), (2,))[1] is None
    assert noise_of("normal", {"top": (2,)}) == {"top": Noise("normal", (2,))}


def test_another_kind_is_refused():
    harness.check_refuses(lambda: Noise("cauchy", (2,)), "`kind` must be one of 'normal', 'uniform'")
