"""The speed of the core on each backend, in CPU time on one core, compared with plain torch code of the same models.

Compare   VAE 784-400-20, batch 64, `fit` against a plain torch loop; VectorQuantizerEMA with its update, 65,536 vectors of
          64, against the lean torch reference below; the VQ-VAE of arXiv:1711.00937, 32x32x3, K = 512, batch 64.
Command   python recipes/bench_core.py       (backends that are not installed are left out; --smoke only sees that it runs)
Hardware  one core of an AMD EPYC, TIME minutes. CPU time repeats within 20 %, wall time hardly on a shared machine.
Measured  TABLE
"""

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path

BACKENDS = ("tensorflow", "jax", "torch")
QUIET = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def cpu_ms(step, repeats):
    """The least CPU time of a call after the first, in ms: the first one compiles."""
    spent = []
    for _ in range(repeats + 1):
        start = time.process_time()
        step()
        spent.append(time.process_time() - start)
    return 1e3 * min(spent[1:])


def measure(backend, vectors, steps, seed):
    """What one process measures: the three models of one backend, or of plain torch (backend "plain")."""
    import numpy as np

    rng, found = np.random.default_rng(seed), {}
    for codes in (512, 8192):  # first, for a peak of memory is that of the whole process until now
        z = rng.normal(size=(64, vectors // 64, 64)).astype("float32")
        step = (lean_quantizer if backend == "plain" else keras_quantizer)(z, codes)
        before = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        found[f"quantizer {codes}"] = cpu_ms(step, 4)
        import resource

        found[f"memory {codes}"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    x = (rng.random((64 * steps, 28, 28, 1)) < 0.2).astype("float32")
    if backend == "plain":
        return {**found, "mlp": cpu_ms(plain_vae(x), 4) / steps}
    import keras_vae as kv

    vae = kv.VAE(kv.MLPEncoder((400,)), kv.MLPDecoder((28, 28, 1), (400,)), latent_dim=20)
    found["mlp"] = epoch_ms(vae, x)[0] / steps
    steps = max(2, steps // 12)
    bottleneck = kv.VectorQuantizerEMA(512, 64)
    vqvae = kv.VQVAE(kv.VQEncoder(64, 128, 32), kv.VQDecoder((32, 32, 3), 128, 32), bottleneck)
    cpu, wall = epoch_ms(vqvae, rng.random((64 * steps, 32, 32, 3)).astype("float32"))
    return {**found, "vqvae": cpu / steps / 64, "images": 64e3 * steps / wall}


def epoch_ms(model, x):
    """CPU and wall ms of the best of five epochs of `fit` after the first."""
    import keras

    clocks, marks = (time.process_time, time.perf_counter), []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = [clock() for clock in clocks]

        def on_epoch_end(self, epoch, logs=None):
            marks.append([clock() - start for clock, start in zip(clocks, self.start, strict=True)])

    model.compile("adam")
    model.fit(x, batch_size=64, epochs=6, verbose=0, callbacks=[Clock()])
    return [1e3 * min(column) for column in zip(*marks[1:], strict=True)]


def keras_quantizer(z, codes):
    """A compiled step of VectorQuantizerEMA: forward, gradient to the input, update of the codebook."""
    import keras

    import keras_vae

    layer = keras_vae.VectorQuantizerEMA(codes, 64)
    layer.build(z.shape)
    z = keras.ops.convert_to_tensor(z)

    def loss(z):
        outputs = layer(z, training=True)
        layer.update(outputs)
        return keras.ops.sum(outputs["z"]) + 0.25 * keras.ops.sum(outputs["commitment"])

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda: tf.gradients(loss(z), z))
    if keras.backend.backend() == "torch":
        import torch

        z.requires_grad_()
        return lambda: torch.autograd.grad(loss(z), z)
    import jax

    def stateless(values, z):
        with keras.StatelessScope(list(zip(layer.variables, values, strict=True))) as scope:
            return loss(z), [scope.get_current_value(v) for v in layer.variables]

    compiled = jax.jit(jax.value_and_grad(stateless, argnums=1, has_aux=True))
    return lambda: jax.block_until_ready(compiled([v.value for v in layer.variables], z))


def lean_quantizer(z, codes, rows=1024):
    """The reference: no one-hot, distances in chunks of rows, index_add, the same moving averages and gradient."""
    import torch

    torch.set_num_threads(1)
    z, codebook = torch.tensor(z, requires_grad=True), torch.randn(codes, 64)
    counts, sums = torch.ones(codes), codebook.clone()

    def step():
        with torch.no_grad():
            flat, norms = z.view(-1, 64), codebook.square().sum(1)
            chunks = [torch.addmm(norms, part, codebook.t(), alpha=-2).argmin(1) for part in flat.split(rows)]
            indices = torch.cat(chunks)
            e = codebook[indices].view_as(z)
            counts.mul_(0.99).index_add_(0, indices, torch.ones(len(indices)), alpha=0.01)
            sums.mul_(0.99).index_add_(0, indices, flat, alpha=0.01)
            codebook.copy_(sums / counts[:, None].clamp(min=1e-6))
        loss = (z + (e - z).detach()).sum() + 0.25 * (z - e).square().sum()
        return torch.autograd.grad(loss, z)

    return step


def plain_vae(x):
    """One epoch of a plain torch loop over the MLP VAE."""
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(1)
    x = torch.tensor(x).flatten(1)
    encoder = nn.Sequential(nn.Linear(784, 400), nn.ReLU(), nn.Linear(400, 40))
    decoder = nn.Sequential(nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()])

    def epoch():
        for rows in torch.randperm(len(x)).split(64):
            batch = x[rows]
            mean, log_var = encoder(batch).chunk(2, -1)
            logits = decoder(mean + (0.5 * log_var).exp() * torch.randn_like(mean))
            rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum(-1)
            distortion = functional.binary_cross_entropy_with_logits(logits, batch, reduction="none").sum(-1)
            optimizer.zero_grad()
            (distortion + rate).mean().backward()
            optimizer.step()

    return epoch
