"""The speed of drawing 28x28 pixels one after the other, on one core: caches, full passes, and a plain torch loop.

Compare   with the plain torch code below: the same net, its caches written out, the same weights and uniforms.
Command   python recipes/bench_sampling.py       (2 minutes on one core; --full, the best of three rounds: not run)
Measured  | CPU ms a pixel, 16 images at a time | bars, all met  | plain torch | TensorFlow | JAX   | torch |
          | plain net, with caches              | .07, .03, 1.5  | 0.159       | 0.020      | 0.019 | 0.77  |
          | the same, a full pass for each      | -              | -           | 12.0       | 8.7   | 20.3  |
          | PixelCNN(), with caches             | -              | -           | 0.27       | 0.27  | 1.9   |
          | PixelSNAIL(), with caches           | -              | -           | 0.92       | 0.86  | 4.9   |
Notes     The plain net: PlainPixelCNN(32, depth=5), stem 7x7, 4 grey levels, weights drawn. One full pass is measured.
          On torch each position is Python, where an operation of Keras costs several of torch's own.
"""

import os
import tempfile
from pathlib import Path

import keras_vae as kv  # first: it picks the backend
import numpy as np
from keras_vae.ops import draw_noise
from keras_vae.runs import Recipe
from keras_vae.runs.benchmark import comparison, cpu_ms, is_worker, measure_backends
from keras_vae.training import Sampler

BATCH, LEVELS, SEED = 16, 4, 0
LIMITS = {"jax": 0.03, "tensorflow": 0.07, "torch": 1.5}
BARS = {  # by figure: what should hold of the backends' b
    "plain net": ("JAX .03, TF .07, torch 1.5", lambda p, b: all(b[name] <= at for name, at in LIMITS.items())),
    "plain net, full passes": ("-", None),
    "PixelCNN()": ("-", None),
    "PixelSNAIL()": ("-", None),
}
FOLDER = "KERAS_VAE_BENCH_DRAWS"  # the variable that says where each process leaves what it drew


def measure(name, side, shipped, repeats):
    pixels, plain = side**2, prior_of(kv.PlainPixelCNN(32, 5), side)
    priors = {"plain net": plain}
    if shipped:
        priors |= {"PixelCNN()": prior_of(kv.PixelCNN(), side), "PixelSNAIL()": prior_of(kv.PixelSNAIL(), side)}
    noise = draw_noise(plain.noise_spec(plain.data_shape), np.random.default_rng(SEED), (BATCH,))
    if name == "plain":
        draw = plain_loop(plain, noise[..., 0])
        np.save(Path(os.environ[FOLDER], name), draw())
        return {"plain net": cpu_ms(draw, repeats) / pixels}
    found = {}
    for figure, prior in priors.items():
        drawn = prior.sample(BATCH, SEED)
        full = Sampler(prior, lambda inputs, prior=prior: prior.params(inputs["x"]), jit=True)
        again = prior.likelihood.distribution(full.run({"x": drawn})).sample_from(noise)
        if (drawn == np.asarray(again).reshape(drawn.shape)).mean() < 0.999:
            raise RuntimeError(f"{figure}: the caches draw other pixels than full passes.")
        found[figure] = cpu_ms(lambda prior=prior: prior.sample(BATCH, SEED), repeats) / pixels
        if prior is plain:  # without caches, each pixel takes a pass of its own: one is measured
            np.save(Path(os.environ[FOLDER], name), drawn)
            found["plain net, full passes"] = cpu_ms(lambda full=full, x=drawn: full.run({"x": x}), repeats)
    return found


def prior_of(net, side):
    """A prior of grey levels, with the same weights on every backend."""
    kind = kv.PixelSNAILPrior if isinstance(net, kv.PixelSNAIL) else kv.PixelCNNPrior
    prior, rng = kind(kv.CategoricalLikelihood(LEVELS), net), np.random.default_rng(1)
    prior.build((None, side, side, 1))
    for variable in prior.trainable_variables:
        fan = np.prod(variable.shape[:-1]) if len(variable.shape) > 1 else 100.0
        variable.assign(rng.normal(size=variable.shape, scale=fan**-0.5))
    prior.step.assign(1)  # as if it were trained
    return prior


def plain_loop(prior, uniforms):
    """The plain net drawn by torch operations alone: each row's share of the rows above at once, then its pixels."""
    import torch

    net, side, uniforms = prior.net, uniforms.shape[1], torch.tensor(uniforms)
    head, head_bias = prior.head.row.value[0, 0], prior.head.bias.value
    convs = [(c.above, c.upper.value, c.row.value, c.bias.value) for c in (net.stem, *net.convs)]

    def of_rows_above(i, seen, k, upper, row, bias):  # (batch, side, filters)
        taps = seen[:, i : i + k].unfold(2, 2 * k + 1, 1)  # (batch, k, side, channels, 2 k + 1)
        return taps.permute(0, 2, 1, 4, 3).flatten(2) @ upper.flatten(0, 2) + bias

    @torch.no_grad()
    def draw():
        maps = [torch.zeros(BATCH, side + k, side + 2 * k, upper.shape[2]) for k, upper, _, _ in convs]
        drawn, k = torch.zeros(BATCH, side, side, 1, dtype=torch.int64), net.stem.above
        rows = [(seen, k, row.shape[1], row.flatten(0, 2)) for seen, (k, _, row, _) in zip(maps, convs, strict=True)]
        for i in range(side):
            above = [of_rows_above(i, seen, *conv) for seen, conv in zip(maps, convs, strict=True)]
            for j in range(side):
                h = 0.0
                for n, (seen, reach, taps, row) in enumerate(rows):
                    if n:
                        seen[:, i + reach, j + reach] = h.relu()
                    h = h + torch.addmm(above[n][:, j], seen[:, i + reach, j : j + taps].flatten(1), row)
                below = torch.addmm(head_bias, h.relu(), head).softmax(-1).cumsum(-1) <= uniforms[:, i, j, None]
                value = drawn[:, i, j, 0] = below.sum(-1).clamp_max(LEVELS - 1)
                maps[0][:, i + k, j + k] = torch.stack([value * (2 / (LEVELS - 1)) - 1, torch.ones(BATCH)], -1)
        return drawn.numpy()

    return draw


def main():
    run = Recipe(__doc__, __file__)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER] = folder
        sizes, rounds = run.pick(((28, 1, 3), 1), ((28, 1, 3), 3), ((6, 0, 1), 1))
        found = measure_backends(__file__, sizes, rounds, smoke=run.smoke)
        drawn = {path.stem: np.load(path) for path in Path(folder).glob("*.npy")}
    for name, values in drawn.items():
        if (values == next(iter(drawn.values()))).mean() < 0.999:
            raise RuntimeError(f"{name} draws other pixels than {next(iter(drawn))} from the same uniforms.")
    run.save_metrics(found)
    run.finish("CPU ms a pixel, on one core", comparison(found, BARS, ask=not run.smoke))


if __name__ == "__main__":
    is_worker(measure) or main()
