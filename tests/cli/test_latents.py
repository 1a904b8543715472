"""encode, decode, neighbours: the numbers in the files are those of the model."""

import numpy as np
import pytest
from PIL import Image

import keras_vae
from harness import numpy as as_numpy
from keras_vae.cli.neighbours import distances_of
from keras_vae.datasets import to_float
from keras_vae.reports import image_grid


def test_encode_writes_the_posterior_of_a_gaussian(run, shelf, x):
    out, err = run("encode digits pictures -o c.npz")
    posterior = keras_vae.load_pretrained(shelf / "digits").encode(to_float(x), output="distribution")
    with np.load("c.npz", allow_pickle=False) as file:
        assert sorted(file) == ["names", "z_log_var", "z_mean"]
        np.testing.assert_allclose(file["z_mean"], as_numpy(posterior.mean), atol=1e-6)
        np.testing.assert_allclose(file["z_log_var"], as_numpy(posterior.log_var), atol=1e-6)
        assert file["names"].tolist() == [f"pictures/{i}.png" for i in range(6)]
    assert out == "c.npz: 6 images, each z_mean 3, z_log_var 3\n" and err == ""


@pytest.mark.parametrize(("name", "key"), [("codes", "indices"), ("plain", "z")])
def test_encode_writes_codes_or_features(run, shelf, x, name, key):
    run(f"encode {name} pictures")
    with np.load("codes.npz") as file:
        assert sorted(file) == sorted([key, "names"])
        expected = keras_vae.load_pretrained(shelf / name).encode(to_float(x))
        assert file[key].dtype == expected.dtype
        np.testing.assert_allclose(file[key], expected, atol=1e-6)


@pytest.mark.parametrize("name", ["digits", "codes", "plain"])
def test_decode_of_encode_is_reconstruct(run, name):
    run(f"encode {name} pictures -o c.npz")
    out, _ = run(f"decode {name} c.npz -o d.npy")
    run(f"reconstruct {name} pictures -o r.npy")
    np.testing.assert_allclose(np.load("d.npy"), np.load("r.npy"), atol=1e-6)
    assert out == "d.npy: 6 images\n"


def test_decode_takes_a_bare_array_and_draws(run, shelf):
    np.save("z.npy", np.zeros((2, 3)))
    run("decode digits z.npy --columns 1")
    expected = keras_vae.load_pretrained(shelf / "digits").decode(np.zeros((2, 3), "float32"))
    np.testing.assert_array_equal(np.asarray(Image.open("decoded.png")), image_grid(expected, 1))


def test_a_copy_is_the_nearest_at_no_distance(run, shelf, x):
    Image.fromarray(x[3, ..., 0]).save("query.png")
    out, err = run("neighbours digits query.png --among pictures -k 4 -o n.npy")
    z = keras_vae.load_pretrained(shelf / "digits").encode(to_float(x)).astype("float64")
    distances = np.linalg.norm(z - z[3], axis=1)
    order = np.argsort(distances)[:4]
    rows = [line.split() for line in out.splitlines() if line.startswith("  ") and "pictures/" in line]
    assert [row[1] for row in rows] == [f"pictures/{i}.png" for i in order] and rows[0][1:] == ["pictures/3.png", "0"]
    np.testing.assert_allclose([float(row[2]) for row in rows], distances[order], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(np.load("n.npy"), to_float(x)[[3, *order]], atol=1e-7)
    assert "nearest to query.png of 6 images, Euclidean distance of z_mean" in out and err == ""


def test_neighbours_by_codes(run, shelf, x):
    out, _ = run("neighbours codes pictures/1.png --among pictures -k 6")
    rows = [line.split() for line in out.splitlines() if line.startswith("  ") and "pictures/" in line]
    assert rows[0] == ["1", "pictures/1.png", "0", "100.0%"]
    model = keras_vae.load_pretrained(shelf / "codes")
    codes, codebook = model.encode(to_float(x)), as_numpy(model.bottleneck.codebook.value)
    for _, name, distance, equal in rows:
        other = codes[int(name.split("/")[1][0])]
        apart = np.sum((codebook[codes[1]] - codebook[other]) ** 2, axis=-1)
        np.testing.assert_allclose(float(distance), np.sqrt(apart.mean()), rtol=1e-3, atol=1e-5)
        assert equal == f"{np.mean(codes[1] == other):.1%}"
    picture = np.asarray(Image.open("neighbours.png"))
    assert picture.shape[0] < 200 and picture.shape[1] > 7 * 96  # one row: the query and six neighbours


def test_the_distance_of_codes_by_hand():
    class Bottleneck:
        lookup = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0]]).__getitem__

    class Model:
        has_codes, bottleneck = True, Bottleneck

    distances, equal = distances_of(Model, np.array([0, 2]), np.array([[0, 2], [1, 2], [1, 0]]))
    # positions apart by 5 and 0: sqrt((25 + 0) / 2); by 5 and 1: sqrt((25 + 1) / 2)
    np.testing.assert_allclose(distances, [0.0, np.sqrt(12.5), np.sqrt(13.0)], atol=1e-5)
    np.testing.assert_array_equal(equal, [1.0, 0.5, 0.0])


@pytest.fixture
def files(tmp_path, x):
    np.savez("codes.npz", indices=np.full((2, 4, 4), 16))
    np.savez("floats.npz", indices=np.zeros((2, 4, 4)))
    np.savez("wrong.npz", z_mean=np.zeros((2, 5)))
    np.savez("nan.npz", z_mean=np.full((2, 3), np.nan))
    np.savez("objects.npz", z_mean=np.array([{}, None]))
    np.savez("whole.npz", z_mean=np.zeros((2, 3)))
    content = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(content[: len(content) // 2])
    (tmp_path / "flipped.npz").write_bytes(content.replace(b"\x00" * 24, b"\x01" * 24, 1))
    (tmp_path / "empty.npz").write_bytes(b"")
    np.save("two.npy", x[:2])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("encode digits pictures -o codes.txt", "`--out` must end in .npz. Received: codes.txt."),
        ("decode codes codes.npz", "must be codes in [0, 16). Received: codes from 16 to 16."),
        ("decode codes floats.npz", "must be an array of integer codes. Received: dtype=float64."),
        ("decode codes whole.npz", "whole.npz must hold `indices`. Received: z_mean."),
        ("decode digits codes.npz", "codes.npz must hold `z_mean` or `z`. Received: indices."),
        ("decode digits wrong.npz", "must have shape (batch, 3). Received: shape=(2, 5)."),
        ("decode digits nan.npz", "nan.npz must hold finite numbers."),
        ("decode digits objects.npz", "objects.npz is not an .npy or .npz file that can be read"),
        ("decode digits cut.npz", "cut.npz is not an .npy or .npz file that can be read"),
        ("decode digits flipped.npz", "flipped.npz is not an .npy or .npz file that can be read"),
        ("decode digits empty.npz", "empty.npz is not an .npy or .npz file that can be read"),
        ("decode digits absent.npz", "there is no file absent.npz"),
        ("neighbours digits two.npy --among pictures", "`IMAGE` must be one image. Received: two.npy, which holds 2."),
        ("neighbours digits pictures/0.png --among pictures -k 0", "`k` must be an integer >= 1. Received: k=0."),
        ("neighbours digits pictures/0.png", "the following arguments are required: --among"),
    ],
)
def test_refusals(refused, files, line, told):
    assert told in refused(line)
