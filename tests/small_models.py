"""What the tests of presets and export share: small built models of each kind, provenance, other processes."""

import hashlib
import json
import os
import pathlib

import numpy as np

import keras_vae

SHAPE = (8, 8, 1)


def plain():
    encoder, decoder = keras_vae.MLPEncoder((16, 3)), keras_vae.MLPDecoder(SHAPE, (16,))
    return keras_vae.PlainAutoencoder(encoder, decoder)


def vae():
    return keras_vae.VAE(keras_vae.MLPEncoder((16,)), keras_vae.MLPDecoder(SHAPE, (16,)), latent_dim=3)


def vqvae():
    encoder = keras_vae.VQEncoder(embedding_dim=4, hidden=8, residual_hidden=4, levels=1, depth=1)
    decoder = keras_vae.VQDecoder(SHAPE, hidden=8, residual_hidden=4, levels=1, depth=1)
    return keras_vae.VQVAE(encoder, decoder, keras_vae.VectorQuantizerEMA(codebook_size=16, embedding_dim=4))


KINDS = {"plain": plain, "vae": vae, "vqvae": vqvae}


def small(kind, seed=0):
    """A built model of a kind in `KINDS`; the same seed gives the same weights on every backend."""
    model = KINDS[kind]()
    model.build((None, *SHAPE))
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        if "float" in weight.dtype:
            scale = 0.5 / np.sqrt(max(1, np.prod(weight.shape[:-1]))) if len(weight.shape) > 1 else 0.1
            weight.assign(weight + scale * rng.normal(size=weight.shape).astype("float32"))
    return model


def facts(**changes):
    """The keyword arguments that `save_pretrained` requires."""
    given = {"recipe": "tests", "dataset": "noise", "licence": "CC0-1.0", "seed": 0, "metrics": {"psnr": 12.5}}
    return {**given, **changes}


def environment(backend):
    """The environment of a Python process that imports this keras_vae, installed or not, on another backend."""
    return {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(pathlib.Path(keras_vae.__file__).parents[1])}


def reseal(folder):
    """Writes the true hashes of a preset's files into its metadata, as somebody who altered them on purpose would."""
    metadata = json.loads((folder / "metadata.json").read_text())
    for name in metadata["files"]:
        content = (folder / name).read_bytes()
        metadata["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / "metadata.json").write_text(json.dumps(metadata))
