"""The encoder of several levels: one level is a VQEncoder, and a coarse level is made of the finer one."""

import numpy as np
import pytest

import harness
from keras_vae.nets import HierarchicalEncoder, VQEncoder

SMALL = {"embedding_dim": 3, "hidden": 6, "residual_hidden": 2, "depth": 1}


@pytest.mark.parametrize("sizes", [(16,), (8, 12), (4, 8, 4)], ids=str)
def test_one_level_is_a_vq_encoder(sizes):
    x = np.random.default_rng(0).normal(size=(2, *sizes, 2)).astype("float32")
    plain, levels = VQEncoder(levels=2, **SMALL), HierarchicalEncoder({"codes": 2}, **SMALL)
    plain.build(x.shape), levels.build(x.shape)
    harness.set_weights(plain, seed=1)
    levels.set_weights(plain.get_weights())
    np.testing.assert_array_equal(harness.numpy(levels(x)["codes"]), harness.numpy(plain(x)))


def test_the_finest_level_is_that_encoder_and_the_next_goes_on_from_its_trunk():
    x = np.random.default_rng(0).normal(size=(2, 16, 24, 2)).astype("float32")
    encoder = HierarchicalEncoder({"top": 3, "bottom": 1}, **SMALL)
    shapes = encoder.compute_output_shape(x.shape)
    encoder.build(x.shape)
    harness.set_weights(encoder, seed=1)
    features = harness.numpy(encoder(x))
    assert {name: h.shape for name, h in features.items()} == shapes == {"top": (2, 2, 3, 3), "bottom": (2, 8, 12, 3)}
    below = encoder.trunks["bottom"](x)
    np.testing.assert_array_equal(features["bottom"], harness.numpy(encoder.heads["bottom"](below)))
    top = encoder.heads["top"](encoder.trunks["top"](below))
    np.testing.assert_array_equal(features["top"], harness.numpy(top))
    assert [part.filters for part in encoder.trunks["top"].parts[:2]] == [6, 6]  # two halvings more, at full width


def test_refusals():
    for levels in ({}, 2, [2, 1]):
        harness.check_refuses(
            lambda levels=levels: HierarchicalEncoder(levels), "`levels` must be a dict of halvings by level", TypeError
        )
    harness.check_refuses(lambda: HierarchicalEncoder({"top": -1}), r"`levels\['top'\]` must be an integer >= 0")
    for top in (1, 2):
        harness.check_refuses(
            lambda top=top: HierarchicalEncoder({"top": top, "bottom": 2}), "must go from coarse to fine"
        )
    for name in ("embedding_dim", "hidden", "residual_hidden"):
        harness.check_refuses(lambda name=name: HierarchicalEncoder(**{name: 0}), f"`{name}` must be an integer >= 1")
    harness.check_refuses(lambda: HierarchicalEncoder(depth=-1), "`depth` must be an integer >= 0")
    harness.check_refuses(lambda: HierarchicalEncoder().build((None, 12, 16, 1)), "total stride 8. Received: 12 x 16")
    harness.check_refuses(lambda: HierarchicalEncoder().build((None, 8)), "of one, two or three sizes")
