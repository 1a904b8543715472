"""Streams of any arrays: rows stay together, sequences are cut to what is in a batch, and a run can be resumed."""

import keras
import numpy as np
import pytest
from keras import ops

import harness
from keras_vae.datasets import ArrayBatches
from keras_vae.training import fit_resumable
from keras_vae.training.fingerprint import described

RNG = np.random.default_rng(0)
LENGTHS = np.array([3, 3, 1, 2, 3, 12, 1, 9, 2, 4])
STEPS = np.arange(12)
WAVES = np.where(STEPS < LENGTHS[:, None], 1.0 + np.arange(10)[:, None] + STEPS / 100, 0)[..., None].astype("float32")


def epoch(batches):
    return [batches[i] for i in range(len(batches))]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "int32", "uint8", "bool"])
def test_one_array_comes_in_the_order_of_its_seed_and_as_it_is(dtype):
    x = RNG.integers(0, 2, (11, 2, 3)).astype(dtype)
    for number in range(3):
        batches = ArrayBatches(x, 4, seed=7, initial_epoch=number)
        order = np.random.default_rng([7, number, 0]).permutation(11)  # that of every seeded stream
        for got, rows in zip(epoch(batches), np.split(order, [4, 8]), strict=True):
            assert got.dtype == x.dtype
            np.testing.assert_array_equal(got, x[rows])


def test_rows_of_several_arrays_stay_together():
    x = {"x": RNG.normal(size=(10, 3)), "condition": np.arange(10), "mask": np.eye(10, dtype="int8")}
    batches = ArrayBatches(x, 3, seed=1, drop_remainder=True)
    assert len(batches) == 3
    seen = []
    for batch in epoch(batches):
        assert list(batch) == ["x", "condition", "mask"] and batch["mask"].dtype == np.int8
        np.testing.assert_array_equal(batch["x"], x["x"][batch["condition"]])
        np.testing.assert_array_equal(batch["mask"].argmax(axis=1), batch["condition"])
        seen.extend(batch["condition"])
    assert len(set(seen)) == 9


def test_arrays_by_level_stay_together_under_their_name():
    codes = {"top": np.arange(10), "bottom": np.arange(10, 20)[:, None]}
    for x in (codes, {"x": codes, "condition": np.arange(10)}):
        batches = ArrayBatches(x, 4, seed=3)
        for batch in (batches[i] for i in range(len(batches))):
            levels = batch.get("x", batch)
            np.testing.assert_array_equal(levels["bottom"][:, 0], levels["top"] + 10)
            np.testing.assert_array_equal(levels["top"], batch.get("condition", levels["top"]))
        assert set(batch) == set(x)
    other = {"x": {**codes, "top": codes["top"] + 1}, "condition": np.arange(10)}
    assert described(ArrayBatches(other, 4, seed=3)) != described(batches)


def test_sequences_are_cut_to_the_longest_of_their_batch():
    codes = {"x": WAVES, "codes": np.arange(120, dtype="int32").reshape(10, 12), "condition": np.ones((10, 12))}
    options = {"shuffle": False, "lengths": LENGTHS, "multiple_of": 5, "sequences": ("x", "codes")}
    batches = epoch(ArrayBatches(codes, 4, **options))
    # Longest 3, 12 and 4: rounded up to multiples of 5, though the arrays end at 12.
    for batch, rows, size in zip(batches, (slice(4), slice(4, 8), slice(8, 10)), (5, 15, 5), strict=True):
        assert batch["x"].shape[1:] == (size, 1) and batch["mask"].dtype == np.float32
        np.testing.assert_array_equal(batch["mask"], np.arange(size) < LENGTHS[rows, None])
        kept = min(size, 12)
        np.testing.assert_array_equal(batch["x"][:, :kept], WAVES[rows, :kept])
        np.testing.assert_array_equal(batch["codes"][:, :kept], codes["codes"][rows, :kept])
        np.testing.assert_array_equal(batch["x"][:, kept:], 0)
        np.testing.assert_array_equal(batch["condition"], codes["condition"][rows])  # named by nobody
        assert batch["codes"].dtype == np.int32


