"""The first PixelCNN sees what its masks reach, and has the blind spot that the gated one mends."""

import numpy as np

import harness
import keras_vae

SIZE, DEPTH = 9, 2
PLACE = (6, 4)


def seen(net):
    """The positions that the features at PLACE depend on, by derivatives: bool (SIZE, SIZE)."""
    net.build((None, SIZE, SIZE, 1))
    harness.set_weights(net, seed=1)
    x = np.random.default_rng(0).normal(size=(SIZE, SIZE, 1)).astype("float32")
    found = harness.derivatives(net, x, np.eye(x.size).reshape(-1, *x.shape))
    return (found[:, *PLACE] != 0).any(axis=-1).reshape(SIZE, SIZE)


def test_it_sees_what_its_masks_reach_and_no_more():
    found = seen(keras_vae.PlainPixelCNN(6, depth=DEPTH, stem_size=3))
    places = {PLACE}
    for first in (False,) * DEPTH + (True,):  # back from the features to the data
        steps = [(-1, -1), (-1, 0), (-1, 1), (0, -1)] + [(0, 0)] * (not first)
        places = {(i + a, j + b) for i, j in places for a, b in steps}
    expected = np.zeros_like(found)
    expected[tuple(np.transpose([place for place in places if max(place) < SIZE]))] = True
    np.testing.assert_array_equal(found, expected)


def test_its_blind_spot_is_what_the_gated_one_mends():
    plain = seen(keras_vae.PlainPixelCNN(6, depth=DEPTH, stem_size=3))
    gated = seen(keras_vae.PixelCNN(6, depth=DEPTH, stem_size=3))
    (i, j), reach = PLACE, DEPTH + 1
    above = np.zeros_like(plain)
    above[i - reach : i, j - reach : j + reach + 1] = True
    above[i, j - reach : j] = True
    np.testing.assert_array_equal(gated, above)
    assert not (plain & ~gated).any()
    blind = {(int(a) - i, int(b) - j) for a, b in np.argwhere(gated & ~plain)}
    assert blind == {(-1, 2), (-1, 3), (-2, 3)}
