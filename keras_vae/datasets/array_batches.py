"""Batches of arrays that are in memory: one, or several of equal length by name, cut to the sequences they hold."""

import numpy as np

from keras_vae.core.checks import integer
from keras_vae.datasets.seeded_batches import SeededBatches
from keras_vae.training.data import check_values, is_array


class ArrayBatches(SeededBatches):
    """Batches of any arrays, reshuffled each epoch: x alone, or with a condition, a mask or whatever else.

    What `fit` is to see batch by batch and `ImageBatches` does not serve: codes, sequences, vectors of features, and
    the dicts that conditional and masked models take as `x`. Each batch holds the same rows of every array, in the
    array's own dtype. A batch depends on the seed, the epoch and its number.

    With `lengths`, sequences of several lengths, stored padded to a common one, are cut to the longest of their batch,
    rounded up to a multiple of `multiple_of`, and "mask" says what is sequence: mask[i, t] = 1 where t < lengths[i],
    otherwise 0. A compiled step is traced anew for each size, so there are few: multiples of `multiple_of` up to the
    longest sequence rounded up, and one more. That one is there because Keras, on TensorFlow, takes an axis to be fixed
    if it is equal in the first two batches: where the second batch of an epoch would have the size of the first, it is
    `multiple_of` longer. All batches have one size where only one is possible, or where an epoch has one batch.

    Args:
        x: array (n, ...) of numbers, or dict of such arrays by name, equal in n, such as {"x": (n, time, channels),
            "condition": (n,) or (n, c)}; an entry may be a dict of arrays itself, such as codes by level. Arrays are
            kept as they are, not copied.
        batch_size: int, examples in a batch, >= 1. Default 128.
        seed: int, >= 0, of the order. Default 0.
        lengths: int array (n,), steps of each sequence, from 1 to the size of axis 1, or None. Default None: axis 1 is
            like any other.
        multiple_of: int, >= 1, what sizes of axis 1 are multiples of, such as the strides of the encoder; without
            `lengths` it has no effect. Default 64.
        sequences: sequence of str, the arrays of a dict whose axis 1 is cut. Default ("x",).
        **kwargs: `shuffle`, bool, a new order each epoch, default True; `drop_remainder`, bool, leave out the last
            batch where it is smaller than the others, default False; `initial_epoch`, int, the number of the first
            epoch, >= 0, default 0.

    Returns:
        A `keras.utils.PyDataset`, to `fit` on, of arrays (batch, ...), or of dicts of them where `x` is one. With
        `lengths` of dicts always, with the float32 "mask" (batch, time); a single array is their "x".

    Raises:
        TypeError: an array that holds no numbers, or `lengths` that are not whole numbers.
        ValueError: an array that is empty, or has NaN, infinite values or another number of examples than the first;
            `lengths` out of range; a "mask" beside `lengths`; `sequences` that are not in `x`; a number out of range.

    Example:

    >>> import numpy as np
    >>> from keras_vae.datasets import ArrayBatches
    >>> waves = np.zeros((3, 100, 1), "float32")
    >>> batches = ArrayBatches({"x": waves, "condition": np.array([7, 8, 9])}, 2, shuffle=False)
    >>> batches[0]["x"].shape, batches[0]["condition"].tolist()
    ((2, 100, 1), [7, 8])
    >>> batches = ArrayBatches(waves, 2, shuffle=False, lengths=[2, 19, 50], multiple_of=20)
    >>> [(batch["x"].shape, batch["mask"].sum(axis=1).tolist()) for batch in batches]
    [((2, 20, 1), [2.0, 19.0]), ((1, 60, 1), [50.0])]
    """

    def __init__(self, x, batch_size=128, seed=0, lengths=None, multiple_of=64, sequences=("x",), **kwargs):
        self._arrays = _checked(x)
        self.x = _nested(self._arrays) if isinstance(x, dict) else self._arrays["x"]
        super().__init__(len(next(iter(self._arrays.values()))), batch_size, seed=seed, **kwargs)
        self.multiple_of = integer("multiple_of", multiple_of)
        self.sequences = tuple(sequences)
        self.lengths = None if lengths is None else self._checked_lengths(lengths)

    def __getitem__(self, index):
        """Batch number `index` of the present epoch."""
        epoch, batch = self.epoch, super().__getitem__(index)
        if self.lengths is None or range(len(self))[index] != 1:
            return batch
        size, first = batch["mask"].shape[1], self._size(self._rows(epoch)[: self.batch_size])
        if size == first and self._rounded(self.lengths.min()) < self._rounded(self.lengths.max()):
            longer = {name: _resized(batch[name], size + self.multiple_of) for name in (*self.sequences, "mask")}
            return {**batch, **longer}
        return batch

    def make_batch(self, rows, rng):
        """The rows `rows` of every array, cut to the longest sequence among them where there are lengths."""
        batch = _nested({name: np.take(array, rows, axis=0) for name, array in self._arrays.items()})
        if self.lengths is None:
            return batch if isinstance(self.x, dict) else batch["x"]
        size = self._size(rows)
        mask = (np.arange(size) < self.lengths[rows, None]).astype("float32")
        return {**batch, **{name: _resized(batch[name], size) for name in self.sequences}, "mask": mask}

    def _size(self, rows):
        """Steps of the batch of `rows`; those of a lone batch do not change with what `drop_remainder` leaves out."""
        return self._rounded(self.lengths[rows].max() if len(self) > 1 else self.lengths.max())

    def _rounded(self, length):
        return -(-int(length) // self.multiple_of) * self.multiple_of

    def _checked_lengths(self, lengths):
        shapes = {name: array.shape for name, array in self._arrays.items()}
        if not self.sequences or any(len(shapes.get(name, ())) < 2 for name in self.sequences):
            raise ValueError(
                "`sequences` must name arrays of shape (n, time, ...) where there are `lengths`. "
                f"Received: sequences={self.sequences!r} for arrays of shapes {shapes}."
            )
        if "mask" in shapes:
            raise ValueError('`x` must have no "mask" where there are `lengths`, which make one. Received: both.')
        lengths = np.asarray(lengths)
        if lengths.dtype.kind not in "iu":
            raise TypeError(f"`lengths` must be whole numbers. Received: dtype={lengths.dtype}.")
        if lengths.shape != (self.count,):
            raise ValueError(f"`lengths` must have shape ({self.count},). Received: shape={lengths.shape}.")
        longest = min(shapes[name][1] for name in self.sequences)
        if lengths.min() < 1 or lengths.max() > longest:
            raise ValueError(
                f"`lengths` must be from 1 to {longest}, the size of axis 1. "
                f"Received: lengths from {lengths.min()} to {lengths.max()}."
            )
        return lengths


def _checked(x):
    """The arrays of `x` by name, or by (name, level), finite and equal in length; a single one is "x"."""
    named = isinstance(x, dict)
    if named and not x:
        raise ValueError("`x` must be an array, or a dict of one or more. Received: an empty dict.")
    arrays, count = {}, None
    for key, value in _leaves(x) if named else [("x", x)]:
        path = key if isinstance(key, tuple) else (key,)
        name = "x" + "".join(f"[{part!r}]" for part in path) if named else "x"
        if not is_array(value):
            accepted = "an array" if named else "an array, or a dict of them"
            raise TypeError(f"`{name}` must be {accepted}. Received: a {type(value).__name__}.")
        arrays[key] = check_values(name, value)
        count = count or len(arrays[key])
        if len(arrays[key]) != count:
            raise ValueError(f"`{name}` must hold {count} examples, as the first does. Received: {len(arrays[key])}.")
    return arrays


def _leaves(x):
    """(name, or (name, level), and array) of each array of a dict of arrays, or of dicts of them."""
    for name, part in x.items():
        if isinstance(part, dict) and part:
            yield from (((name, level), array) for level, array in part.items())
        else:
            yield name, part


def _nested(arrays):
    """What `_leaves` took apart."""
    whole = {}
    for name, array in arrays.items():
        if isinstance(name, tuple):
            whole.setdefault(name[0], {})[name[1]] = array
        else:
            whole[name] = array
    return whole


def _resized(array, size):
    """The first `size` steps of axis 1, zeros added where it has fewer."""
    missing = max(0, size - array.shape[1])
    return np.pad(array[:, :size], [(0, 0), (0, missing)] + [(0, 0)] * (array.ndim - 2))
