"""The serialized examples of a split, by index, from any file format that tensorflow-datasets writes; no TensorFlow."""

import mmap
import os
import struct

import numpy as np

from keras_vae.core.optional import require


class Records:
    """The serialized examples that a split expression selects, by index.

    `split` is any expression of tensorflow-datasets: "train", "train[:90%]", "train[100:200]", "train+test". It is
    resolved to files, first rows and counts by the dataset's own `file_instructions`, and read here file by file:
    the library's random-access readers ignore slices of Parquet files, and refuse the TFRecord files that it writes
    by default.

    Args:
        builder: `tfds.core.DatasetBuilder`, prepared.
        split: str, the split expression.

    Raises:
        ValueError: an unknown split, a malformed slice, a split without examples, or a file format unknown here.
    """

    def __init__(self, builder, split):
        instructions = [part for part in _instructions(builder, split) if part.take > 0]
        if not instructions:
            raise ValueError(
                f"`split` must select at least one example of {builder.info.name} ({_sizes(builder)}). "
                f"Received: split={split!r}."
            )
        read = _reader(builder)
        self._files = {part.filename: None for part in instructions}  # a file named twice is opened once
        self._files = {name: read(os.fspath(name)) for name in self._files}
        self._parts = [(self._files[part.filename], part.skip) for part in instructions]
        self._ends = np.cumsum([part.take for part in instructions])

    def __len__(self):
        return int(self._ends[-1])

    def __getitem__(self, index):
        index = range(len(self))[index]  # negative from the end; IndexError past it
        part = int(np.searchsorted(self._ends, index, side="right"))
        file, skip = self._parts[part]
        return file[skip + index - (int(self._ends[part - 1]) if part else 0)]


class _Parquet:
    """The rows of one Parquet file: serialized examples are in its only column."""

    def __init__(self, path):
        self._column = require("pyarrow.parquet", "data", "Reading Parquet files").read_table(path).column(0)

    def __getitem__(self, index):
        return memoryview(self._column[index].as_buffer())


class _TFRecord:
    """The records of one TFRecord file, found by one walk over its lengths: (length, crc, bytes, crc) each."""

    def __init__(self, path):
        if not os.path.getsize(path):
            raise ValueError(f"{path} is truncated: it is empty.")
        with open(path, "rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        starts, lengths, position, size = [], [], 0, len(self._bytes)
        while position < size:
            length = struct.unpack_from("<Q", self._bytes, position)[0] if position + 12 <= size else size
            if position + 16 + length > size:
                raise ValueError(f"{path} is truncated or no TFRecord file: the record at byte {position} has no end.")
            starts.append(position + 12)
            lengths.append(length)
            position += 16 + length
        self._starts, self._lengths = starts, lengths

    def __getitem__(self, index):
        start = self._starts[index]
        return self._bytes[start : start + self._lengths[index]]


def _array_record(path):
    module = require("array_record.python.array_record_data_source", "data", "Reading array_record files")
    return module.ArrayRecordDataSource([path])


def _reader(builder):
    readers = {"parquet": _Parquet, "tfrecord": _TFRecord, "array_record": _array_record}
    chosen = builder.info.file_format.value
    if chosen not in readers:
        name = builder.info.name
        raise ValueError(f"{name} must be prepared as one of {', '.join(readers)}. Received: {chosen} files.")
    return readers[chosen]


def _instructions(builder, split):
    if not isinstance(split, str):
        raise TypeError(f'`split` must be a string such as "train" or "train[:90%]". Received: split={split!r}.')
    try:
        return builder.info.splits[split].file_instructions
    except (ValueError, KeyError) as error:
        raise ValueError(
            f'`split` must be a split of {builder.info.name} ({_sizes(builder)}) or a slice such as "train[:90%]". '
            f"Received: split={split!r}."
        ) from error


def _sizes(builder):
    return ", ".join(f"{name}: {info.num_examples:,}" for name, info in builder.info.splits.items())
