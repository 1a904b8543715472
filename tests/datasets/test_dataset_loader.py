"""The loader, on small datasets written here in each file format and, where TFDS_DATA_DIR has them, on real ones."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from keras_vae.datasets import DatasetNotFoundError, has_dataset, load_images, prepared_datasets, stream, to_float
from keras_vae.training.fingerprint import described

tfds = pytest.importorskip("tensorflow_datasets")
pytest.importorskip("PIL")


def needs(name):
    return pytest.mark.skipif(not has_dataset(name), reason=f"needs {name} among prepared datasets: set TFDS_DATA_DIR")


def digits(count, start=0):
    """Small grey images, all different, whose label is their number."""
    rng = np.random.default_rng(7)
    images = rng.integers(0, 256, (start + count, 8, 8, 1), dtype=np.uint8)[start:]
    return images, [{"image": x, "label": start + i} for i, x in enumerate(images)]


def digit_features():
    features = tfds.features
    return features.FeaturesDict(
        {"image": features.Image(shape=(8, 8, 1)), "label": features.ClassLabel(num_classes=64)}
    )


@pytest.fixture(params=["tfrecord", "parquet", "array_record"])
def prepared(request, prepare, tmp_path, monkeypatch):
    """A data directory with `toy`: 30 training and 10 test images in three files each; TFDS_DATA_DIR names it."""
    if request.param == "array_record":
        pytest.importorskip("array_record")
    train, train_examples = digits(30)
    test, test_examples = digits(10, start=30)
    splits = {"train": train_examples, "test": test_examples}
    prepare("toy", splits, digit_features(), form=request.param, shards=3)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    return train, test


def test_a_split_is_read_whole_and_in_order(prepared):
    train, test = prepared
    images, labels = load_images("toy", labels=True)
    assert images.dtype == np.uint8 and labels.dtype == np.int64
    np.testing.assert_array_equal(images, train)
    np.testing.assert_array_equal(labels, np.arange(30))
    np.testing.assert_array_equal(load_images("toy", "test"), test)


@pytest.mark.parametrize(
    ("split", "rows"),
    [
        ("train[:90%]", range(27)),
        ("train[90%:]", range(27, 30)),
        ("train[8:13]", range(8, 13)),  # across two files
        ("train[-4:]", range(26, 30)),
        ("test+train[:1]", [*range(30, 40), 0]),
        ("train[20:]+train[:20]", [*range(20, 30), *range(20)]),  # one file, twice
        ("all", range(40)),
    ],
)
def test_slices_are_the_rows_of_the_whole_split(prepared, split, rows):
    both = np.concatenate(prepared)
    images, labels = load_images("toy", split, labels=True)
    np.testing.assert_array_equal(labels, list(rows))
    np.testing.assert_array_equal(images, both[list(rows)])


def test_limit_and_several_labels(prepared):
    images, labels = load_images("toy", limit=4, labels=["label", "label"])
    np.testing.assert_array_equal(images, prepared[0][:4])
    np.testing.assert_array_equal(labels, np.repeat(np.arange(4)[:, None], 2, axis=1))


def test_a_stream_holds_each_image_once_an_epoch_and_repeats_from_its_seed(prepared):
    train, _ = prepared
    batches = stream("toy", batch_size=8, labels=True, seed=3)
    assert len(batches) == 4 and batches.image_shape == (8, 8, 1)
    first = [batches[i] for i in range(4)]
    assert [len(x) for x, _ in first] == [8, 8, 8, 6] and first[0][0].dtype == np.float32
    order = np.concatenate([y for _, y in first])
    assert sorted(order) == list(range(30)) and list(order) != list(range(30))
    np.testing.assert_array_equal(np.concatenate([x for x, _ in first]), to_float(train)[order])
    batches.on_epoch_end()
    second = np.concatenate([batches[i][1] for i in range(4)])
    assert sorted(second) == list(range(30)) and not np.array_equal(second, order)
    again = stream("toy", batch_size=8, labels=True, seed=3, initial_epoch=1)
    np.testing.assert_array_equal(np.concatenate([again[i][1] for i in range(4)]), second)
    other = stream("toy", batch_size=8, labels=True, seed=4)
    assert not np.array_equal(np.concatenate([other[i][1] for i in range(4)]), order)


def test_a_stream_says_what_it_depends_on(prepared):
    def said(*args, **kwargs):
        return described(stream("toy", *args, **kwargs))

    first = said("train", 8, seed=3)
    assert first["class"] == "ImageStream" and first["reader"]["dataset"].startswith("toy/") and first["seed"] == 3
    assert said("train", 8, seed=3, initial_epoch=2) == first  # where it stands is no part of it
    for other in (said("test", 8, seed=3), said("train", 8, seed=4), said("train", 8, seed=3, limit=9)):
        assert other != first


def test_a_stream_in_order_without_the_remainder(prepared):
    batches = stream("toy", "train[:20]", batch_size=8, shuffle=False, drop_remainder=True, limit=17)
    assert len(batches) == 2
    np.testing.assert_array_equal(np.concatenate([batches[0], batches[1]]), to_float(prepared[0][:16]))
    with pytest.raises(IndexError):
        batches[2]
    with pytest.raises(ValueError, match="`batch_size` must be at most"):
        stream("toy", batch_size=31, drop_remainder=True)


def test_crops_are_centred_and_sizes_are_pixels(prepare, tmp_path):
    image = np.zeros((30, 20, 3), np.uint8)
    image[9:21, 4:16] = (50, 100, 150)  # the middle 12 x 12 of 30 x 20
    image_feature = tfds.features.Image(shape=(30, 20, 3), encoding_format="png")
    features = tfds.features.FeaturesDict({"image": image_feature})
    prepare("framed", {"train": [{"image": image}] * 2}, features)
    options = {"data_dir": tmp_path}
    np.testing.assert_array_equal(load_images("framed", **options), [image, image])
    middle = load_images("framed", crop=12, **options)
    np.testing.assert_array_equal(middle, np.broadcast_to([50, 100, 150], (2, 12, 12, 3)))
    small = load_images("framed", crop=12, size=4, **options)
    np.testing.assert_array_equal(small, np.broadcast_to([50, 100, 150], (2, 4, 4, 3)))
    np.testing.assert_array_equal(load_images("framed", size=20, **options), np.stack([image[5:25]] * 2))
    half = load_images("framed", size=10, **options)[0]
    assert half.shape == (10, 10, 3) and half[0, 0].tolist() == [0, 0, 0]
    np.testing.assert_allclose(half[5, 5], [50, 100, 150], atol=4)  # Lanczos rings a little
    with pytest.raises(ValueError, match="`crop` must be at most 20"):
        load_images("framed", crop=21, **options)


def test_images_that_differ_in_size_need_a_size(prepare, tmp_path):
    features = tfds.features.FeaturesDict({"image": tfds.features.Image(shape=(None, None, 3))})
    examples = [{"image": np.full((h, w, 3), 9, np.uint8)} for h, w in ((9, 12), (20, 7))]
    prepare("loose", {"train": examples}, features)
    np.testing.assert_array_equal(load_images("loose", size=5, data_dir=tmp_path), np.full((2, 5, 5, 3), 9))
    with pytest.raises(ValueError, match="`size` must be given for loose"):
        load_images("loose", data_dir=tmp_path)
    with pytest.raises(ValueError, match="`crop` must be at most the smaller side"):
        load_images("loose", crop=8, size=5, data_dir=tmp_path)


@pytest.mark.parametrize("name", ["dsprites", "binarized_mnist", "binary_alpha_digits"])
@pytest.mark.parametrize("bits", [1, 8])
def test_binary_images_come_as_black_and_white(prepare, tmp_path, name, bits):
    features = tfds.features.FeaturesDict({"image": tfds.features.Image(shape=(2, 2, 1))})
    stored = np.array([[[0], [1]], [[1], [0]]], np.uint8)
    examples = [{"image": stored.astype(bool) if bits == 1 else stored}] * 3
    prepare(name, {"train": examples}, features, shards=1)
    assert load_images(name, data_dir=tmp_path)[0, :, :, 0].tolist() == [[0, 255], [255, 0]]
    batch = stream(name, batch_size=2, data_dir=tmp_path)[0]
    assert batch.dtype == np.float32 and batch.shape == (2, 2, 2, 1)
    np.testing.assert_array_equal(batch, np.stack([stored, stored]))  # exact zeros and ones, not 1 / 255


def test_what_is_prepared_is_found_by_name_config_and_version(prepare, tmp_path, monkeypatch):
    images, examples = digits(2)
    for name, version in (("toy", "1.0.0"), ("toy", "1.10.0"), ("toy", "1.9.0"), ("many/small", "2.0.0")):
        prepare(name, {"train": examples}, digit_features(), version=version)
    (tmp_path / "toy" / "3.0.0.incompleteABC").mkdir()
    (tmp_path / "half" / "1.0.0").mkdir(parents=True)  # no dataset_info.json: never finished
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    assert prepared_datasets() == ["many", "toy"]
    found = [
        name
        for name in ("toy", "toy:1.9.0", "toy:4.0.0", "many", "many/small", "many/big", "half")
        if has_dataset(name)
    ]
    assert found == ["toy", "toy:1.9.0", "many", "many/small"]
    assert not has_dataset("toy", data_dir=tmp_path / "nowhere")
    np.testing.assert_array_equal(load_images("many/small:2.0.0"), images)


def test_a_missing_dataset_is_named_with_the_way_to_it(prepare, tmp_path, monkeypatch):
    _, examples = digits(2)
    prepare("mnist_toy", {"train": examples}, digit_features())
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path))
    with pytest.raises(DatasetNotFoundError) as caught:
        load_images("mnits_toy")
    text = str(caught.value)
    for part in ("'mnits_toy'", str(tmp_path), "TFDS_DATA_DIR=", "mnist_toy.", "download=True", "load("):
        assert part in text
    monkeypatch.delenv("TFDS_DATA_DIR")
    with pytest.raises(DatasetNotFoundError, match="TFDS_DATA_DIR is unset.*Prepared there: nothing"):
        stream("mnist", data_dir=tmp_path / "nowhere")
    with pytest.raises(DatasetNotFoundError, match="failed.*not found"):
        load_images("no_such_dataset_anywhere", data_dir=tmp_path, download=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mnist_toy"]  # nothing half-written


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"split": "trian"}, ValueError, r"`split` must be a split of toy \(train: 30, test: 10\).*'trian'"),
        ({"split": "train[90%"}, ValueError, "`split` must be a split"),
        ({"split": "train[:0]"}, ValueError, "`split` must select at least one example"),
        ({"split": "train[5:3]"}, ValueError, "`split` must select at least one example"),
        ({"split": 3}, TypeError, "`split` must be a string"),
        ({"limit": 0}, ValueError, "`limit` must be an integer >= 1. Received: limit=0"),
        ({"size": 0}, ValueError, "`size` must be an integer >= 1"),
        ({"crop": 9}, ValueError, "`crop` must be at most 8 for toy. Received: crop=9"),
        ({"labels": "digit"}, ValueError, r"`labels` must name features of toy .*\(label\). Received: 'digit'"),
        ({"verbose": 2}, ValueError, '`verbose` must be 0, 1 or "auto"'),
        ({"data_dir": 7}, TypeError, "`data_dir` must be a path or None"),
        ({"name": "../toy"}, ValueError, "`name` must be a dataset such as"),
    ],
)
def test_bad_arguments(prepare, tmp_path, options, error, message):
    splits = {"train": digits(30)[1], "test": digits(10)[1]}
    prepare("toy", splits, digit_features())
    with pytest.raises(error, match=message):
        load_images(**{"name": "toy", "data_dir": tmp_path, **options})


def test_a_dataset_without_images(prepare, tmp_path):
    features = tfds.features.FeaturesDict({"label": tfds.features.ClassLabel(num_classes=2)})
    prepare("bare", {"train": [{"label": 1}]}, features, shards=1)
    with pytest.raises(ValueError, match="`name` must be a dataset with images. Received: bare, which has label"):
        load_images("bare", data_dir=tmp_path)


@pytest.mark.parametrize("keep", [0, 5, 100])
def test_a_truncated_file_is_refused(prepare, tmp_path, keep):
    folder = prepare("toy", {"train": digits(3)[1]}, digit_features(), shards=1)
    path = next(folder.glob("*tfrecord*"))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="is truncated"):
        load_images("toy", data_dir=tmp_path)


@pytest.mark.parametrize("images", [np.zeros((2, 2), np.float32), np.zeros((2, 2), np.int64)])
def test_only_bytes_become_floats(images):
    with pytest.raises(TypeError, match="`images` must be uint8"):
        to_float(images)


def test_floats_are_greys_over_255():
    np.testing.assert_array_equal(to_float(np.arange(256, dtype=np.uint8)), np.arange(256, dtype=np.float32) / 255)


@needs("mnist")
def test_mnist_is_mnist():
    images, labels = load_images("mnist", "test", labels=True)
    assert images.shape == (10000, 28, 28, 1)
    assert images.mean() / 255 == pytest.approx(0.13251, abs=1e-4)  # the known mean of the test set
    assert np.bincount(labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    np.testing.assert_array_equal(load_images("mnist", "test[90%:]"), images[9000:])


@pytest.mark.data
@needs("binarized_mnist")
def test_binarized_mnist_is_the_fixed_draw_of_mnist():
    images = load_images("binarized_mnist", "test")
    assert images.shape == (10000, 28, 28, 1) and np.unique(images).tolist() == [0, 255]
    x = to_float(images)
    assert np.unique(x).tolist() == [0.0, 1.0] and x.mean() == pytest.approx(0.13251, abs=1e-5)
    batches = stream("binarized_mnist", "test", batch_size=100, shuffle=False)
    assert batches[3].dtype == np.float32
    np.testing.assert_array_equal(batches[3], x[300:400])
    assert [len(stream("binarized_mnist", split, 1000)) for split in ("train", "validation")] == [50, 10]


@needs("celeba_aligned64")
def test_celeba_crops_are_read_in_colour():
    images = load_images("celeba_aligned64", "test", limit=64)
    assert images.shape == (64, 64, 64, 3) and images.mean(axis=(0, 1, 2)).argmax() == 0  # skin is red
    batches = stream("celeba_aligned64", "test", batch_size=32, shuffle=False)
    np.testing.assert_array_equal(batches[1], to_float(images[32:]))


@needs("mnist")
def test_mnist_is_read_where_tensorflow_is_not_installed():
    backends = [name for name in ("jax", "torch") if importlib.util.find_spec(name)]
    if not backends:
        pytest.skip("needs JAX or torch beside the hidden TensorFlow")
    code = (
        "from importlib.machinery import PathFinder\n"
        "find = PathFinder.find_spec\n"
        "hidden = lambda name, path=None, target=None: None if name == 'tensorflow' else find(name, path, target)\n"
        "PathFinder.find_spec = hidden\n"
        "from keras_vae.datasets import load_images, stream\n"
        "images, labels = load_images('mnist', 'test[:100]', labels=True)\n"
        "batch = stream('mnist', 'test[:100]', batch_size=100, shuffle=False)[0]\n"
        "import sys; assert 'tensorflow' not in sys.modules\n"
        "print(int(images.sum()), int(labels.sum()), batch.shape)\n"
    )
    environment = {**os.environ, "KERAS_BACKEND": backends[0]}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    images, labels = load_images("mnist", "test[:100]", labels=True)
    assert run.stdout.split("\n")[0] == f"{int(images.sum())} {int(labels.sum())} (100, 28, 28, 1)"
