"""Discrete VAEs on binarised MNIST, the static files: every estimator of the gradient, at equal updates.

Paper     Jang, Gu & Poole 2017, arXiv:1611.01144, table 1, VAE: 105.0 nats with 200 binary latents and 101.5 with 20
          variables of ten classes, by Gumbel-softmax. The bars are our own, for short runs: 111 and 105.5, and below
          straight-through and the score function.
Command   KERAS_BACKEND=jax python recipes/discrete_mnist.py        (binarized_mnist, see the README)
Hardware  one CPU core, JAX: minutes to come.
Measured  to come
Notes     Nets 784-400-latents-400-784, batches of 100, Adam on a cosine. The learning rate is the best of three on the
          validation digits after a short run; the long run keeps the epoch that is best there. Figures are of hard
          samples. The variance is that of the gradient of the posterior's head, over draws, on one batch of digits.
"""

import keras_vae  # first: it picks the backend
import keras
import numpy as np

from keras_vae.callbacks import CoefficientSchedule, GradientVariance
from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.ops import linear_schedule
from keras_vae.reports import image_grid, lines
from keras_vae.runs import Recipe
from keras_vae.training import EarlyStop

PAPER = {  # table 1: binary, categorical
    "score function": (112.2, 110.6),
    "DARN": (110.9, 128.8),
    "MuProp": (109.7, 107.0),
    "straight-through": (116.0, 110.9),
    "annealed straight-through": (111.5, 107.8),
    "Gumbel-softmax": (105.0, 101.5),
    "straight-through Gumbel": (111.5, 107.8),
}
BARS = {"binary": 111.0, "categorical": 105.5}
RATES = (3e-4, 1e-3, 3e-3)
FALLING = {"bottleneck.estimator.temperature": (1.0, 0.5)}
ESTIMATORS = {  # what makes it, and what is scheduled over the first half
    "score function": (lambda: keras_vae.ScoreFunction(keras_vae.InputDependentBaseline((200,), decay=0.99)), {}),
    "DARN": (keras_vae.DARN, {}),
    "MuProp": (keras_vae.MuProp, {}),
    "straight-through": (keras_vae.StraightThrough, {}),
    "annealed straight-through": (keras_vae.StraightThrough, {"bottleneck.estimator.slope": (1.0, 5.0)}),
    "ReinMax": (keras_vae.ReinMax, {}),
    "Gumbel-softmax": (keras_vae.GumbelSoftmax, FALLING),
    "straight-through Gumbel": (lambda: keras_vae.GumbelSoftmax(hard=True), FALLING),
}


def make_model(kind, name, run):
    keras.utils.set_random_seed(run.seed)  # the same nets for each estimator
    units, options = run.pick((400,), (400,), (20,)), {"estimator": ESTIMATORS[name][0](), "seed": run.seed}
    if kind == "binary":
        bottleneck = keras_vae.BernoulliBottleneck(run.pick(200, 200, 10), **options)
    else:
        bottleneck = keras_vae.CategoricalBottleneck(run.pick(20, 20, 4), run.pick(10, 10, 3), **options)
    model = keras_vae.DiscreteVAE(keras_vae.MLPEncoder(units), keras_vae.MLPDecoder((28, 28, 1), units), bottleneck)
    model.build((None, 28, 28, 1))
    return model


def train(kind, name, rate, epochs, data, run, *callbacks):
    """The model at its best epoch, and -elbo of the validation digits there, nats."""
    images, validation = data
    model, part = make_model(kind, name, run), f"{kind}_{name}_{rate:g}_{epochs}".replace(" ", "_")
    batches = ImageBatches(images, 100, seed=run.seed, drop_remainder=True)
    steps = epochs * len(batches)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps)))
    schedules = [
        CoefficientSchedule(path, linear_schedule(*ends, max(1, steps // 2)))
        for path, ends in ESTIMATORS[name][1].items()
    ]
    stop = EarlyStop(run.pick(15, 50, 2), run.checkpoint / part / "best")
    options = {"callbacks": [*schedules, stop, *callbacks], "validation_data": (validation,), "curves": False}
    run.fit(model, batches, epochs, part, every=10, verbose=2, **options)
    return model, -model.evaluate(validation, batch_size=500, return_dict=True, verbose=0)["elbo"]


def main():
    run = Recipe(__doc__, __file__)
    limits = {"train": 400, "validation": 100, "test": 100}
    parts = [load_images("binarized_mnist", s, limit=run.pick(None, None, n)) for s, n in limits.items()]
    data, test = (parts[0], to_float(parts[1])), to_float(parts[2])
    few = ImageBatches(np.tile(parts[0][:100], (run.pick(100, 100, 2), 1, 1, 1)), 100, shuffle=False)  # 100 gradients
    names = run.pick(list(ESTIMATORS), list(ESTIMATORS), ["score function", "Gumbel-softmax"])
    short, long = run.pick(10, 50, 1), run.pick(75, 1000, 2)
    found, rows, panels = {}, [], {}
    for kind in BARS:
        for name in names:
            tried = {rate: train(kind, name, rate, short, data, run)[1] for rate in run.pick(RATES, RATES, RATES[:1])}
            rate = min(tried, key=tried.get)
            key = f"{kind}_{name}".replace(" ", "_")
            measured = run.pick((1, 5, 20, 50, 75), (1, 10, 100, 1000), (1, 2))
            varies = GradientVariance(few, "bottleneck.head", measured, run.checkpoint / f"{key}.json")
            model, held_out = train(kind, name, rate, long, data, run, varies)
            elbo = model.evaluate(test, batch_size=500, return_dict=True, verbose=0)["elbo"]
            found |= {f"bound_{key}": -elbo, f"held_out_{key}": held_out, f"rate_{key}": rate}
            run.save_metrics({**found, "seed": run.seed})
            paper = PAPER.get(name, (None, None))[list(BARS).index(kind)]
            rows.append({"latents": kind, "estimator": name, "rate": rate, "paper": paper, "-elbo, nats": -elbo})
            panels.setdefault(kind, {})[name] = tuple(zip(*sorted(varies.values.items()), strict=True))
            if name == "Gumbel-softmax":
                best, grid = model, image_grid(model.sample(100, seed=run.seed), columns=10)
                run.save_image(f"samples_{kind}", grid)
    run.save_image("variance", lines(panels, x="epochs", y="variance of the gradient", log="y"))
    run.publish(
        best,
        found | {"seed": run.seed},
        dataset="binarized_mnist 1.0.0",
        licence="CC-BY-SA-3.0, the terms of MNIST",
        description="A VAE 784-400-(20 variables of ten classes)-400-784, trained by Gumbel-softmax.",
        limits="Binary 28x28 digits only, binarised once as Larochelle and Murray did.",
        preview=grid,
    )
    run.finish(f"estimators of discrete VAEs, {long} epochs, seed {run.seed}; bars {BARS}", rows)


if __name__ == "__main__":
    main()
