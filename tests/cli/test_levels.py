"""Codes by level on the command line: written, read, compared and measured as the model has them."""

import json
import pathlib

import numpy as np
import pytest

import keras_vae
from harness import numpy as as_numpy
from harness import set_weights
from keras_vae.cli.neighbours import distances_of
from keras_vae.datasets import to_float
from small_models import facts

SMALL = {"hidden": 4, "residual_hidden": 2, "depth": 0}


@pytest.fixture(scope="module")
def model():
    encoder = keras_vae.HierarchicalEncoder({"top": 2, "bottom": 1}, 3, **SMALL)
    codes = {"top": keras_vae.VectorQuantizer(5, 3, seed=1), "bottom": keras_vae.VectorQuantizer(7, 3, seed=2)}
    decoder = keras_vae.VQDecoder((8, 8, 1), levels=1, **SMALL)
    model = keras_vae.VQVAE2(encoder, decoder, keras_vae.HierarchicalQuantizer(codes, **SMALL))
    model.build((None, 8, 8, 1))
    set_weights(model)
    for head in model.encoder.heads.values():
        head.kernel.assign(30.0 * as_numpy(head.kernel.value))  # so that no two pictures have the same codes
    return model


@pytest.fixture(scope="module")
def levels(model, tmp_path_factory):
    return keras_vae.save_pretrained(model, tmp_path_factory.mktemp("levels") / "levels", **facts())


def test_decode_of_encode_is_reconstruct(run, refused, levels, model, x):
    out, _ = run(f"encode {levels} pictures -o c.npz")
    told = out.strip().removeprefix("c.npz: 6 images, each ").split(", ")
    assert sorted(told) == ["indices_bottom 4x4", "indices_top 2x2"]  # JAX has dicts in the order of their keys
    with np.load("c.npz") as file:
        for name, codes in model.encode(to_float(x)).items():
            np.testing.assert_array_equal(file[f"indices_{name}"], codes)
        np.savez("top.npz", indices_top=file["indices_top"])
    run(f"decode {levels} c.npz -o d.npy")
    run(f"reconstruct {levels} pictures -o r.npy")
    np.testing.assert_allclose(np.load("d.npy"), np.load("r.npy"), atol=1e-6)
    told = refused(f"decode {levels} top.npz")
    assert "top.npz must hold `indices_" in told and "Received: indices_top." in told


def test_neighbours_by_what_the_decoder_takes(run, levels, model, x):
    out, _ = run(f"neighbours {levels} pictures/3.png --among pictures -k 1")
    assert [line.split()[1:] for line in out.splitlines() if line.startswith("  1 ")] == [
        ["pictures/3.png", "0", "100.0%"]
    ]
    codes = model.encode(to_float(x))
    query = {name: part[3] for name, part in codes.items()}
    distances, equal = distances_of(model, query, codes)
    z = as_numpy(model.bottleneck.lookup(codes)).reshape(6, 16, -1)
    np.testing.assert_allclose(distances, np.sqrt(((z - z[3]) ** 2).sum(axis=-1).mean(axis=1)), atol=1e-5)
    same = [(part == part[3]).reshape(6, -1) for part in codes.values()]
    np.testing.assert_allclose(equal, np.concatenate(same, axis=1).mean(axis=1))
    assert distances[3] == 0.0 and equal[3] == 1.0 and equal.min() < 1.0


def test_evaluate_says_what_each_level_uses(run, levels, model, x):
    out, _ = run(f"evaluate {levels} pictures --json e.json")
    found = json.loads(pathlib.Path("e.json").read_text())["metrics"]
    model.compile()
    expected = model.evaluate(to_float(x), verbose=0, return_dict=True)
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-5)
    lines = {line.split()[0]: line.strip() for line in out.splitlines() if line.strip()}
    assert lines["perplexity_top"].endswith("of 5 codes") and lines["perplexity_bottom"].endswith("of 7 codes")
    assert lines["codebook_usage_top"].endswith("share of the codes")
