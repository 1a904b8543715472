"""The presets that come with the library: whole, small, documented, and able to do what their cards say."""

import numpy as np
import pytest

from harness import condition_for, images
from keras_vae import list_pretrained, load_pretrained
from keras_vae.presets import layout, pretrained_metadata

NAMES = layout.shipped_names()
MEGABYTE = 2**20

pytestmark = pytest.mark.skipif(not NAMES, reason=f"no preset in {layout.shipped_folder()}")


def test_all_together_stay_small():
    sizes = {name: sum(p.stat().st_size for p in (layout.shipped_folder() / name).iterdir()) for name in NAMES}
    assert max(sizes.values()) <= 12 * MEGABYTE, sizes
    assert sum(sizes.values()) <= 60 * MEGABYTE, sizes
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
def test_it_loads_and_reconstructs(name):
    model = load_pretrained(name)
    metadata = pretrained_metadata(name)
    assert list(model.data_shape) == metadata["data_shape"]
    assert model.count_params() == metadata["parameter_count"]
    height, _, channels = model.data_shape
    x = np.round(images(2, height, channels)) if model.likelihood.whole else images(2, height, channels)
    reconstruction = model.reconstruct(x, **condition_for(model, 2))
    assert reconstruction.shape == x.shape
    assert np.isfinite(reconstruction).all()
