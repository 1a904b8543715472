"""Grids show each pixel where it belongs: checked pixel by pixel, the layout being paper, tiles and gaps."""

import numpy as np
import pytest

from keras_vae.reports import comparison_grid, filters_grid, image_grid, traversal_grid
from keras_vae.reports.canvas import GAP, PAPER

PIL = pytest.importorskip("PIL.Image")
MARGIN = 2 * GAP


def tile(picture, row, column, height, width):
    y, x = MARGIN + row * (height + GAP), MARGIN + column * (width + GAP)
    return picture[y : y + height, x : x + width]


def test_image_grid_places_each_image_row_by_row():
    images = np.arange(5, dtype="float32")[:, None, None, None] / 5 * np.ones((5, 3, 2, 1), "float32")
    picture = image_grid(images, columns=2, scale=1)
    assert picture.dtype == np.uint8 and picture.shape == (3 * 3 + 2 * GAP + 2 * MARGIN, 2 * 2 + GAP + 2 * MARGIN, 3)
    for i in range(5):
        assert (tile(picture, i // 2, i % 2, 3, 2) == round(255 * i / 5)).all()
    assert (tile(picture, 2, 1, 3, 2) == PAPER).all()  # no sixth image: paper, not black
    assert (picture[:MARGIN] == PAPER).all() and (picture[:, -MARGIN:] == PAPER).all()


def test_small_images_are_enlarged_without_smoothing():
    image = np.random.default_rng(0).random((1, 28, 28, 3)).astype("float32")
    picture = image_grid(image)
    big = picture[MARGIN:-MARGIN, MARGIN:-MARGIN]
    assert big.shape == (112, 112, 3)  # 4 x 28, the least that is 96 wide
    np.testing.assert_array_equal(big[::4, ::4], np.round(255 * image[0]).astype("uint8"))
    assert len(np.unique(big[:4, :4].reshape(-1, 3), axis=0)) == 1


def test_large_images_are_left_as_they_are():
    image = np.random.default_rng(0).random((1, 128, 128, 3)).astype("float32")
    picture = image_grid(image)[MARGIN:-MARGIN, MARGIN:-MARGIN]
    np.testing.assert_array_equal(picture, np.round(255 * image[0]).astype("uint8"))


def test_grey_images_without_a_channel_axis_and_bytes():
    x = np.random.default_rng(0).integers(0, 256, (4, 12, 12), dtype="uint8")
    np.testing.assert_array_equal(image_grid(x), image_grid(x[..., None]))
    np.testing.assert_allclose(image_grid(x).astype(int), image_grid(x / 255.0), atol=0)
    assert image_grid(x).shape[0] == image_grid(x).shape[1]  # 2 x 2 is the nearest to a square


def test_the_file_holds_the_picture(tmp_path):
    x = np.random.default_rng(0).random((3, 8, 8, 3))
    picture = image_grid(x, path=tmp_path / "made" / "grid.png")
    np.testing.assert_array_equal(np.asarray(PIL.open(tmp_path / "made" / "grid.png")), picture)
    assert [p.name for p in (tmp_path / "made").iterdir()] == ["grid.png"]


def test_a_refused_picture_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="`images` must be finite. Received: 1 NaN"):
        image_grid(np.where(np.arange(64) == 5, np.nan, 0.5).reshape(1, 8, 8, 1), path=tmp_path / "grid.png")
    assert not list(tmp_path.iterdir())


def test_values_are_checked_and_clipped_on_request():
    x = np.full((1, 8, 8, 1), 0.5)
    x[0, 0, 0] = 1.5
    with pytest.raises(ValueError, match=r"floats in \[0, 1\]. Received: floats in \[0.5, 1.5\]"):
        image_grid(x)
    assert image_grid(x, scale=1, clip=True)[MARGIN, MARGIN].tolist() == [255, 255, 255]
    assert image_grid(np.full((1, 8, 8, 1), 1 + 1e-6)).max() == 255  # rounding is no error


@pytest.mark.parametrize("shape", [(8, 8), (2, 8, 8, 2), (0, 8, 8, 1), (1, 1, 8, 8, 1)])
def test_shapes_are_checked(shape):
    with pytest.raises(ValueError, match="`images` must have shape"):
        image_grid(np.zeros(shape))


def test_columns_and_scale_are_checked():
    x = np.zeros((2, 8, 8, 1))
    with pytest.raises(ValueError, match="`columns` must be an integer >= 1"):
        image_grid(x, columns=0)
    with pytest.raises(TypeError, match="`scale` must be an integer"):
        image_grid(x, scale=1.5)


def bands(picture, height, columns, width):
    """The rows of tiles of a labelled grid, read back from the right edge, where no label is."""
    right = picture[:, -(MARGIN + columns * width + (columns - 1) * GAP) : -MARGIN]
    full = ~(right == PAPER).all(axis=(1, 2))
    starts = np.flatnonzero(full & ~np.roll(full, 1))
    return [right[s : s + height] for s in starts]


def test_comparison_pairs_originals_with_each_models_reconstruction():
    levels = np.arange(1, 6)[:, None, None, None] / 10 * np.ones((5, 8, 8, 1))
    picture = comparison_grid(levels, {"a": levels + 0.1, "b": levels + 0.2}, columns=3, scale=1)
    rows = bands(picture, 8, 3, 8)
    assert len(rows) == 6  # two bands of original, a, b
    for band in range(2):
        for kind in range(3):
            for column in range(3):
                i = 3 * band + column
                expected = round(255 * ((i + 1 + kind) / 10)) if i < 5 else PAPER
                got = rows[3 * band + kind][:, column * (8 + GAP) : column * (8 + GAP) + 8]
                assert (np.abs(got.astype(int) - expected) <= 1).all()


def test_comparison_is_labelled_and_clips_only_reconstructions():
    x = np.full((2, 8, 8, 1), 0.5)
    plain, labelled = image_grid(x, columns=2), comparison_grid(x, x + 0.7)
    assert labelled.shape[1] > plain.shape[1] + 60  # room for the words
    assert (labelled[:, : labelled.shape[1] - plain.shape[1]] < 128).any()  # and ink in it
    with pytest.raises(ValueError, match="`originals` must be uint8, or floats"):
        comparison_grid(x + 0.7, x)
    with pytest.raises(ValueError, match="must be finite"):
        comparison_grid(x, x * np.nan)


def test_comparison_checks_shapes():
    with pytest.raises(ValueError, match=r"`reconstructions` must have the shape of `originals`, \(2, 8, 8, 1\)"):
        comparison_grid(np.zeros((2, 8, 8, 1)), np.zeros((3, 8, 8, 1)))


def test_traversal_has_a_row_per_dimension_and_a_column_per_step():
    rows = np.arange(1, 7).reshape(2, 3)[..., None, None, None] / 10 * np.ones((2, 3, 8, 8, 3))
    picture = traversal_grid(rows, ["x position", "scale"], column_labels=[-3, 0, 3], scale=1)
    found = bands(picture, 8, 3, 8)[-2:]  # above them stands the line of column labels
    for r in range(2):
        for c in range(3):
            got = found[r][:, c * (8 + GAP) : c * (8 + GAP) + 8].astype(int)
            assert (np.abs(got - round(255 * (3 * r + c + 1) / 10)) <= 1).all()
    unlabelled = traversal_grid(rows, ["x position", "scale"], scale=1)
    assert picture.shape[0] > unlabelled.shape[0] and picture.shape[1] == unlabelled.shape[1]


def test_traversal_checks_its_labels():
    x = np.zeros((2, 3, 8, 8, 1))
    assert traversal_grid(x).shape == traversal_grid(x, ["z0", "z1"]).shape
    with pytest.raises(ValueError, match="`labels` must be one per row, 2. Received: 1 labels"):
        traversal_grid(x, ["only"])
    with pytest.raises(ValueError, match="`column_labels` must be one per step, 3"):
        traversal_grid(x, column_labels=[0.0])
    with pytest.raises(ValueError, match="rows, steps, height, width, channels"):
        traversal_grid(np.zeros((3, 8, 8)))


def test_filters_come_strongest_first_with_zero_in_the_middle():
    kernel = np.zeros((4, 3))
    kernel[0, 1], kernel[3, 2], kernel[1, 2] = 1.0, -4.0, 2.0  # norms 0, 1, sqrt(20)
    picture = filters_grid(kernel, (2, 2), count=2, columns=2)
    strongest = tile(picture, 0, 0, 96, 96)[::48, ::48, 0]  # 48 pixels to a weight
    assert strongest.tolist() == [[128, 191], [128, 0]]
    assert tile(picture, 0, 1, 96, 96)[::48, ::48, 0].tolist() == [[255, 128], [128, 128]]
    with pytest.raises(ValueError, match=r"`kernel` must have shape \(4, units\). Received: shape \(5, 2\)"):
        filters_grid(np.zeros((5, 2)), (2, 2))
    with pytest.raises(ValueError, match="`kernel` must be finite"):
        filters_grid(np.full((4, 1), np.nan), (2, 2))
