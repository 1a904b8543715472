"""Presets that somebody made to do harm: each is a small valid preset, its folder altered and its hashes made true."""

import json
import struct

import h5py
import numpy as np

from small_models import reseal

CONFIG, WEIGHTS, METADATA = "config.json", "model.weights.h5", "metadata.json"
KERNEL = "encoder/parts/dense/vars/0"  # in the weights of `small("plain")`, of shape (64, 16)
BILLION = 10**9


def edit(path, change):
    """Applies `change` to the object of a JSON file; what it returns, if anything, takes its place."""
    value = json.loads(path.read_text())
    value = change(value) or value
    path.write_text(json.dumps(value))


def layer(kind, module="keras.layers", /, **config):
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def sequential(*layers):
    return layer("Sequential", "keras", name="net", layers=list(layers))


def encoder(*layers):
    """The encoder of the preset is a Sequential of these."""
    net = sequential(layer("InputLayer", batch_shape=[None, 8, 8, 1]), *layers)
    return lambda folder: edit(folder / CONFIG, lambda c: c["config"].update(encoder=net))


def argument(part, **arguments):
    return lambda folder: edit(folder / CONFIG, lambda c: c["config"][part]["config"].update(arguments))


def replaced(write):
    """The kernel in the weights file is replaced by what `write(file)` puts there."""

    def change(folder):
        with h5py.File(folder / WEIGHTS, "r+") as file:
            del file[KERNEL]
            write(file)

    return change


def weights(**options):
    return replaced(lambda file: file.create_dataset(KERNEL, **options))


def late(layout):
    """An array that is declared and was never written."""

    def write(file):
        stored = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        stored.set_layout(layout)
        if layout == h5py.h5d.CHUNKED:
            stored.set_chunk((1000,))
        space = h5py.h5s.create_simple((BILLION,))
        h5py.h5d.create(file.id, KERNEL.encode(), h5py.h5t.IEEE_F32LE, space, stored)

    return replaced(write)


def overlapping(folder):
    """Many arrays of which each has the same bytes: none is larger than the file, and all together are."""
    with h5py.File(folder / WEIGHTS, "r+") as file:
        place, size = file[KERNEL].id.get_offset(), file[KERNEL].nbytes
        for i in range(50):
            file.create_dataset(f"a{i}", (64, 16), "f4")  # its place in the file is yet undefined: 2 ** 64 - 1
    content = (folder / WEIGHTS).read_bytes()
    patched = content.replace(struct.pack("<QQ", 2**64 - 1, size), struct.pack("<QQ", place, size))
    assert content.count(struct.pack("<Q", 2**64 - 1)) > patched.count(struct.pack("<Q", 2**64 - 1)) + 40
    (folder / WEIGHTS).write_bytes(patched)


def virtual(file):
    layout = h5py.VirtualLayout((64, 16), "float32")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (64, 16))
    file.create_virtual_dataset(KERNEL, layout)


def not_finite(value):
    def change(folder):
        with h5py.File(folder / WEIGHTS, "r+") as file:
            file[KERNEL][0, 0] = value

    return change


def tfsm(module="keras.layers", **further):
    """CVE-2026-1462: a layer that loads the SavedModel, and so runs the program, that the config names."""
    return lambda folder: edit(
        folder / CONFIG,
        lambda c: c["config"].update(encoder={**layer("TFSMLayer", module, filepath=str(folder)), **further}),
    )


def deep(levels):
    return "[" * levels + "]" * levels


TFSM = layer("TFSMLayer", filepath="/nowhere")
UP = layer("UpSampling2D", size=[60_000, 60_000])
SEQUENCE = layer("Reshape", target_shape=[64, 1])

