"""What a client of the SavedModel gets, in a process that has TensorFlow and not keras_vae, by both of its loaders."""

import os
import pathlib
import re
import subprocess
import sys

import keras
import numpy as np
import pytest

from harness import images, needs
from keras_vae.export import export_saved_model
from small_models import KINDS, small

CLIENT = pathlib.Path(__file__).with_name("clean_client.py")
LOADERS = ("by_eager_loader", "by_session_loader")
ROWS = (1, 5, 17)
MANY = 3000
BACKEND = keras.backend.backend()

# From JAX and torch the export needs TensorFlow beside them: the environment with all three.
pytestmark = [needs("tensorflow"), pytest.mark.slow, pytest.mark.timeout(1800)]
pytestmark += [] if BACKEND == "tensorflow" else [pytest.mark.cross_backend]


def latents(model, rows):
    rng = np.random.default_rng(7)
    if model.is_discrete:
        return rng.integers(0, 16, (rows, *model.latent_shape)).astype("int32")
    return rng.normal(size=(rows, *model.latent_shape)).astype("float32")


def questions(name, model):
    asked = {}
    for rows in ROWS:
        asked[f"{name}/serving_default/{rows}/images"] = images(rows)
        asked[f"{name}/encode/{rows}/images"] = images(rows)
        asked[f"{name}/decode/{rows}/{'indices' if model.is_discrete else 'z'}"] = latents(model, rows)
        if model.prior is not None:
            asked[f"{name}/sample/{rows}/seed"] = np.arange(rows, dtype="int32")
    if model.prior is not None:
        asked[f"{name}/sample/again/seed"] = np.arange(17, dtype="int32")
        asked[f"{name}/sample/mixed/seed"] = np.array([5, -1, 5, 2**31 - 1], "int32")
        asked[f"{name}/sample/many/seed"] = np.arange(MANY, dtype="int32")
    return asked


