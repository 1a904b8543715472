"""What several processes or devices ask of a training, said before the first step."""

import math

from keras import tree

from keras_vae import _backend
from keras_vae.training.data import checked_stream, is_array

_BATCH_SIZE = 32  # Keras's own default


def check_one_process():
    """Raises in one of several processes of torch.distributed, where Keras would train one model per process.

    Codebooks would be summed over the processes while each net takes the steps of its own gradients.

    Raises:
        RuntimeError: if torch.distributed is initialised with more than one process.
    """
    _, count = _backend.replica()
    if count > 1:
        raise RuntimeError(
            "`fit` must run in one process on torch: Keras does not average gradients over processes. Several devices "
            "work on TensorFlow (tf.distribute) and on JAX (keras.distribution). Received: torch.distributed with "
            f"{count} processes."
        )


def check_split(given, whole=False):
    """Raises if a batch cannot be divided over the devices that Keras splits it over.

    Keras would raise inside of its loop, and a JAX model has lost its variables by then. Batches of arrays and of this
    library's streams are known beforehand, the last of an epoch included; of other streams the first is looked at.

    Args:
        given: dict, the arguments of `fit`, `evaluate`, `predict` or `train_on_batch` by name.
        whole: bool, whether x is one batch. Default: False.

    Returns:
        `given`, a generator in it with its first batch put back.

    Raises:
        ValueError: the message names the sizes and the number of devices.
    """
    if (devices := _backend.devices()) == 1:
        return given
    size = given.get("batch_size") or _BATCH_SIZE
    x, validation = given["x"], given.get("validation_data")
    if given.get("validation_split") and validation is None:
        count = math.floor(_count(x) * (1 - given["validation_split"]))  # as Keras cuts
        _check_sizes("validation_split", _count(x) - count, given.get("validation_batch_size") or size, devices)
        _check_sizes("x", count, size, devices)
        return given
    given = {**given, "x": _checked("x", x, None if whole else size, devices)}
    if validation is not None:
        size = given.get("validation_batch_size") or size
        pair = isinstance(validation, (tuple, list))
        first = _checked("validation_data", validation[0] if pair else validation, size, devices)
        given["validation_data"] = validation if pair else first
    return given


def _checked(name, x, size, devices):
    if is_array(x) or isinstance(x, (dict, list, tuple)):
        _check_sizes(name, _count(x), size or _count(x), devices)
        return x
    if hasattr(x, "drop_remainder"):  # a `SeededBatches`
        _check_sizes(name, x.count, x.batch_size, devices, x.drop_remainder)
        return x
    return checked_stream(x, lambda part, where: _check_sizes(where, _count(part), _count(part), devices), name)


def _count(x):
    return len(tree.flatten(x)[0])


def _check_sizes(name, count, size, devices, drop_remainder=False):
    sizes = {min(size, count), 0 if drop_remainder else count % size}
    if any(size % devices for size in sizes):
        told = " and ".join(str(size) for size in sorted(sizes - {0}, reverse=True))
        raise ValueError(
            f"`{name}` must come in batches that can be divided over {devices} devices. Received: batches of {told} "
            "examples. Choose another `batch_size`, or leave out the examples that remain."
        )
