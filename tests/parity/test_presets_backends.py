"""One preset, three backends: the same codes, the same images of the same codes. Each backend in its own process."""

import pathlib
import subprocess
import sys

import numpy as np
import pytest

from harness import condition_for, images
from keras_vae import load_pretrained, save_pretrained
from keras_vae.presets import layout, pretrained_metadata
from small_models import KINDS, environment, facts, small

SCRIPT = pathlib.Path(__file__).with_name("preset_answers.py")
BACKENDS = ("tensorflow", "jax", "torch")
PAIRS = [("tensorflow", "jax"), ("tensorflow", "torch"), ("jax", "torch")]
NETWORKS = [name for name in layout.shipped_names() if pretrained_metadata(name)["model"] == "Classifier"]
PRIORS = [name for name in layout.shipped_names() if pretrained_metadata(name)["model"].endswith("Prior")]
PRESETS = [*KINDS, *(name for name in layout.shipped_names() if name not in NETWORKS + PRIORS)]
ROWS = 32

pytestmark = [pytest.mark.cross_backend, pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """backend -> what every preset answers, small and shipped, by name.

    name/codes, name/decoded, name/reconstruction of an autoencoder; name/features of a network; name/rates and
    name/drawn of a prior.
    """
    home = tmp_path_factory.mktemp("parity")
    folders = {kind: save_pretrained(small(kind), home / kind, **facts()) for kind in KINDS}
    folders.update({name: layout.shipped_folder() / name for name in layout.shipped_names()})
    questions = {}
    for name, folder in folders.items():
        model = load_pretrained(folder)
        height, _, channels = model.data_shape
        x = images(ROWS, height, channels)
        if name in NETWORKS:
            questions[f"{name}/images"] = x
            continue
        rounded = model.likelihood.whole or name in PRIORS
        questions[f"{name}/images"] = np.round(x) if rounded else x
        if name in PRIORS:
            continue
        given = condition_for(model, ROWS)
        questions.update({f"{name}/{key}": value for key, value in given.items()})
        latents = model.encode(questions[f"{name}/images"], **given)  # the same for every backend
        levels = latents.items() if isinstance(latents, dict) else ()
        questions.update({f"{name}/latents/{level}": part for level, part in levels} or {f"{name}/latents": latents})
    np.savez(home / "questions.npz", **questions)
    models = [f"{name}={folder}" for name, folder in folders.items()]
    found = {}
    for backend in BACKENDS:  # one after the other: the machine may have two cores
        target = home / f"{backend}.npz"
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(home / "questions.npz"), str(target), *models],
            env=environment(backend),
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found[backend] = dict(np.load(target))
    return found


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("name", PRESETS)
class TestBackendsAgree:
    def test_codes(self, answers, name, pair):
        one, other = (answers[backend][f"{name}/codes"] for backend in pair)
        assert one.shape == other.shape and one.dtype == other.dtype
        if np.issubdtype(one.dtype, np.integer):
            assert (one == other).mean() >= 0.999
        else:
            np.testing.assert_allclose(one, other, atol=1e-4)

    def test_images_of_the_same_codes(self, answers, name, pair):
        one, other = (answers[backend][f"{name}/decoded"] for backend in pair)
        np.testing.assert_allclose(one, other, atol=1e-4)

    def test_reconstructions_where_the_codes_agree(self, answers, name, pair):
        codes = [answers[backend][f"{name}/codes"] for backend in pair]
        one, other = (answers[backend][f"{name}/reconstruction"] for backend in pair)
        agree = np.ones(len(one), bool)
        if np.issubdtype(codes[0].dtype, np.integer):
            agree = (codes[0] == codes[1]).reshape(len(one), -1).all(axis=1)
        assert agree.mean() >= 0.5
        np.testing.assert_allclose(one[agree], other[agree], atol=1e-4)


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("name", NETWORKS)
def test_features(answers, name, pair):
    one, other = (answers[backend][f"{name}/features"] for backend in pair)
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * np.abs(one).max())


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("name", PRIORS)
def test_densities_and_draws(answers, name, pair):
    one, other = (answers[backend][f"{name}/rates"] for backend in pair)
    np.testing.assert_allclose(one, other, rtol=1e-4)
    one, other = (answers[backend][f"{name}/drawn"] for backend in pair)
    assert (one == other).mean() >= 0.999