def bad_requests(model):
    """signature/case/input -> what is sent, and the error that must come back."""
    x, z = images(2), latents(model, 2)
    latent = "indices" if model.is_discrete else "z"
    shape = ",".join(map(str, ("?", *model.latent_shape)))

    def mismatch(name, received, accepted):
        return rf"Shape of tensor .*{name}\S* \[{received}\] is not compatible with expected shape \[{accepted}\]"

    table = {
        "serving_default/flat/images": (x.reshape(2, 64), mismatch("images", "2,64", r"\?,8,8,1")),
        "encode/one_number/images": (np.float32(0.5), mismatch("images", "", r"\?,8,8,1")),
        "encode/rank_3/images": (x[..., 0], mismatch("images", "2,8,8", r"\?,8,8,1")),
        "encode/rank_5/images": (x[None], mismatch("images", "1,2,8,8,1", r"\?,8,8,1")),
        "encode/height/images": (np.repeat(x, 2, axis=1), mismatch("images", "2,16,8,1", r"\?,8,8,1")),
        "encode/channels/images": (np.repeat(x, 3, axis=3), mismatch("images", "2,8,8,3", r"\?,8,8,1")),
        "encode/none/images": (x[:0], "`images` must hold at least one row. Received:. .none"),
        "serving_default/nan/images": (np.full_like(x, np.nan), "`images` must be finite. Received:. .NaN or infinity"),
        "encode/infinite/images": (np.full_like(x, np.inf), "`images` must be finite"),
        "encode/doubles/images": (x.astype("float64"), "expected to be a float tensor|float but double is provided"),
        f"decode/flat/{latent}": (z.reshape(-1), mismatch(latent, z.size, re.escape(shape))),
        f"decode/rank/{latent}": (z[:, None], "is not compatible with expected shape"),
        f"decode/none/{latent}": (z[:0], f"`{latent}` must hold at least one row"),
    }
    if model.is_discrete:
        table["decode/high/indices"] = (z + 16, r"`indices` must be in \[0, 15\]. Received:.* .values from. .\d+. .to.")
        table["decode/negative/indices"] = (z - 16, r"`indices` must be in \[0, 15\]")
    else:
        table["decode/nan/z"] = (np.full_like(z, np.nan), "`z` must be finite")
    if model.likelihood.interval is not None:
        accepted = f"`images` must be in .0, 1. for {type(model.likelihood).__name__}"
        table["encode/bytes/images"] = (x * 255, accepted)
        table["serving_default/negative/images"] = (x - 1, accepted)
    if model.prior is not None:
        table["sample/none/seed"] = (np.zeros(0, "int32"), "`seed` must hold at least one row")
        table["sample/number/seed"] = (np.int32(1), mismatch("seed", "", r"\?"))
        table["sample/rank_2/seed"] = (np.zeros((2, 2), "int32"), mismatch("seed", "2,2", r"\?"))
    return table


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """kind -> live model, and a function that asks its SavedModel in a clean process: questions -> answers."""
    home = tmp_path_factory.mktemp("served")
    models = {name: small(name) for name in KINDS}
    folders = [f"{name}={export_saved_model(model, home / name)}" for name, model in models.items()]

    def answers(asked):
        np.savez(home / "questions.npz", **asked)
        keep = {key: value for key, value in os.environ.items() if not key.startswith(("KERAS", "PYTHON"))}
        command = [sys.executable, str(CLIENT), str(home / "questions.npz"), str(home / "answers.npz"), *folders]
        done = subprocess.run(command, cwd=home, env=keep, capture_output=True, text=True, timeout=500, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return dict(np.load(home / "answers.npz"))

    return models, answers


@pytest.fixture(scope="module")
def served(exported):
    """kind -> live model, and the answers to `questions`."""
    models, answers = exported
    asked = {}
    for name, model in models.items():
        asked.update(questions(name, model))
    return models, answers(asked)


def test_bad_requests_get_an_error_and_the_next_good_one_an_answer(exported):
    models, answers = exported
    tables = {name: bad_requests(model) for name, model in models.items()}
    asked = {f"{name}/{key}": value for name, table in tables.items() for key, (value, _) in table.items()}
    asked |= {f"{name}/serving_default/after/images": images(5) for name in models}
    found = answers(asked)
    for loader in LOADERS:
        for name, model in models.items():
            for key, (_, message) in tables[name].items():
                case = f"{loader}/{name}/{key.rpartition('/')[0]}"
                error = found.get(f"{case}/error")
                assert error is not None, f"{case} was answered"
                assert re.search(message, str(error)), f"{case}: {error}"
            last = found[f"{loader}/{name}/serving_default/after/reconstruction"]
            np.testing.assert_allclose(last, model.reconstruct(images(5)), atol=1e-5)


@pytest.fixture(params=[(loader, name) for loader in LOADERS for name in KINDS], ids="-".join)
def answer(served, request):
    loader, name = request.param
    models, answers = served
    return models[name], lambda signature, case, key: answers[f"{loader}/{name}/{signature}/{case}/{key}"]


@pytest.mark.parametrize("rows", ROWS)
def test_serving_default_reconstructs(answer, rows):
    model, served = answer
    expected = model.reconstruct(images(rows))
    np.testing.assert_allclose(served("serving_default", rows, "reconstruction"), expected, atol=1e-5)


@pytest.mark.parametrize("rows", ROWS)
def test_encode_gives_the_live_codes(answer, rows):
    model, served = answer
    expected = model.encode(images(rows))
    if model.is_discrete:
        found = served("encode", rows, "indices")
        assert found.dtype == np.int32
        assert (found == expected).mean() >= 0.999
    else:
        np.testing.assert_allclose(served("encode", rows, "z"), expected, atol=1e-5)


def test_encode_of_a_vae_gives_its_posterior(served):
    models, answers = served
    posterior = models["vae"].encode(images(5), output="distribution")
    for loader in LOADERS:
        for key, expected in (("z_mean", posterior.mean), ("z_log_var", posterior.log_var)):
            np.testing.assert_allclose(answers[f"{loader}/vae/encode/5/{key}"], np.asarray(expected), atol=1e-5)


@pytest.mark.parametrize("rows", ROWS)
def test_decode_gives_the_live_images(answer, rows):
    model, served = answer
    np.testing.assert_allclose(served("decode", rows, "images"), model.decode(latents(model, rows)), atol=1e-5)


def test_a_model_without_prior_has_no_sample(served):
    _, answers = served
    assert not [key for key in answers if "/plain/sample/" in key]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("name", ["vae", "vqvae"])
class TestSample:
    def latents(self, served, loader, name, case):
        key = "indices" if name == "vqvae" else "z"
        return served[1][f"{loader}/{name}/sample/{case}/{key}"]

    def test_a_seed_repeats_in_any_batch(self, served, loader, name):
        whole = self.latents(served, loader, name, 17)
        np.testing.assert_array_equal(whole, self.latents(served, loader, name, "again"))
        for rows in (1, 5):
            np.testing.assert_allclose(self.latents(served, loader, name, rows), whole[:rows], atol=1e-6)
        one, minus, two, largest = self.latents(served, loader, name, "mixed")
        np.testing.assert_array_equal(one, two)
        np.testing.assert_allclose(one, whole[5], atol=1e-6)
        assert not np.array_equal(minus, largest)

    def test_different_seeds_differ(self, served, loader, name):
        whole = self.latents(served, loader, name, 17).reshape(17, -1)
        assert len(np.unique(whole, axis=0)) == 17

    def test_images_are_the_decoded_latents(self, served, loader, name):
        models, answers = served
        expected = models[name].decode(self.latents(served, loader, name, 17))
        np.testing.assert_allclose(answers[f"{loader}/{name}/sample/17/images"], expected, atol=1e-5)

    def test_latents_follow_the_prior(self, served, loader, name):
        many = self.latents(served, loader, name, "many")
        if name == "vae":
            assert np.abs(many.mean(axis=0)).max() < 4 / np.sqrt(MANY)
            assert np.abs(many.std(axis=0) - 1).max() < 4 / np.sqrt(2 * MANY)
            assert np.abs(np.corrcoef(many.T) - np.eye(many.shape[1])).max() < 4 / np.sqrt(MANY)
        else:
            share = np.bincount(many.ravel(), minlength=16) / many.size
            assert np.abs(share - 1 / 16).max() < 4 * np.sqrt(1 / 16 / many.size)
