"""Sprites: areas, symmetries and moves by geometry, factors and indices by counting."""

import time

import numpy as np
import pytest

from keras_vae.datasets import Sprites, load_sprites, sprite_shapes
from keras_vae.datasets.sprite_shapes import AREAS, ORIENTATIONS, RADIUS, SCALES, START, STEP, inside, sprite_mask

SIZES = pytest.mark.parametrize("size", [64, 32])


def masks(sprites, factors):
    return sprites.render(sprites.index_of(factors), "uint8")[..., 0] > 0


def centroids(images):
    """Mean x and y of the pixels that are on, in pixels from the left and top edges."""
    size = images.shape[-1]
    centres = np.arange(size) + 0.5
    mass = images.sum(axis=(1, 2))
    return (
        np.stack([(images * centres).sum(axis=(1, 2)), (images * centres[:, None]).sum(axis=(1, 2))], 1) / mass[:, None]
    )


def test_factors_and_indices_count_in_the_order_of_dsprites():
    sprites = Sprites()
    assert len(sprites) == 737280 == 3 * 6 * 40 * 32 * 32
    index = np.arange(len(sprites))
    factors = sprites.factors_of(index)
    np.testing.assert_array_equal(sprites.index_of(factors), index)
    assert sprites.factors_of(1).tolist() == [0, 0, 0, 0, 1]  # y is fastest
    assert sprites.factors_of([[32], [1024]]).tolist() == [[[0, 0, 0, 1, 0]], [[0, 0, 1, 0, 0]]]
    assert sprites.index_of([1, 2, 3, 4, 5]) == ((1 * 6 + 2) * 40 + 3) * 1024 + 4 * 32 + 5
    for column, size in enumerate(sprites.factor_sizes):
        assert np.bincount(factors[:, column]).tolist() == [len(sprites) // size] * size


def test_factor_values_are_those_of_dsprites():
    sprites = Sprites(32)
    np.testing.assert_allclose(sprites.factor_values(0), [1, 0.5, 0, 0, 0])
    np.testing.assert_allclose(sprites.factor_values(737279), [3, 1, 2 * np.pi, 1, 1])
    values = sprites.factor_values(sprites.index_of([[1, 2, 1, 16, 31]]))
    np.testing.assert_allclose(values, [[2, 0.7, 0.16110732, 16 / 31, 1]], rtol=1e-6)


@SIZES
def test_areas_are_those_of_the_shapes(size):
    sprites = Sprites(size)
    images, factors = sprites.sample(6000, seed=1, dtype="uint8")
    pixels = (images > 0).sum(axis=(1, 2, 3))
    for shape in range(3):
        for scale in range(6):
            chosen = (factors[:, 0] == shape) & (factors[:, 1] == scale)
            area = AREAS[shape] * SCALES[scale] ** 2 * size**2
            assert pixels[chosen].mean() == pytest.approx(area, rel=0.02)


def test_closed_forms_of_the_areas():
    x, y = np.meshgrid((np.arange(800) + 0.5) / 800 - 0.5, (np.arange(800) + 0.5) / 800 - 0.5)
    x, y = 0.8 * x - 0.6 * y, 0.6 * x + 0.8 * y  # a grid askew, on which straight edges fall between points evenly
    for shape in range(3):
        on = inside(shape, x, y)
        assert on.mean() == pytest.approx(AREAS[shape], rel=2e-3)
        assert RADIUS * 0.99 < np.hypot(x, y)[on].max() <= RADIUS  # up to the circle, not past it
        np.testing.assert_allclose((x[on].mean(), y[on].mean()), 0, atol=1e-4)


def test_shapes_have_their_symmetries_and_no_others():
    angles = np.linspace(0, 2 * np.pi, 57)
    start = np.full(57, 31.8)
    for shape, turn in enumerate((np.pi / 2, np.pi, 2 * np.pi)):
        first = sprite_mask(shape, 1.0, angles + 1e-9, start, start, 64)
        np.testing.assert_array_equal(sprite_mask(shape, 1.0, angles + turn + 1e-9, start, start, 64), first)
        half = sprite_mask(shape, 1.0, angles + turn / 2, start, start, 64)
        assert np.all((half != first).sum(axis=(1, 2)) > 80)
    upright = sprite_mask(2, 1.0, 0.0, 32.0, 32.0, 64)
    np.testing.assert_array_equal(upright, upright[:, ::-1])  # the heart is its own mirror image
    rows = np.flatnonzero(upright.any(axis=1))
    assert upright[rows[-1]].sum() <= 2  # its tip is below
    assert not upright[rows[0], 31:33].any() and upright[rows[0]].sum() >= 4  # its notch above
    turned = sprite_mask(2, 1.0, np.pi / 2, 32.0, 32.0, 64)
    np.testing.assert_array_equal(turned, np.rot90(upright))  # anticlockwise


@SIZES
def test_the_last_orientation_is_the_first(size):
    sprites = Sprites(size)
    factors = np.array([[shape, scale, 0, 7, 20] for shape in range(3) for scale in range(6)])
    first = masks(sprites, factors)
    factors[:, 2] = 39
    assert ORIENTATIONS[39] == pytest.approx(2 * np.pi)
    np.testing.assert_array_equal(masks(sprites, factors), first)


@SIZES
def test_a_step_moves_the_centroid_by_a_64th(size):
    sprites = Sprites(size)
    for axis in (0, 1):
        factors = np.tile([2, 5, 6, 11, 11], (32, 1))
        factors[:, 3 + axis] = np.arange(32)
        found = centroids(masks(sprites, factors))
        expected = np.full((32, 2), (START + 11 * STEP) * size)
        expected[:, axis] = (START + np.arange(32) * STEP) * size
        np.testing.assert_allclose(found, expected, atol=0.3)
        two_steps = np.diff(found[::2, axis])  # a whole pixel or two: the same mask moved
        np.testing.assert_allclose(two_steps, 2 * STEP * size, atol=1e-9)
    everywhere = sprites.sample(3000, seed=2, dtype="uint8")
    expected = (START + everywhere[1][:, 3:] * STEP) * size
    error = centroids(everywhere[0][..., 0] > 0) - expected
    assert np.abs(error).max() < 0.5 and np.abs(error.mean(axis=0)).max() < 0.03


@SIZES
def test_images_are_the_masks_of_their_values(size):
    """The tables, shifted, agree with the geometry evaluated at each position."""
    sprites = Sprites(size)
    images, factors = sprites.sample(60, seed=3)
    for image, (shape, scale, orientation, x, y) in zip(images, factors, strict=True):
        position = (START + np.array([x, y]) * STEP) * size
        expected = sprite_mask(shape, SCALES[scale], ORIENTATIONS[orientation], *position, size)
        np.testing.assert_array_equal(image[..., 0], expected)


@SIZES
def test_no_sprite_reaches_the_edge(size):
    corners = np.array([(x, y) for x in (0, 31) for y in (0, 31)])
    sprites = Sprites(size)
    shapes = sprites.factors_of(np.arange(720) * 1024)[:, None]
    factors = np.concatenate([np.broadcast_to(shapes[..., :3], (720, 4, 3)), np.broadcast_to(corners, (720, 4, 2))], -1)
    images = masks(sprites, factors.reshape(-1, 5))
    assert images.any(axis=(1, 2)).all()
    for edge in (images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]):
        assert not edge.any()


