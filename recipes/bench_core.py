"""The speed of the core on each installed backend, in CPU time on one core, beside plain torch code of the same models.

Compare   with the plain torch code below, on an AMD EPYC core, before the search of codes took off their mean.
Command   python recipes/bench_core.py       (4 minutes on one core; --full, as below: the best of three rounds, 10)
Measured  | figure                                    | bar, all met      | plain torch | TensorFlow | JAX  | torch |
          | MLP VAE 784-400-20, batch 64, ms a step   | TF, JAX <= plain  | 4.06        | 3.73       | 2.98 | 7.53  |
          | VectorQuantizerEMA, 65,536x64, K=512, ms  | <= 1.5 plain      | 96          | 67         | 53   | 87    |
          | the same, K=8,192, ms                     | <= 1.5 plain      | 1,299       | 780        | 769  | 881   |
          | the same, MB above the size before        | < 1,000           | 32          | 32         | 202  | 32    |
          | VQ-VAE 32x32x3, K=512, batch 64, images/s | JAX >= TF/2: 0.67 | -           | 394        | 262  | 330   |
Notes     TF and JAX take 8 steps per execution, which torch has not; at one, measured before, TF was 6 % above plain.
"""

import keras_vae as kv  # first: it picks the backend
import keras
import numpy as np
from keras_vae.runs import Recipe
from keras_vae.runs.benchmark import as_rate, comparison, cpu_ms, extra_mb, is_worker, measure_backends

BARS = {  # by figure: what should hold of plain torch's p and of the backends' b
    "MLP VAE, CPU ms/step": ("TF, JAX <= plain", lambda p, b: max(b["tensorflow"], b["jax"]) <= p),
    **{f"quantizer K={k}, CPU ms": ("<= 1.5 plain", lambda p, b: max(b.values()) <= 1.5 * p) for k in (512, 8192)},
    "quantizer K=8192, MB": ("< 1000", lambda p, b: max(b.values()) < 1000),
    "VQ-VAE, images/s": ("JAX >= TF / 2", lambda p, b: b["jax"] >= b["tensorflow"] / 2),
}


def measure(name, vectors, steps):
    rng, found = np.random.default_rng(0), {}
    for codes in (512, 8192):  # the quantizers first, while the process is small
        z = rng.normal(size=(64, vectors // 64, 64)).astype("float32")
        step = lean_quantizer(z, codes) if name == "plain" else keras_quantizer(z, codes)
        found |= {f"quantizer K={codes}, MB": extra_mb(step), f"quantizer K={codes}, CPU ms": cpu_ms(step)}
    x = (rng.random((64 * steps, 28, 28, 1)) < 0.2).astype("float32")
    if name == "plain":
        return found | {"MLP VAE, CPU ms/step": cpu_ms(plain_vae(x)) / steps}
    vae = kv.VAE(kv.MLPEncoder((400,)), kv.MLPDecoder((28, 28, 1), (400,)), latent_dim=20)
    vae.compile("adam", steps_per_execution=1 if name == "torch" else 8)  # torch has no such thing
    found["MLP VAE, CPU ms/step"] = cpu_ms(lambda: vae.fit(x, batch_size=64, verbose=0)) / steps
    x = rng.random((64 * max(1, steps // 16), 32, 32, 3)).astype("float32")
    vqvae = kv.VQVAE(kv.VQEncoder(64), kv.VQDecoder((32, 32, 3)), kv.VectorQuantizerEMA(512, 64))
    vqvae.compile("adam")
    return {**found, "VQ-VAE, CPU ms/image": cpu_ms(lambda: vqvae.fit(x, batch_size=64, verbose=0)) / len(x)}


def keras_quantizer(z, codes):
    """A compiled step of VectorQuantizerEMA: forward, gradient to the features, update of the codebook."""
    layer, z = kv.VectorQuantizerEMA(codes, 64), keras.ops.convert_to_tensor(z)
    layer.build(z.shape)

    def loss(z):
        outputs = layer(z, training=True)
        layer.update(outputs)
        return keras.ops.sum(outputs["z"]) + 0.25 * keras.ops.sum(outputs["commitment"])

    if keras.backend.backend() == "torch":
        return lambda: loss(z.requires_grad_()).backward()
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda: tf.gradients(loss(z), z))
    import jax

    def stateless(z, values):
        with keras.StatelessScope(list(zip(layer.variables, values, strict=True))) as scope:
            return loss(z), [scope.get_current_value(v) for v in layer.variables]

    compiled = jax.jit(jax.grad(stateless, has_aux=True))
    return lambda: jax.block_until_ready(compiled(z, [v.value for v in layer.variables]))


def lean_quantizer(z, codes):
    """The reference in torch: no one-hot, distances in chunks, index_add, the same moving averages and gradient."""
    import torch

    z, codebook = torch.tensor(z, requires_grad=True), torch.randn(codes, 64)
    counts, sums, flat = torch.ones(codes), codebook.clone(), z.detach().view(-1, 64)

    def step():
        norms = codebook.square().sum(1)
        indices = torch.cat([torch.addmm(norms, v, codebook.t(), alpha=-2).argmin(1) for v in flat.split(1024)])
        e = codebook[indices].view_as(z)
        counts.mul_(0.99).index_add_(0, indices, torch.ones(len(flat)), alpha=0.01)
        sums.mul_(0.99).index_add_(0, indices, flat, alpha=0.01)
        codebook.copy_(sums / counts[:, None].clamp(min=1e-6))
        ((z + (e - z).detach()).sum() + 0.25 * (z - e).square().sum()).backward()

    return step


def plain_vae(x):
    """An epoch of a plain torch loop over the MLP VAE."""
    import torch
    from torch.nn import BCEWithLogitsLoss, Linear, ReLU, Sequential

    x = torch.tensor(x).flatten(1)
    encoder, decoder = (Sequential(Linear(i, 400), ReLU(), Linear(400, o)) for i, o in ((784, 40), (20, 784)))
    adam, nats = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()]), BCEWithLogitsLoss(reduction="sum")

    def epoch():
        for batch in x[torch.randperm(len(x))].split(64):
            mean, log_var = encoder(batch).chunk(2, -1)
            logits = decoder(mean + (0.5 * log_var).exp() * torch.randn_like(mean))
            rate = 0.5 * (mean.square() + log_var.exp() - 1 - log_var).sum()
            adam.zero_grad()
            ((nats(logits, batch) + rate) / len(batch)).backward()
            adam.step()

    return epoch


def main():
    run = Recipe(__doc__, __file__)
    found = measure_backends(__file__, *run.pick(((65536, 240), 1), ((65536, 240), 3), ((128, 2), 1)), smoke=run.smoke)
    run.save_metrics(found := as_rate(found, "VQ-VAE, CPU ms/image", "VQ-VAE, images/s"))
    run.finish("The core, on one core", comparison(found, BARS, ask=not run.smoke))


if __name__ == "__main__":
    is_worker(measure) or main()
