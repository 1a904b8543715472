"""What a prior is trained on: the latents of a whole data set, encoded once, in memory or in files."""

import contextlib
import hashlib
import json
import pathlib
import tempfile

import keras
import numpy as np
from keras import tree

from keras_vae.core.folders import replaced_folder
from keras_vae.training.data import is_array
from keras_vae.training.fingerprint import described
from keras_vae.training.sampler import Progress

MEMORY_LIMIT = 2**30  # bytes of latents that are held in memory; more of them stay in files, and are read from there
BATCH = 128  # examples of an array that are encoded at a time
IDENTITY = "identity.json"  # beside the files, what they were made of


@contextlib.contextmanager
def encoded_latents(model, x, condition=None, seed=0, folder=None, verbose="auto"):
    """The latents of x, codes or draws of the posterior, and what else the prior sees: arrays, valid in the block.

    They are encoded once, batch by batch. With `folder` they stay there, and are read from it where it holds those of
    this data and this encoder already: arrays and streams of this library are compared by their content, others by
    their first batch and their length. Without, they are in memory, or, where they are larger than `MEMORY_LIMIT`, in a
    temporary folder that is removed when the block ends.

    Args:
        model: built model with a prior.
        x: array, or dict with the further inputs; or a stream of such batches that has a length and can be read again.
        condition: of x, where it is an array and the model conditional, or None. Default: None.
        seed: int >= 0, of draws of the posterior. Default: 0.
        folder: `pathlib.Path`, what is to be written, or None. Default: None.
        verbose: "auto", 0, 1 or 2; 0 shows no bar. Default: "auto".

    Yields:
        Array (n, *latent_shape), or a dict {"x": latents, "condition": ...} for a prior that sees the condition.
    """
    batches = _Batches(model, x, condition, seed)
    first = batches.encoded(0, batches.first)
    rows = [np.asarray(part) for part in tree.flatten(first)]
    with contextlib.ExitStack() as stack:
        if folder is None and len(batches) * sum(part.nbytes for part in rows) > MEMORY_LIMIT:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))) / "all"
        if folder is None:
            parts = [[] for _ in rows]
            _encode(batches, [part.append for part in parts], verbose)
            arrays = [np.concatenate(part) for part in parts]
        else:
            arrays = _in_files(batches, first, folder, verbose)
        yield tree.pack_sequence_as(first, arrays)


class _Batches:
    """The batches of an array, or of a stream's present epoch, as what the model encodes."""

    def __init__(self, model, x, condition, seed):
        self.model, self.x, self.seed = model, x, seed
        self.stream = not (is_array(x) or isinstance(x, (dict, list, tuple)))
        if not self.stream:
            self.x = model.host_inputs(x, condition)
            self.count = -(-len(tree.flatten(self.x)[0]) // BATCH)
        elif not (hasattr(x, "__len__") and (hasattr(x, "num_batches") or hasattr(x, "__iter__"))):
            raise TypeError(
                "`x` must be an array, or a stream of batches that has a length and can be read again. "
                f"Received: a {type(x).__name__}."
            )
        else:
            if condition is not None:
                raise ValueError(
                    '`condition` must be in the batches of a stream: {"x": ..., "condition": ...}. Received: both.'
                )
            self.count = len(x)
        self.first = next(iter(self), None)
        if self.first is None:
            raise ValueError(f"`x` must hold at least one batch. Received: an empty {type(x).__name__}.")
        self.rows = len(tree.flatten(self.first)[0])

    def __len__(self):
        return self.count

    def __iter__(self):
        if not self.stream:
            for start in range(0, self.count * BATCH, BATCH):
                yield tree.map_structure(lambda part, start=start: part[start : start + BATCH], self.x)
        elif hasattr(self.x, "num_batches"):  # keras.utils.PyDataset: has no end when iterated
            yield from (self._inputs(self.x[i]) for i in range(self.count))
            if hasattr(self.x, "start") and hasattr(self.x, "epoch"):  # it was a look at the data, and no epoch
                self.x.start(self.x.epoch)
        else:
            yield from map(self._inputs, self.x)

    def _inputs(self, batch):
        return self.model.host_inputs(batch[0] if isinstance(batch, (tuple, list)) else batch)

    def encoded(self, number, inputs):
        """What the prior sees of batch `number`."""
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        latents = self.model.encode(inputs, output="sample", seed=seed, batch_size=self.rows)
        sees = getattr(self.model.prior, "condition", None) is not None
        return {"x": latents, "condition": inputs["condition"]} if sees else latents

    def identity(self, first):
        """What the latents depend on, in what JSON can hold: the data and the encoder, by digests, and the first."""
        digest = hashlib.sha256()
        for variable in self.model.encoding_variables():
            digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable.value)))
        facts = {"data": self.x, "batches": self.count, "seed": self.seed, "first": [self.first, first]}
        return {**described(facts), "weights": digest.hexdigest()}


def _encode(batches, sinks, verbose):
    """Hands the parts of each encoded batch to `sinks`."""
    bar = Progress(len(batches), "batch") if verbose else None
    for number, inputs in enumerate(batches):
        encoded = batches.encoded(number, inputs)  # the first too: a stream may have another order by now
        for sink, part in zip(sinks, tree.flatten(encoded), strict=True):
            sink(np.asarray(part))
        if bar:
            bar.at(number + 1)


def _in_files(batches, first, folder, verbose):
    """The arrays in the files of `folder`, which are written if they are not there, or are of other data or weights."""
    identity, paths = batches.identity(first), [f"{i}.npy" for i in range(len(tree.flatten(first)))]
    if _identity(folder) != identity:
        with replaced_folder(folder) as fresh:
            with contextlib.ExitStack() as stack:
                files = [stack.enter_context(_Rows(fresh / path)) for path in paths]
                _encode(batches, [file.append for file in files], verbose)
            (fresh / IDENTITY).write_text(json.dumps(identity), encoding="utf-8")
    large = sum((folder / path).stat().st_size for path in paths) > MEMORY_LIMIT
    return [np.load(folder / path, mmap_mode="r" if large else None, allow_pickle=False) for path in paths]


def _identity(folder):
    path = folder / IDENTITY
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


class _Rows:
    """An .npy file that grows by rows: its header, whose length does not change, gets their number at the end."""

    def __init__(self, path):
        self.path, self.shape = path, None

    def __enter__(self):
        self.file = open(self.path, "wb")
        return self

    def __exit__(self, error, *_):
        with self.file:
            if error is None:
                self.file.seek(0)
                self._write_header()

    def append(self, rows):
        if self.shape is None:
            self.dtype, self.shape = rows.dtype, (0, *rows.shape[1:])
            self._write_header()
        self.shape = (self.shape[0] + len(rows), *self.shape[1:])
        self.file.write(np.ascontiguousarray(rows))

    def _write_header(self):
        descr = np.lib.format.dtype_to_descr(self.dtype)
        header = {"descr": descr, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(self.file, header)