ATTACKS = {
    # CVE-2026-1462
    "TFSMLayer": tfsm(),
    "TFSMLayer of keras": tfsm("keras"),
    "TFSMLayer by its file": tfsm("keras.src.export.tfsm_layer"),
    "TFSMLayer by our name": tfsm(registered_name="keras_vae>TFSMLayer"),
    "TFSMLayer by another's name": tfsm(registered_name="keras_vae>MLPEncoder"),
    "TFSMLayer in a Sequential": encoder(TFSM),
    "TFSMLayer in the legacy format": encoder({"class_name": "TFSMLayer", "config": TFSM["config"]}),
    # CVE-2026-0897, and its relatives
    "chunks never written": late(h5py.h5d.CHUNKED),
    "a block never written": late(h5py.h5d.CONTIGUOUS),
    "chunks of zeros": weights(shape=(2**14, 2**14), dtype="f4", chunks=(2**14, 2**10), compression="gzip"),
    "a fill value": weights(shape=(2**15, 2**15), dtype="f4", chunks=(2**10, 2**10), fillvalue=1.0),
    "external storage": weights(shape=(64, 16), dtype="f4", external=[("/etc/passwd", 0, 4096)]),
    "one block for many arrays": overlapping,
    "a virtual array": replaced(virtual),
    "a link to a file": replaced(lambda file: file.update({KERNEL: h5py.ExternalLink("/etc/passwd", "x")})),
    "a soft link": replaced(lambda file: file.update({KERNEL: h5py.SoftLink("/encoder/parts/dense/vars/1")})),
    "a link to itself": replaced(lambda file: file.update({KERNEL: h5py.SoftLink(f"/{KERNEL}")})),
    "a group in itself": replaced(lambda file: file.update({KERNEL: file["encoder"]})),
    "a type": replaced(lambda file: file.update({KERNEL: np.dtype("f4")})),
    "text": weights(data=["a"] * 3),
    "references": replaced(lambda file: file.create_dataset(KERNEL, data=file.ref, dtype=h5py.ref_dtype)),
    "records": weights(data=np.zeros((64, 16), [("a", "f4"), ("b", "f4")])),
    "complex numbers": weights(data=np.zeros((64, 16), "complex64")),
    "long floats": weights(data=np.zeros((64, 16), "longdouble")),
    "integers": weights(data=np.zeros((64, 16), "int32")),
    "no numbers": weights(data=h5py.Empty("f4")),
    "another rank": weights(data=np.zeros((64, 16, 1), "f4")),
    "a large attribute": replaced(lambda file: file["encoder"].attrs.create("name", np.zeros(16_000, "u4"))),
    "many attributes": replaced(lambda file: [file.attrs.create(f"a{i}", 0) for i in range(50)]),
    "many groups": replaced(lambda file: [file.create_group(f"g{i}") for i in range(21_000)]),
    "deep groups": replaced(lambda file: file.create_group("g/" * 200)),
    "a name that turns a terminal red": replaced(lambda file: file.create_group("\x1b[31m")),
    "NaN": not_finite(np.nan),
    "infinity": not_finite(-np.inf),
    # configs that would build something absurd
    "10^9 outputs": argument("encoder", units=[BILLION, 3]),
    "10^9 outputs of Keras": encoder(layer("Flatten"), layer("Dense", units=BILLION)),
    "10^9 embeddings": encoder(layer("Flatten"), layer("Embedding", input_dim=BILLION, output_dim=1)),
    "10^12 pixels": argument("decoder", output_shape=[10**6, 10**6, 1]),
    "20,000 layers": encoder(layer("Flatten"), *[layer("Activation", activation="relu")] * 20_000),
    "1,900 layers": encoder(layer("Flatten"), *[layer("Activation", activation="relu")] * 1900),
    "20,000 units": argument("encoder", units=[1] * 20_000),
    "1,000,000 residual blocks": encoder(
        {
            "module": "keras_vae.nets.vq",
            "class_name": "VQEncoder",
            "registered_name": "keras_vae>VQEncoder",
            "config": {"embedding_dim": 1, "hidden": 1, "residual_hidden": 1, "levels": 0, "depth": 10**6},
        }
    ),
    "text of 10^8 characters": encoder(
        layer("Rescaling", scale={"class_name": "__numpy__", "config": {"value": ["a"] * 50, "dtype": "U100000000"}})
    ),
    "a huge picture, then an error": encoder(UP, layer("Reshape", target_shape=[5])),
    "a huge picture": encoder(UP, layer("GlobalAveragePooling2D"), layer("Dense", units=3)),
    "a loop over time": encoder(
        layer("Reshape", target_shape=[64]), layer("RepeatVector", n=10**6), layer("GRU", units=3, unroll=True)
    ),
    "a slow loop over time": encoder(layer("Flatten"), layer("RepeatVector", n=10**6), layer("GRU", units=3)),
    "a layer for each of 10^6 times": encoder(
        layer("Flatten"),
        layer("RepeatVector", n=10**6),
        layer("TimeDistributed", layer=layer("Dense", units=1)),
    ),
    "a table of 10^12 numbers": encoder(
        layer("Flatten"), layer("MelSpectrogram", num_mel_bins=10**6, fft_length=10**6, sequence_length=10**6)
    ),
    "no shape": lambda folder: edit(folder / CONFIG, lambda c: c.pop("build_config") and None),
    "a shape of unknown sizes": lambda folder: edit(
        folder / CONFIG, lambda c: c["build_config"].update(input_shape=[None, None, None, 1])
    ),
    "another image shape": lambda folder: edit(folder / METADATA, lambda m: m.update(data_shape=[28, 28, 1])),
    # JSON
    "deep config": lambda folder: (folder / CONFIG).write_text('{"class_name": ' + deep(900) + "}"),
    "deeper config": lambda folder: (folder / CONFIG).write_text('{"class_name": ' + deep(10**5) + "}"),
    "lists upon lists": lambda folder: (folder / CONFIG).write_text('{"a": [' + "[]," * 10**6 + "[]]}"),
    "long keys on the way": lambda folder: (folder / CONFIG).write_text(
        f'{{"{"k" * 9999}": ' * 90 + json.dumps([{}] * 500_000) + "}" * 90
    ),
    "not UTF-8": lambda folder: (folder / CONFIG).write_bytes(b'{"a": "\xff"}'),
    "half a character": argument("encoder", name="\ud800"),
    "a number of 10,000 digits": lambda folder: (folder / CONFIG).write_text('{"a": 1' + "0" * 10_000 + "}"),
    "a number of 3,000 digits": argument("encoder", units=[10**3000, 3]),
    "a name that clears the screen": argument("encoder", name="\x1b[2J\x07"),
    "a licence that clears the screen": lambda folder: edit(folder / METADATA, lambda m: m.update(licence="\x1b[2J")),
    "NaN among the metrics": lambda folder: edit(folder / METADATA, lambda m: m.update(metrics={"nll": float("nan")})),
    "a licence of 10^6 characters": lambda folder: edit(folder / METADATA, lambda m: m.update(licence="a" * 10**6)),
}


def craft(name, folder):
    """Makes of the small plain preset in `folder` the attack `name` of `ATTACKS`."""
    ATTACKS[name](folder)
    reseal(folder)
