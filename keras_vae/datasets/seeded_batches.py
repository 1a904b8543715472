"""Batches whose content is a function of the seed, the epoch and the batch's number alone."""

import keras
import numpy as np

from keras_vae.core.checks import integer


class SeededBatches(keras.utils.PyDataset):
    """Abstract stream of batches, reshuffled each epoch; a batch depends on (seed, epoch, index) and on nothing else.

    Reading a batch twice, in any order or ahead of its turn gives the same batch, so a run repeats on every backend,
    and `initial_epoch` lets a resumed run go on where it stopped. `fit` takes the batches of an epoch in an order of
    its own, by the seed of `keras.utils.set_random_seed`, unless it is called with `shuffle=False`. There is no
    `workers` argument: with more than one, Keras 3.15 hands batches of one epoch on to the next on JAX and torch.
    Derived classes say what a batch holds by overriding `make_batch`.

    Args:
        count: int, the number of examples, >= 1.
        batch_size: int, examples in a batch, >= 1.
        shuffle: bool, a new order each epoch. Default True.
        seed: int, >= 0, of the order and of all draws. Default 0.
        drop_remainder: bool, leave out the last batch where it is smaller than the others. Default False.
        initial_epoch: int, the number of the first epoch, >= 0. Default 0.

    Raises:
        ValueError: a number out of range, or no whole batch where `drop_remainder` is True.
    """

    def __init__(self, count, batch_size, shuffle=True, seed=0, drop_remainder=False, initial_epoch=0):
        super().__init__()
        self.count = integer("count", count)
        self.batch_size = integer("batch_size", batch_size)
        self.shuffle = bool(shuffle)
        self.seed = integer("seed", seed, low=0)
        self.drop_remainder = bool(drop_remainder)
        self.epoch = integer("initial_epoch", initial_epoch, low=0)
        self._order = (None, None)
        self._read = set()  # batches of the present epoch that have been asked for
        self._begun, self._looked_at = False, None  # between `on_epoch_begin` and its end; an epoch without a beginning
        if not len(self):
            raise ValueError(
                f"`batch_size` must be at most the number of examples, {count}, where `drop_remainder` is True. "
                f"Received: batch_size={batch_size}."
            )

    def __len__(self):
        """Batches in an epoch."""
        extra = 0 if self.drop_remainder else self.batch_size - 1
        return (self.count + extra) // self.batch_size

    def __getitem__(self, index):
        """Batch number `index` of the present epoch."""
        index, epoch = range(len(self))[index], self.epoch
        rows = self._rows(epoch)[index * self.batch_size : (index + 1) * self.batch_size]
        self._read.add(index)
        return self.make_batch(rows, np.random.default_rng([self.seed, epoch, index + 1]))

    def make_batch(self, rows, rng):
        """The batch of the examples `rows` (int array), with `rng`, a `numpy.random.Generator`, for its draws."""
        raise NotImplementedError

    def fingerprint(self):
        """What the batches of every epoch depend on, by which a checkpoint knows its data: {name: value}."""
        return {name: value for name, value in vars(self).items() if name[0] != "_" and name != "epoch"}

    def start(self, epoch):
        """Begins `epoch`, an int >= 0, from its first batch; `fit` calls it when it has looked at the data."""
        self.epoch, self._read = integer("epoch", epoch, low=0), set()
        self._begun, self._looked_at = False, None

    def on_epoch_begin(self):
        """Keras calls it before an epoch; one that ended without it was only a look at the first batches."""
        if self._looked_at is not None:
            self.epoch = self._looked_at
        self._begun, self._looked_at = True, None

    def on_epoch_end(self):
        """Goes on to the next epoch, if all of this one was read; Keras calls it.

        Keras calls it, too, when it has read a batch or two only to learn their shapes, and after `steps_per_epoch`.
        """
        if len(self._read) == len(self):
            looked_at = None if self._begun else self.epoch
            self.start(self.epoch + 1)
            self._looked_at = looked_at
        self._begun = False

    def _rows(self, epoch):
        known, rows = self._order  # one attribute, so that threads never see the order of another epoch
        if known != epoch:
            rows = np.arange(self.count)
            if self.shuffle:
                rows = np.random.default_rng([self.seed, epoch, 0]).permutation(self.count)
            self._order = (epoch, rows)
        return rows


def beside(name, values, count):
    """The array `values` with an entry for each of `count` examples, or None."""
    if values is None:
        return None
    values = np.asarray(values)
    if values.ndim == 0 or len(values) != count:
        raise ValueError(f"`{name}` must have one entry for each of {count} examples. Received: shape={values.shape}.")
    return values


def with_condition(batch, condition, rows):
    """A batch as a conditional model takes it: with the entries `rows` of `condition`, where there is one."""
    return batch if condition is None else {"x": batch, "condition": np.take(condition, rows, axis=0)}
