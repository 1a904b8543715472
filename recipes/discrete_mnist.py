"""Discrete VAEs on binarised MNIST, the static files: every estimator of the gradient, at equal updates.

Paper     Jang, Gu & Poole 2017, arXiv:1611.01144, table 1, VAE: 105.0 nats with 200 binary latents and 101.5 with 20
          variables of ten classes. The bars are our own, and to be below straight-through and the score function.
Command   KERAS_BACKEND=jax python recipes/discrete_mnist.py        (binarized_mnist, see the README)
Hardware  one CPU core, JAX: 75 minutes beside other work, two kinds of nine estimators. --full: not run.
Measured  -elbo of the 10,000 test images, nats, hard samples:
          | figure                    | paper: binary, categorical | bar        | binary, seed 0 | preset: categorical |
          | score function            | 112.2, 110.6               | -          | 124.2          | 121.5               |
          | VIMCO                     | -                          | -          | 127.6          | 122.2               |
          | DARN                      | 110.9, 128.8               | -          | 109.2          | 123.5               |
          | MuProp                    | 109.7, 107.0               | -          | 129.0          | 121.7               |
          | straight-through          | 116.0, 110.9               | -          | 120.3          | 118.8               |
          | annealed straight-through | 111.5, 107.8               | -          | 120.4          | 118.5               |
          | ReinMax                   | -                          | -          | 109.2          | 106.9               |
          | straight-through Gumbel   | 111.5, 107.8               | -          | 111.0          | 105.4               |
          | Gumbel-softmax            | 105.0, 101.5               | 111, 105.5 | 110.5          | 101.7               |
Notes     Nets 784-400-200-400-784 and 784-300-300-(20 of ten)-300-300-784, normalised by layer; 50 epochs, at the best
          of three learning rates after four; the epoch and the rate are those that are best on the validation digits.
          VIMCO's two draws count alone here. The variance is of the gradient of the posterior's head, on one batch.
"""

import keras_vae as kv  # first: it picks the backend
import keras
import numpy as np

from keras_vae.callbacks import CoefficientSchedule, GradientVariance
from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.ops import linear_schedule
from keras_vae.reports import image_grid, lines
from keras_vae.runs import Recipe
from keras_vae.training import EarlyStop

UNITS = {"binary": (400,), "categorical": (300, 300)}  # each better by three nats with its own than with the other's
RATES = (5e-4, 1e-3, 2e-3)
ESTIMATORS = {  # what makes it, what of it is scheduled over the first half, and the paper's figures
    "score function": (lambda: kv.ScoreFunction(kv.InputDependentBaseline((200,), decay=0.99)), {}, 112.2, 110.6),
    "VIMCO": (kv.VIMCO, {}, None, None),
    "DARN": (kv.DARN, {}, 110.9, 128.8),
    "MuProp": (kv.MuProp, {}, 109.7, 107.0),
    "straight-through": (kv.StraightThrough, {}, 116.0, 110.9),
    "annealed straight-through": (kv.StraightThrough, {"slope": (1.0, 3.0)}, 111.5, 107.8),
    "ReinMax": (kv.ReinMax, {}, None, None),
    "straight-through Gumbel": (lambda: kv.GumbelSoftmax(hard=True), {"temperature": (1.0, 0.5)}, 111.5, 107.8),
    "Gumbel-softmax": (kv.GumbelSoftmax, {"temperature": (1.0, 0.3)}, 105.0, 101.5),
}


def make_model(kind, name, run):
    keras.utils.set_random_seed(run.seed)  # the same nets for each estimator
    options = {"estimator": ESTIMATORS[name][0](), "seed": run.seed}
    units = run.pick(UNITS[kind], UNITS[kind], (20,))
    if kind == "binary":
        bottleneck = kv.BernoulliBottleneck(run.pick(200, 200, 10), **options)
    else:
        bottleneck = kv.CategoricalBottleneck(run.pick(20, 20, 4), run.pick(10, 10, 3), **options)
    nets = kv.MLPEncoder(units, normalization="layer"), kv.MLPDecoder((28, 28, 1), units, normalization="layer")
    if name == "VIMCO":  # whose bound is of several draws
        prior = kv.BernoulliPrior() if kind == "binary" else kv.CategoricalPrior()
        model = kv.IWAE(*nets, bottleneck=bottleneck, prior=prior, num_samples=2)
    else:
        model = kv.DiscreteVAE(*nets, bottleneck)
    model.build((None, 28, 28, 1))
    return model