def test_a_single_array_with_lengths_becomes_a_dict():
    batch = ArrayBatches(np.array([[4, 5, 0], [6, 0, 0]]), 2, shuffle=False, lengths=[2, 1], multiple_of=1)[0]
    assert {name: array.tolist() for name, array in batch.items()} == {
        "x": [[4, 5], [6, 0]],
        "mask": [[1.0, 1.0], [1.0, 0.0]],
    }


def test_sizes_are_few_and_the_first_two_batches_of_any_epoch_differ():
    lengths = np.array([7] * 9 + [1])  # most batches hold a longest sequence
    batches = ArrayBatches(np.zeros((10, 8, 1)), 2, seed=3, lengths=lengths, multiple_of=3)
    sizes = []
    for number in range(20):
        batches.start(number)
        sizes.append([batch["x"].shape[1] for batch in epoch(batches)])
        assert sizes[-1] == [batch["mask"].shape[1] for batch in epoch(batches)]
    assert all(first != second for first, second, *_ in sizes)
    assert {size for row in sizes for size in row} == {9, 12}  # multiples of 3 up to 9, and one more
    assert all(row[0] == 9 and row[2:] == [9, 9, 9] for row in sizes)
    equal = epoch(ArrayBatches(np.zeros((10, 8, 1)), 2, lengths=lengths - (lengths > 1), multiple_of=6))
    assert {batch["x"].shape[1] for batch in equal} == {6}  # where no other size is possible there is one


def test_a_lone_batch_has_one_size_in_every_epoch():
    batches = ArrayBatches(WAVES, 3, lengths=LENGTHS, multiple_of=2, drop_remainder=True)
    assert len(batches) == 3
    alone = ArrayBatches(WAVES, 6, lengths=LENGTHS, multiple_of=2, drop_remainder=True)
    for number in range(8):
        alone.start(number)
        assert len(alone) == 1 and alone[0]["x"].shape == (6, 12, 1)


class Level(keras.Model):
    """One weight, drawn to the sum over each example's true steps: it depends on every batch and on their order."""

    def build(self, input_shape):
        self.level = self.add_weight(shape=(), initializer="zeros", name="level")

    def call(self, x):
        sums = ops.sum(x["x"][..., 0] * x["mask"], axis=1) + ops.cast(x["condition"], "float32")
        return self.level - sums

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.square(y_pred))


def level():
    model = Level()
    model.build(None)
    model.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    return model


def stream(**kwargs):
    # Batches of two: in some epochs the first ones are short, and longer ones follow.
    x = {"x": WAVES, "condition": np.arange(10)}
    return ArrayBatches(x, 2, **{"seed": 4, "lengths": LENGTHS, "multiple_of": 4, **kwargs})


def by_hand(epochs):
    sums, weight = [WAVES[i, :length].sum() + i for i, length in enumerate(LENGTHS)], 0.0
    for number in range(epochs):
        for rows in np.random.default_rng([4, number, 0]).permutation(10).reshape(5, 2):
            weight -= 0.1 * np.mean([2 * (weight - sums[i]) for i in rows])
    return weight


def test_training_sees_every_step_of_every_sequence(tmp_path):
    model = level()
    fit_resumable(model, stream(), 3, tmp_path, verbose=0)
    assert float(harness.numpy(model.level)) == pytest.approx(by_hand(3), rel=1e-5)


def test_a_resumed_run_is_the_run_that_was_not_interrupted(tmp_path):
    whole, first, second = level(), level(), level()
    fit_resumable(whole, stream(), 4, tmp_path / "whole", verbose=0)
    fit_resumable(first, stream(), 2, tmp_path / "parts", verbose=0)
    fit_resumable(second, stream(), 4, tmp_path / "parts", resumed=True, verbose=0)
    harness.assert_same_weights(harness.weights(whole), harness.weights(second))
    with pytest.raises(ValueError, match="`data.lengths.sha256`: checkpoint"):
        fit_resumable(level(), stream(lengths=np.minimum(LENGTHS, 11)), 5, tmp_path / "parts", resumed=True)


