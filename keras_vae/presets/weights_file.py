"""The inside of a weights file: plain arrays as Keras writes them, described without reading any of them."""

import math
import os

import h5py

from keras_vae.presets.preset_error import PresetError

ITEMS = 20_000  # groups and arrays: those of some five thousand layers
DEPTH = 100
NAME = 200  # characters
ATTRIBUTES, ATTRIBUTE_BYTES = 8, 1024  # of one item: Keras writes its name, and a dtype that HDF5 does not know
KINDS = {"f": "floats", "i": "integers", "u": "integers", "b": "integers"}


def weights_layout(path, where):
    """What a weights file holds: {name: (shape, "floats" or "integers")}.

    HDF5 files can declare arrays of any size without holding them (chunks, filters, values that were never written, one
    block as the content of many arrays), and can link to other files. All of that is refused, and so the arrays take no
    more memory than the file has bytes.

    Args:
        path: path-like.
        where: str or path, what to call the file in an error.

    Raises:
        PresetError: whatever is wrong, and whatever h5py raises.
    """
    try:
        with h5py.File(path, "r") as file:
            return _Walk(os.path.getsize(path)).through(file)
    except Exception as error:  # h5py: OSError, RuntimeError, KeyError, TypeError, UnicodeDecodeError, ...
        raise PresetError(f"{where} is not a file of weights as Keras saves them: {error}") from error


class _Walk:
    def __init__(self, size):
        self.size = size  # of the file, in bytes
        self.bytes = 0  # of the arrays met so far
        self.seen = set()  # addresses
        self.found = {}

    def through(self, group, place="", depth=1):
        _require(depth <= DEPTH, f"{place!r} lies deeper than {DEPTH} groups")
        _require(len(self.seen) + len(group) <= ITEMS, f"it has more than {ITEMS} items")
        for name in group:
            inside = f"{place}/{name}" if place else name
            plain = isinstance(name, str) and len(name) <= NAME and name.isprintable()
            _require(plain, f"one of its names is {name[:NAME]!r}")
            _require(isinstance(group.get(name, getlink=True), h5py.HardLink), f"{inside} is a link")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            _require(address not in self.seen, f"{inside} is another name of an earlier item")
            self.seen.add(address)
            _check_attributes(item, inside)
            if isinstance(item, h5py.Group):
                self.through(item, inside, depth + 1)
            else:
                _require(isinstance(item, h5py.Dataset), f"{inside} is a {type(item).__name__}")
                self.found[inside] = self.describe(item, inside)
        return self.found

    def describe(self, array, name):
        kind = KINDS.get(array.dtype.kind)
        if array.dtype == "V2" and array.attrs.get("dtype") == "bfloat16":
            kind = "floats"
        _require(kind is not None and array.dtype.itemsize <= 8, f"{name} holds {array.dtype}, not numbers")
        stored = array.id.get_create_plist()
        simple = stored.get_layout() in (h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS)
        _require(
            simple and not stored.get_nfilters() and not stored.get_external_count(),
            f"{name} is stored in chunks, compressed or elsewhere",
        )
        declared = math.prod(array.shape) * array.dtype.itemsize
        end = (array.id.get_offset() or 0) + declared
        self.bytes += declared
        _require(
            declared == array.id.get_storage_size() and max(end, self.bytes) <= self.size,
            f"{name} of shape {array.shape} declares more than the file holds",
        )
        return array.shape, kind


def _check_attributes(item, name):
    _require(len(item.attrs) <= ATTRIBUTES, f"{name} has {len(item.attrs)} attributes")
    for key in item.attrs:
        attribute = item.attrs.get_id(key)
        size = max(attribute.get_storage_size(), math.prod(attribute.shape))
        _require(size <= ATTRIBUTE_BYTES, f"{name} has an attribute of {size} bytes")


def _require(right, fault):
    if not right:
        raise ValueError(fault)
