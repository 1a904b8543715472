"""A search over the size of a codebook and the weight of the commitment: bits of a VQ-VAE against its distortion.

Compare   trials with each other, on 16,000 images of CIFAR-10 to train and 2,000 to judge by, keras-tuner's Bayesian
          search for the least bits per dim of codes and residual: rate plus distortion at a fixed precision.
Command   KERAS_BACKEND=tensorflow python recipes/tune_codebook.py     (needs the extras `tune` and `recipes`)
Hardware  one CPU core, no AVX-512, TensorFlow: 21 minutes for 20 trials; --full, 100 longer ones: not run.
Measured  | trials, seed 0     | commitment weight | bits | normalised squared error | perplexity | bits per dim |
          | K = 512, the best  | 9.5               | 561  | .102                     | 437        | -1.355       |
          | K = 4,096          | 9.8               | 743  | .091                     | 3,111      | -1.343       |
          | K = 32             | 23.7              | 315  | .134                     | 30         | -1.289       |
          | K = 4,096          | .79               | 744  | .115                     | 3,164      | -1.234       |
Notes     Bits are those of the entropy of the codes, 64 log2 of their perplexity; the precision is a standard deviation
          of 0.1. Per dim, because keras-tuner's Gaussian process has a prior variance of one: of nats by the thousand
          it tries but neighbours of the best. Weights of 8.3 and 9.2 gave .117 and .102 at K = 512: partly chance.
"""

import keras_vae as kv  # first: it picks the backend
import keras
import numpy as np

from keras_vae.core.optional import require
from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.runs import Recipe

SHAPE, POSITIONS, D, STDDEV = (32, 32, 3), 64, 16, 0.1
SIZES, WEIGHTS, AXES = (16, 4096), (0.1, 30.0), ("bits", "normalised_mse")  # of codebooks, commitments, the picture
MEASURED = ("val_bits_per_dim", "val_bits", "val_distortion", "val_normalised_mse", "val_perplexity")


def rate_and_distortion(variance):
    """Puts bits of codes, normalised squared error, and bits per dim of codes and residual into the epoch logs."""

    def put(epoch, logs):
        for prefix in ("", "val_"):
            distortion, bits = logs[f"{prefix}distortion"], POSITIONS * np.log2(logs[f"{prefix}perplexity"])
            error = 2 * STDDEV**2 * (distortion / np.prod(SHAPE) - np.log(STDDEV * np.sqrt(2 * np.pi)))
            per_dim = (bits + distortion / np.log(2.0)) / np.prod(SHAPE)
            found = {"bits": bits, "normalised_mse": error / variance, "bits_per_dim": per_dim}
            logs.update({prefix + name: float(value) for name, value in found.items()})

    return keras.callbacks.LambdaCallback(on_epoch_end=put)


def main():
    tuner_package = require("keras_tuner", "tune", "Searching hyperparameters")
    run = Recipe(__doc__, __file__)
    images = load_images("cifar10_jpeg", "train", limit=run.pick(16_000, None, 128))
    held = to_float(load_images("cifar10_jpeg", "test", limit=run.pick(2_000, 2_000, 64)))
    batches = ImageBatches(images, 64, seed=run.seed, mirror=True, drop_remainder=True)

    def build(hp):
        keras.utils.set_random_seed(run.seed)
        batches.start(0)  # each trial sees the same images in the same order
        size = {"hidden": run.pick(32, 128, 8), "residual_hidden": run.pick(16, 32, 4), "depth": 1}
        model = kv.VQVAE(
            kv.VQEncoder(D, **size),
            kv.VQDecoder(SHAPE, **size),
            kv.VectorQuantizerEMA(hp.Int("codebook_size", *SIZES, step=2, sampling="log"), D, seed=run.seed),
            commitment_weight=hp.Float("commitment_weight", *WEIGHTS, sampling="log"),
            likelihood=kv.GaussianLikelihood(stddev=STDDEV),
        )
        model.build((None, *SHAPE))
        model.compile(keras.optimizers.Adam(1e-3))
        return model

    tuner = tuner_package.BayesianOptimization(
        build,
        objective=tuner_package.Objective("val_bits_per_dim", "min"),
        max_trials=run.pick(20, 100, 2),
        num_initial_points=run.pick(8, 20, 2),
        seed=run.seed + 1,  # keras-tuner takes 0 for none
        directory=run.checkpoint,
        project_name="trials",
        overwrite=not run.resumed,
    )
    options = {"epochs": run.pick(4, 20, 1), "shuffle": False, "callbacks": [rate_and_distortion(float(held.var()))]}
    tuner.search(batches, validation_data=(held,), verbose=run.pick(2, 2, 0), **options)
    trials = tuner.oracle.trials.values()
    rows = sorted((row_of(t) for t in trials if t.score is not None), key=lambda row: row["bits_per_dim"])
    if not rows:
        raise RuntimeError("No trial ended: " + "; ".join(str(t.message) for t in trials))
    best = front(rows)
    run.save_metrics({"trials": rows, "front": best, "best": rows[0], "seed": run.seed})
    picture(rows, best, run.pictures / "rate_distortion.png")
    run.finish(f"VQ-VAE on CIFAR-10: {len(rows)} trials, best first; {len(best)} on the front", rows[:10])


def row_of(trial):
    """What was chosen, and what was logged in the best epoch."""
    measured = {name: trial.metrics.get_history(name)[-1].mean() for name in MEASURED}
    return trial.hyperparameters.values | {name.removeprefix("val_"): value for name, value in measured.items()}


def front(rows):
    """Those that no other one beats in bits and error, from few bits to many."""
    best = []
    for row in sorted(rows, key=lambda row: (row["bits"], row["normalised_mse"])):
        if not best or row["normalised_mse"] < best[-1]["normalised_mse"]:
            best.append(row)
    return best


def picture(rows, best, path):
    plt = require("matplotlib.pyplot", "viz", "Drawing the trials")
    figure, axes = plt.subplots(figsize=(6.5, 4.5), layout="constrained")
    x, y, weight, size = ([row[name] for row in rows] for name in (*AXES, "commitment_weight", "codebook_size"))
    axes.plot(*([row[name] for row in best] for name in AXES), color="#9a9a9a", zorder=0)
    points = axes.scatter(x, y, c=np.log10(weight), s=70, cmap="viridis", edgecolors="black")
    lowest = {k: (bits, error) for k, error, bits in sorted(zip(size, y, x, strict=True), reverse=True)}
    for number, place in lowest.items():
        axes.annotate(f"{number:,}", place, xytext=(-8, -12), textcoords="offset points", fontsize=8)
    axes.set(xlabel="bits of the codes of an image, by their entropy", ylabel="squared error over variance")
    axes.set_title("trials and their Pareto front; K beside its best", fontsize=11)
    figure.colorbar(points, label="log10 of the commitment weight")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
