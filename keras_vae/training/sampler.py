"""A compiled function of a model's weights: arrays in, arrays out, one trace per batch size."""

import threading
import time

import keras
import numpy as np
from keras import ops, tree

from keras_vae import _backend
from keras_vae.ops.levels import in_order, mapped, order_of
from keras_vae.ops.numerics import float32


class Sampler(keras.Model):
    """A Keras model whose `call` is a pure function of a model's weights, so that Keras compiles it on every backend.

    Noise comes in as an input: the same noise gives the same result on every backend, and no random state is touched.
    A single batch is padded up to 2, 8, 32, 128, ... rows, at most `batch_size`, and the last of several to
    `batch_size`, so that few shapes are ever traced. Any number of threads may run it, but not while the owner's `fit`,
    `evaluate` or `predict` runs: on JAX these take the weights out of the model until they are done.

    Args:
        owner: keras.Model whose weights `function` reads.
        function: callable, a dict of tensors, or of nests -> a tensor or nest of tensors, the batch as first axis.
        supports_jit: bool, whether XLA may compile it. Default: True.
        jit: bool, whether XLA must compile it, on TensorFlow too: for loops, whose every pass costs as much as it has
            rows. A single batch is then padded only to a number of rows that was compiled before, and at most to twice
            its own: to compile a loop anew takes longer. Default: False.
        **kwargs: of keras.Model.

    Example:

    >>> import numpy as np, keras
    >>> from keras_vae.training import Sampler
    >>> double = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(2.0))
    >>> double.build((None, 1))
    >>> Sampler(double, lambda inputs: double(inputs["x"])).run({"x": np.ones((3, 1), "float32")}).tolist()
    [[2.0], [2.0], [2.0]]
    """

    def __init__(self, owner, function, supports_jit=True, jit=False, **kwargs):
        # The owner has its own dtype policy; this one only hands tensors over.
        super().__init__(dtype="float32", **kwargs)
        self.owner = owner
        self.function = function
        self.supports_jit = supports_jit
        self.jit = jit
        self.compiled = set()  # numbers of rows
        if jit and keras.backend.backend() != "torch":
            self.jit_compile = True
        self.built = True
        self.answer = _backend.compiled(self)

    def call(self, inputs):
        found = self.function(inputs)
        vars(self)["order"] = order_of(found)  # here, while it is traced: JAX gives dicts back in the order of names
        # Half-precision types of a mixed policy are not numpy's: what leaves for the host is float32.
        return tree.map_structure(float32, found)

    def run(self, inputs, batch_size=128, progress=False):
        """Runs the function over arrays in batches; returns numpy.

        Args:
            inputs: dict of arrays, or of nests of them, with the same first axis.
            batch_size: int, the largest batch. Default: 128.
            progress: bool, whether a bar is shown where the batches take longer than a few seconds. Default: False.

        Returns:
            Array or nest of arrays, the batches concatenated.
        """
        sizes = []
        inputs = mapped(lambda value: _counted(value, sizes), inputs)
        total = sizes[0]
        outputs = []
        bar = Progress(total) if progress and total > batch_size else None
        for start in range(0, total, batch_size):
            size = min(batch_size, total - start)
            padded = batch_size if total > batch_size else self._padded(size, batch_size)
            result = self.answer(_rows(inputs, start, start + size, padded))
            self.compiled.add(padded)
            outputs.append(tree.map_structure(lambda value, size=size: ops.convert_to_numpy(value)[:size], result))
            if bar:
                bar.at(start + size)
        return in_order(tree.map_structure(lambda *parts: np.concatenate(parts), *outputs), self.order)

    def _padded(self, size, batch_size):
        """How many rows a single batch of `size` gets."""
        if not self.jit:
            return min(batch_size, 1 << ((size - 1).bit_length() | 1))
        if keras.backend.backend() == "torch":  # it compiles nothing
            return size
        return min((rows for rows in tuple(self.compiled) if size <= rows <= min(2 * size, batch_size)), default=size)


def _rows(inputs, start, stop, size):
    """Rows `start` to `stop` of every array of a nest, `size` with those that are added."""
    return mapped(lambda value: padded_to(value[start:stop], size), inputs)


def _counted(value, sizes):
    """`value` as an array, its number of rows added to the list `sizes`."""
    value = np.asarray(value)
    sizes.append(len(value))
    return value


def padded_to(value, size):
    """`value` with its last row repeated until it has `size` rows."""
    missing = size - len(value)
    return np.concatenate([value, np.repeat(value[-1:], missing, axis=0)]) if missing else value


class Progress:
    """Keras's bar, from the moment that it is clear that the rest takes longer than a few seconds."""

    def __init__(self, total, unit="sample", patience=3.0):
        self.total, self.unit, self.patience, self.begin, self.bar = total, unit, patience, time.monotonic(), None

    def at(self, done):
        spent = time.monotonic() - self.begin
        if self.bar is None and spent * (self.total - done) / done > self.patience:
            self.bar = keras.utils.Progbar(self.total, unit_name=self.unit)
        if self.bar is not None:
            self.bar.update(done)


class SamplerCache:
    """The samplers of one model, made when first used. A plain object, so that Keras neither tracks nor saves it."""

    def __init__(self):
        self._samplers, self._lock = {}, threading.Lock()

    def get(self, key, owner, function, **options):
        """The sampler under `key`, made of the other arguments if it is not there yet."""
        with self._lock:  # threads that ask at once get one sampler, which is traced once
            if key not in self._samplers:
                self._samplers[key] = Sampler(owner, function, name=f"sampler_{key}", **options)
            return self._samplers[key]