def distinct(size):
    """How many images there are but for orientation 39: equal images have equal patterns at equal places."""
    table = sprite_shapes.bit_tables(size)[:, :, :39]
    phases = table.shape[3]
    moves = [range(32 // phases)] * 2
    found = set()
    for rows in table.reshape(-1, table.shape[-1]):
        rows = rows[rows.shape[0] - size :]
        top = int(np.flatnonzero(rows)[0])
        left = size - int(np.bitwise_or.reduce(rows)).bit_length()
        pattern = tuple(int(row) << left for row in rows[top:] if row)
        found.update((pattern, top + y, left + x) for y in moves[0] for x in moves[1])
    return len(found)


@pytest.mark.parametrize(("size", "share"), [(64, 1.0), (32, 0.94)])
def test_images_are_distinct(size, share):
    count = 3 * 6 * 39 * 32 * 32
    assert count * share <= distinct(size) <= count


def test_a_sample_repeats_with_its_seed_and_has_no_image_twice():
    sprites = Sprites(32)
    images, factors = sprites.sample(500, seed=4)
    again, same = sprites.sample(500, seed=4)
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(factors, same)
    assert images.dtype == np.float32 and images.shape == (500, 32, 32, 1) and factors.shape == (500, 5)
    assert not np.array_equal(sprites.sample(500, seed=5)[1], factors)
    assert len(np.unique(sprites.index_of(sprites.sample(20000, seed=6, dtype="uint8")[1]))) == 20000
    few = sprites.sample(3000, seed=6, replace=True)[1]
    assert np.abs(few.mean(axis=0) / (np.array(sprites.factor_sizes) - 1) - 0.5).max() < 0.03


def test_greys_are_zero_and_255_and_floats_zero_and_one():
    sprites = Sprites(64)
    floats, greys = sprites.render([5, 99999]), sprites.render([5, 99999], "uint8")
    assert floats.dtype == np.float32 and greys.dtype == np.uint8 and set(np.unique(greys)) == {0, 255}
    np.testing.assert_array_equal(floats * 255, greys)
    np.testing.assert_array_equal(sprites.render(5), floats[:1])  # one index is a batch of one


def test_a_stream_goes_through_all_or_the_chosen_images():
    sprites = Sprites(32)
    assert len(sprites.stream(batch_size=64)) == 11520
    batch = sprites.stream(batch_size=64, shuffle=False)[100]
    np.testing.assert_array_equal(batch, sprites.render(np.arange(6400, 6464)))
    chosen = sprites.stream(batch_size=4, indices=[10, 700000, 30000, 5, 80], seed=1)
    both = np.concatenate([chosen[0], chosen[1]])
    expected = sprites.render([10, 700000, 30000, 5, 80])
    assert sorted(map(bytes, both)) == sorted(map(bytes, expected))


@pytest.mark.parametrize(("size", "bar"), [(32, 20000), (64, 5000)])
def test_images_are_rendered_by_the_thousand(size, bar):
    sprites = Sprites(size)
    index = np.random.default_rng(0).integers(len(sprites), size=4000)
    sprites.render(index[:1])  # the tables
    start = time.process_time()
    sprites.render(index)
    assert len(index) / (time.process_time() - start) > bar / 2  # half the bar, for slow machines


def test_rendered_unless_the_original_is_there(tmp_path):
    assert type(load_sprites(32, data_dir=tmp_path)) is Sprites
    assert load_sprites(prefer_tfds=False).image_shape == (64, 64, 1)
    np.testing.assert_array_equal(
        load_sprites(32, data_dir=tmp_path).render([9, 70000]), Sprites(32).render([9, 70000])
    )


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda s: Sprites(48), ValueError, "`image_size` must be one of 64, 32. Received: image_size=48"),
        (lambda s: s.render([737280]), IndexError, "`index` must be in 0 to 737279. Received: from 737280"),
        (lambda s: s.render([-1]), IndexError, "`index` must be in 0 to 737279"),
        (lambda s: s.render([0.0]), TypeError, "`index` must be whole numbers"),
        (lambda s: s.render([0], "float64"), ValueError, "`dtype` must be one of 'float32', 'uint8'"),
        (lambda s: s.index_of([0, 0, 0, 0]), ValueError, r"`factors` must be of shape \(..., 5\)"),
        (lambda s: s.index_of([[0, 6, 0, 0, 0]]), ValueError, r"`factors` must be in 0 to \(2, 5, 39, 31, 31\)"),
        (lambda s: s.index_of([0.0, 0, 0, 0, 0]), TypeError, "`factors` must be whole numbers"),
        (lambda s: s.sample(0), ValueError, "`n` must be an integer >= 1"),
        (lambda s: s.sample(737281), ValueError, "`n` must be at most 737,280 unless replace=True"),
        (lambda s: s.sample(1, seed=-1), ValueError, "`seed` must be an integer >= 0"),
        (lambda s: s.stream(indices=[737280]), IndexError, "`indices` must be in 0 to 737279"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call(Sprites(32))