def test_a_stream_says_what_it_depends_on():
    first = described(stream())
    assert described(stream(initial_epoch=3)) == first and first["x"]["condition"]["shape"] == [10]
    changes = [{"lengths": None}, {"lengths": np.minimum(LENGTHS, 11)}, {"multiple_of": 2}, {"seed": 5}]
    others = [described(stream(**change)) for change in [*changes, {"shuffle": False}, {"drop_remainder": True}]]
    others.append(described(ArrayBatches({"x": WAVES + 1, "condition": np.arange(10)}, 2, 4, LENGTHS, 4)))
    others.append(described(ArrayBatches({"x": WAVES, "condition": np.arange(10)}, 3, 4, LENGTHS, 4)))
    assert all(other != first for other in others)


NAN = np.array([[1.0], [np.nan]])


@pytest.mark.parametrize(
    ("x", "options", "error", "message"),
    [
        (NAN, {}, ValueError, "`x` must be finite. Received: 1 NaN"),
        ({"x": WAVES[:2], "condition": NAN}, {}, ValueError, r"`x\['condition'\]` must be finite"),
        (np.zeros((0, 3)), {}, ValueError, r"`x` must hold at least one example. Received: shape=\(0, 3\)"),
        ({}, {}, ValueError, "`x` must be an array, or a dict of one or more"),
        ({"x": WAVES, "condition": np.arange(9)}, {}, ValueError, r"`x\['condition'\]` must hold 10 .* Received: 9"),
        (np.array(["a", "b"]), {}, TypeError, "`x` must be an array of numbers"),
        ([1.0, 2.0], {}, TypeError, "`x` must be an array, or a dict of them. Received: a list"),
        ({"x": {"top": WAVES, "low": WAVES[:9]}}, {}, ValueError, r"`x\['x'\]\['low'\]` must hold 10 examples"),
        ({"x": [1.0, 2.0]}, {}, TypeError, r"`x\['x'\]` must be an array. Received: a list"),
        (WAVES, {"batch_size": 0}, ValueError, "`batch_size` must be an integer >= 1"),
        (WAVES, {"batch_size": 11, "drop_remainder": True}, ValueError, "`batch_size` must be at most the number"),
        (WAVES, {"multiple_of": 0}, ValueError, "`multiple_of` must be an integer >= 1"),
        (WAVES, {"lengths": LENGTHS[:9]}, ValueError, r"`lengths` must have shape \(10,\). Received: shape=\(9,\)"),
        (WAVES, {"lengths": LENGTHS + 0.5}, TypeError, "`lengths` must be whole numbers. Received: dtype=float64"),
        (
            WAVES,
            {"lengths": LENGTHS - 1},
            ValueError,
            "`lengths` must be from 1 to 12.* Received: lengths from 0 to 11",
        ),
        (
            WAVES,
            {"lengths": LENGTHS + 1},
            ValueError,
            "`lengths` must be from 1 to 12.* Received: lengths from 2 to 13",
        ),
        (WAVES[:, 0, 0], {"lengths": LENGTHS}, ValueError, r"`sequences` must name arrays of shape \(n, time, ...\)"),
        ({"y": WAVES}, {"lengths": LENGTHS}, ValueError, r"`sequences` must name.*Received: sequences=\('x',\)"),
        (WAVES, {"lengths": LENGTHS, "sequences": ()}, ValueError, "`sequences` must name"),
        ({"x": WAVES, "mask": WAVES}, {"lengths": LENGTHS}, ValueError, '`x` must have no "mask"'),
    ],
)
def test_bad_arguments(x, options, error, message):
    with pytest.raises(error, match=message):
        ArrayBatches(x, **options)
