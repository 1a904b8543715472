"""Names that have moved are found for one release more, with a warning that says where they are."""

import pytest

import keras_vae
from keras_vae import callbacks, core, generation, losses, ops, reports, runs


@pytest.mark.parametrize(
    "old, name, now",
    [
        (ops, "export", core.registered),
        (ops, "REGISTRY", core.REGISTRY),
        (ops, "Configured", core.Configured),
        (ops, "require", core.require),
        (ops, "squared_jacobian", losses.squared_jacobian),
        (reports, "RunFolder", runs.RunFolder),
        (reports, "recipe_arguments", runs.recipe_arguments),
        (callbacks, "latent_traversal", generation.latent_traversal),
        (callbacks, "most_active_dimensions", generation.most_active_dimensions),
    ],
)
def test_an_old_name_is_the_new_one(old, name, now):
    with pytest.warns(DeprecationWarning, match=f"{old.__name__}.{name}` is `keras_vae"):
        assert getattr(old, name) is now


def test_a_name_that_never_was_is_no_attribute():
    assert not hasattr(keras_vae.ops, "nothing_of_that_name")
