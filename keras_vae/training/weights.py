"""The content of a `.weights.h5` file in memory: Python writes it, so that HDF5 never meets a disk that is full."""

import io

import h5py


class _Memory(io.BytesIO):
    def __str__(self):
        return "memory.weights.h5"  # Keras asks for the suffix of whatever it is given


def weights_as_bytes(model):
    """What `model.save_weights` writes: weights and, where the model is compiled, the optimizer's state.

    Where HDF5 itself writes and the disk is full, the error comes while the file is closed, and leaves the library in a
    state in which the process is killed by a segmentation fault later on. Bytes that Python writes fail cleanly.

    Args:
        model: built keras.Model.

    Returns:
        memoryview, to be written to a file that ends in `.weights.h5`.
    """
    memory = _Memory()
    model.save_weights(memory)
    return memory.getbuffer()


def load_weights_from_bytes(model, content):
    """`model.load_weights` of what `weights_as_bytes` returned, or of the bytes of a `.weights.h5` file.

    Args:
        model: built keras.Model.
        content: bytes.
    """
    model.load_weights(_Memory(content))


def shapes_in_bytes(content):
    """The path, shape and type of every array in the bytes of a `.weights.h5` file: {path: "(2, 3) float32"}."""
    shapes = {}

    def visit(path, item):
        if isinstance(item, h5py.Dataset):
            shapes[path] = f"{item.shape} {item.dtype}"

    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(visit)
    return shapes
