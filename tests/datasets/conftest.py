"""Small prepared datasets, written by hand so that the loader is tested where no real dataset is: no TensorFlow."""

import functools
import io
import json
import struct

import numpy as np
import pytest


def encoded(image):
    """An image as the bytes of a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.squeeze(image, -1) if image.shape[-1] == 1 else image).save(buffer, "png")
    return buffer.getvalue()


def _varint(number):
    out = bytearray()
    number &= (1 << 64) - 1
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def _field(number, content):
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def serialized(example):
    """A tf.Example, as protocol buffers spell it: images or whole numbers by name."""
    features = b""
    for name, value in example.items():
        if isinstance(value, np.ndarray):
            feature = _field(1, _field(1, encoded(value)))
        else:
            feature = _field(3, _field(1, _varint(int(value))))
        features += _field(1, _field(1, name.encode()) + _field(2, feature))
    return _field(1, features)


def _write_tfrecord(path, records):
    with open(path, "wb") as file:
        for record in records:
            file.write(struct.pack("<QI", len(record), 0) + record + struct.pack("<I", 0))


def _write_parquet(path, records):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"data": pyarrow.array(records, pyarrow.binary())})
    pyarrow.parquet.write_table(table, path, row_group_size=7)  # several chunks in the column


def _write_array_record(path, records):
    from array_record.python.array_record_module import ArrayRecordWriter

    writer = ArrayRecordWriter(str(path), "group_size:1")
    for record in records:
        writer.write(record)
    writer.close()


WRITERS = {"tfrecord": _write_tfrecord, "parquet": _write_parquet, "array_record": _write_array_record}


def write(root, name, splits, features, form="tfrecord", shards=2, version="1.0.0"):
    """Prepares a dataset: `splits` are lists of examples, dicts of uint8 images and whole numbers; gives its folder."""
    folder = root / name / version
    folder.mkdir(parents=True)
    infos = []
    for split, examples in splits.items():
        parts = np.array_split(np.arange(len(examples)), shards)
        for i, rows in enumerate(parts):
            path = folder / f"{name.split('/')[0]}-{split}.{form}-{i:05d}-of-{shards:05d}"
            WRITERS[form](path, [serialized(examples[r]) for r in rows])
        infos.append(
            {
                "name": split,
                "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
                "numBytes": "1",
                "shardLengths": [str(len(rows)) for rows in parts],
            }
        )
    info = {"name": name.split("/")[0], "version": version, "fileFormat": form, "splits": infos}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    features.save_config(folder)
    return folder


@pytest.fixture
def prepare(tmp_path):
    """`write`, into a data directory of the test's own."""
    return functools.partial(write, tmp_path)
