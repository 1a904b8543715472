"""The speed of the core on each installed backend, in CPU time on one core, beside plain torch code of the same models.

Compare   with the plain torch code below, which searches codes as often as the quantizer beside it, once or twice.
Command   python recipes/bench_core.py       (--full: the best of three rounds)
Hardware  one core of an AMD EPYC without AVX-512, tests on the other: 5 minutes.
Measured  | figure                             | bar, all met     | plain | TensorFlow   | JAX          | torch        |
          | MLP VAE 784-400-20, batch 64, ms   | TF, JAX <= plain | 6.36  | 5.73         | 4.96         | 13.55        |
          | EMA codebook, 65,536x64, K=512, ms | <= 1.5 plain     | 129   | 103          | 70           | 124          |
          | the same, K=8,192                  | <= 1.5 plain     | 1,739 | 1,180        | 1,122        | 1,108        |
          | by gradient; cosine                | <= 1.5 plain     | 1,739 | 1,166; 1,245 | 1,163; 1,251 | 1,226; 1,139 |
          | rotation; SimVQ                    | <= 1.5 plain     | 1,739 | 1,314; 1,178 | 1,268; 1,319 | 1,186; 1,241 |
          | residual of two; grouped, two      | <= 3 plain       | 1,739 | 2,406; 1,416 | 2,561; 1,243 | 2,513; 1,414 |
          | FSQ of 8,000 codes; LFQ            | <= 1.5 plain     | 1,739 | 1.0; 272     | .4; 336      | 5.2; 155     |
          | EMA, K=8,192, MB of memory         | < 1,000          | 111   | 98           | 202          | 48           |
          | VQ-VAE 32x32x3, images/s           | JAX >= TF/2      | -     | 180          | 170          | 213          |
Notes     CPU time; a step of a quantizer is forward, backward and moving averages, with K=8,192 from the third row on.
          TF and JAX take 8 steps of the MLP per execution, which torch has not; at one TF was 6 % above plain once.
"""

import keras_vae as kv  # first: it picks the backend
import numpy as np
from keras_vae.runs import Recipe
from keras_vae.runs.benchmark import as_rate, comparison, cpu_ms, extra_mb, gradient_step, is_worker, measure_backends

SIBLINGS = {  # of VectorQuantizerEMA, and how often each searches 8,192 codes
    "gradient": (lambda: kv.VectorQuantizer(8192, 64), 1),
    "cosine": (lambda: kv.VectorQuantizerEMA(8192, 64, metric="cosine"), 1),
    "rotation": (lambda: kv.VectorQuantizerEMA(8192, 64, gradient="rotation"), 1),
    "SimVQ": (lambda: kv.SimVQ(8192, 64), 1),
    "residual, 2": (lambda: kv.ResidualVectorQuantizer([kv.VectorQuantizerEMA(8192, 64) for _ in range(2)]), 2),
    "grouped, 2": (lambda: kv.GroupedVectorQuantizer([kv.VectorQuantizerEMA(8192, 32) for _ in range(2)]), 2),
    "FSQ": (lambda: kv.FSQ([8, 8, 5, 5, 5]), 1),  # 8,000
    "LFQ": (lambda: kv.LFQ(13), 1),
}
SIZES = (65536, 240, len(SIBLINGS))  # vectors, steps of the MLP VAE, siblings


def within(n):
    return f"<= {1.5 * n:g} plain", lambda p, b: max(b.values()) <= 1.5 * n * p


BARS = {  # by figure: what should hold of plain torch's p and of the backends' b
    "MLP VAE, CPU ms/step": ("TF, JAX <= plain", lambda p, b: max(b["tensorflow"], b["jax"]) <= p),
    **{f"quantizer K={k}, CPU ms": within(1) for k in (512, 8192)},
    **{f"{name}, CPU ms": within(n) for name, (_, n) in SIBLINGS.items()},
    "quantizer K=8192, MB": ("< 1000", lambda p, b: max(b.values()) < 1000),
    "VQ-VAE, images/s": ("JAX >= TF / 2", lambda p, b: b["jax"] >= b["tensorflow"] / 2),
}


def measure(name, vectors, steps, siblings):
    rng, found = np.random.default_rng(0), {}
    for codes in (512, 8192):  # the quantizers first, while the process is small
        z = rng.normal(size=(64, vectors // 64, 64)).astype("float32")
        step = lean_quantizer(z, codes) if name == "plain" else gradient_step(kv.VectorQuantizerEMA(codes, 64), z)
        found |= {f"quantizer K={codes}, MB": extra_mb(step), f"quantizer K={codes}, CPU ms": cpu_ms(step)}
    x = (rng.random((64 * steps, 28, 28, 1)) < 0.2).astype("float32")
    if name == "plain":
        found |= {f"{sibling}, CPU ms": found["quantizer K=8192, CPU ms"] for sibling in SIBLINGS}  # one search
        return found | {"MLP VAE, CPU ms/step": cpu_ms(plain_vae(x)) / steps}
    for sibling, (make, _) in list(SIBLINGS.items())[:siblings]:
        found[f"{sibling}, CPU ms"] = cpu_ms(gradient_step(layer := make(), z[..., : layer.embedding_dim]), 2)
    vae = kv.VAE(kv.MLPEncoder((400,)), kv.MLPDecoder((28, 28, 1), (400,)), latent_dim=20)
    vae.compile("adam", steps_per_execution=1 if name == "torch" else 8)  # torch has no such thing
    found["MLP VAE, CPU ms/step"] = cpu_ms(lambda: vae.fit(x, batch_size=64, verbose=0)) / steps
    x = rng.random((64 * max(1, steps // 16), 32, 32, 3)).astype("float32")
    vqvae = kv.VQVAE(kv.VQEncoder(64), kv.VQDecoder((32, 32, 3)), kv.VectorQuantizerEMA(512, 64))
    vqvae.compile("adam")
    return {**found, "VQ-VAE, CPU ms/image": cpu_ms(lambda: vqvae.fit(x, batch_size=64, verbose=0)) / len(x)}


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
    found = measure_backends(__file__, *run.pick((SIZES, 1), (SIZES, 3), ((128, 2, 1), 1)), smoke=run.smoke)
    run.save_metrics(found := as_rate(found, "VQ-VAE, CPU ms/image", "VQ-VAE, images/s"))
    run.finish("The core, on one core", comparison(found, BARS, ask=not run.smoke))


if __name__ == "__main__":
    is_worker(measure) or main()