def train(kind, name, rate, epochs, data, run, *callbacks):
    """The model at its best epoch, and -elbo of the validation digits there, nats."""
    images, validation = data
    model, part = make_model(kind, name, run), f"{kind}_{name}_{rate:g}_{epochs}".replace(" ", "_")
    batches = ImageBatches(images, 100, seed=run.seed, drop_remainder=True)
    steps = epochs * len(batches)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)))
    for path, ends in ESTIMATORS[name][1].items():
        callbacks += (CoefficientSchedule(f"bottleneck.estimator.{path}", linear_schedule(*ends, max(1, steps // 2))),)
    callbacks += (EarlyStop(run.pick(15, 50, 2), run.checkpoint / part / "best"),)
    options = {"callbacks": callbacks, "validation_data": (validation,), "curves": False}
    run.fit(model, batches, epochs, part, every=10, verbose=2, **options)
    return model, -model.evaluate(validation, batch_size=500, return_dict=True, verbose=0)["elbo"]


def main():
    run = Recipe(__doc__, __file__)
    limits = {"train": 400, "validation": 100, "test": 100}
    parts = [load_images("binarized_mnist", s, limit=run.pick(None, None, n)) for s, n in limits.items()]
    data, test = (parts[0], to_float(parts[1])), to_float(parts[2])
    few = ImageBatches(np.tile(parts[0][:100], (run.pick(100, 100, 2), 1, 1, 1)), 100, shuffle=False)  # 100 gradients
    names = run.pick(list(ESTIMATORS), list(ESTIMATORS), ["Gumbel-softmax"])
    short, long, measured = run.pick((4, 50, (1, 5, 15, 30, 50)), (50, 1000, (1, 10, 100, 1000)), (1, 2, (1, 2)))
    metrics, panels, rows = {"seed": run.seed}, {kind: {} for kind in UNITS}, [{"estimator": name} for name in names]
    for i, kind in enumerate(UNITS):
        for row, name in zip(rows, names, strict=True):
            tried = {rate: train(kind, name, rate, short, data, run)[1] for rate in run.pick(RATES, RATES, RATES[:1])}
            rate = min(tried, key=tried.get)
            stored = run.checkpoint / f"variance_{kind}_{name}.json".replace(" ", "_")
            varies = GradientVariance(few, "bottleneck.head", measured, stored)
            model, held_out = train(kind, name, rate, long, data, run, varies)
            elbo = model.evaluate(test, batch_size=500, return_dict=True, verbose=0)["elbo"]
            scores = {f"{name}, {kind}": -elbo, f"{name}, {kind}, held out": held_out}
            metrics |= {name: -elbo, **scores, f"{name}, {kind}, learning rate": rate}  # by name alone the preset's
            run.save_metrics(metrics)
            panels[kind][name] = tuple(zip(*sorted(varies.values.items()), strict=True))
            row |= {f"{kind}, paper": ESTIMATORS[name][2 + i], kind: -elbo}
        grid = image_grid(model.sample(100, seed=run.seed), columns=10)  # of Gumbel-softmax, the last
        run.save_image(f"samples_{kind}", grid)
    run.save_image("variance", lines(panels, x="epochs", y="variance of the gradient", log="y"))
    run.publish(
        model,
        {name: metrics[name] for name in ("seed", *names)},
        dataset="binarized_mnist 1.0.0",
        licence="CC-BY-SA-3.0, the terms of MNIST",
        description="A VAE 784-300-300-(20 variables of ten classes), trained by Gumbel-softmax.",
        limits="Binary 28x28 digits only, binarised once as Larochelle and Murray did.",
        preview=grid,
    )
    run.finish(f"-elbo of test digits, nats, hard samples; {long} epochs, seed {run.seed}; bars 111 and 105.5", rows)


if __name__ == "__main__":
    main()
