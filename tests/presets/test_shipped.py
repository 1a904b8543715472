"""The presets that come with the library: whole, small, documented, and able to do what their cards say."""

import numpy as np
import pytest

from harness import condition_for, images, numpy
from keras_vae import list_pretrained, load_pretrained
from keras_vae.presets import layout, pretrained_metadata

NAMES = layout.shipped_names()
NETWORKS = [name for name in NAMES if pretrained_metadata(name)["model"] == "Classifier"]
PRIORS = [name for name in NAMES if pretrained_metadata(name)["model"].endswith("Prior")]
MEGABYTE = 2**20

pytestmark = pytest.mark.skipif(not NAMES, reason=f"no preset in {layout.shipped_folder()}")


def test_all_together_stay_small():
    sizes = {name: sum(p.stat().st_size for p in (layout.shipped_folder() / name).iterdir()) for name in NAMES}
    assert max(sizes.values()) <= 12 * MEGABYTE, sizes
    assert sum(sizes.values()) <= 85 * MEGABYTE, sizes
    assert all(summary["bytes"] <= 12 * MEGABYTE for summary in list_pretrained().values())


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_complete(name):
    folder = layout.shipped_folder() / name
    expected = {layout.CONFIG, layout.WEIGHTS, layout.METADATA, layout.CARD, layout.PREVIEW}
    assert {path.name for path in folder.iterdir()} == expected
    assert (folder / layout.PREVIEW).read_bytes().startswith(b"\x89PNG")
    metadata = pretrained_metadata(name)
    assert metadata["name"] == name
    for key in ("recipe", "dataset", "licence"):
        assert metadata[key] and metadata[key] in (folder / layout.CARD).read_text()
    assert metadata["metrics"], "a shipped preset says what was measured"


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_model_that_its_metadata_tell_of(name):
    model, metadata = load_pretrained(name), pretrained_metadata(name)
    assert list(model.data_shape) == metadata["data_shape"]
    assert model.count_params() == metadata["parameter_count"]


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NETWORKS + PRIORS])
def test_an_autoencoder_reconstructs(name):
    model = load_pretrained(name)
    height, _, channels = model.data_shape
    x = np.round(images(2, height, channels)) if model.likelihood.whole else images(2, height, channels)
    reconstruction = model.reconstruct(x, **condition_for(model, 2))
    assert reconstruction.shape == x.shape
    assert np.isfinite(reconstruction).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_of_features_has_its_name_and_the_features_that_its_head_reads(name):
    network = load_pretrained(name)
    height, _, channels = network.data_shape
    x = images(2, height, channels)
    read = numpy(network.head(network.features(x)))
    np.testing.assert_allclose(read, network.predict(x, verbose=0), rtol=1e-3, atol=1e-5)
    assert network.name == name and pretrained_metadata(name)["files"][layout.WEIGHTS]["bytes"] <= 2e6


@pytest.mark.parametrize("name", PRIORS)
def test_a_prior_finds_what_it_draws_likelier_than_what_nobody_would(name):
    prior = load_pretrained(name)
    prior.compile()
    noise = np.random.default_rng(0).integers(0, 2, (2, *prior.data_shape)).astype(prior.input_dtype)
    rates = [prior.evaluate(x, verbose=0, return_dict=True)["rate"] for x in (prior.sample(2, seed=0), noise)]
    assert rates[0] < 0.5 * rates[1]
