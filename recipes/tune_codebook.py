"""A search over the size of a codebook and the weight of the commitment: bits of a VQ-VAE against its distortion.

Compare   trials with each other, on 16,000 images of CIFAR-10 to train and 2,000 to judge by, keras-tuner's Bayesian
          search for the least nats of codes and residual: Shannon's rate plus distortion at a fixed precision.
Command   KERAS_BACKEND=tensorflow python recipes/tune_codebook.py     (needs the extras `tune` and `recipes`)
Hardware  one CPU core, TensorFlow: minutes to come for 20 trials. --full, 100 longer ones: not run. --resume goes on.
Measured  to come
Notes     Bits are those of the entropy of the codes, 64 log2 of their perplexity, which is what an arithmetic coder
          comes to without a learned prior. The precision is a standard deviation of 0.1; figures are of the epoch of
          the least nats.
"""

import keras_vae as kv  # first: it picks the backend
import keras
import numpy as np

from keras_vae.core.optional import require
from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.runs import Recipe

SHAPE, POSITIONS, D, STDDEV = (32, 32, 3), 64, 16, 0.1
SIZES, WEIGHTS = (16, 4096), (0.1, 30.0)  # of the codebook; of the commitment
AXES = ("bits", "normalised_mse")
MEASURED = ("val_nats", "val_bits", "val_distortion", "val_normalised_mse", "val_perplexity")


class RateDistortion(keras.callbacks.Callback):
    """Puts bits of codes, normalised squared error, and nats of codes and residual together into the epoch logs."""

    def __init__(self, variance):
        super().__init__()
        self.variance = variance

    def on_epoch_end(self, epoch, logs=None):
        for prefix in ("", "val_"):
            distortion, rate = logs[f"{prefix}distortion"], POSITIONS * np.log(logs[f"{prefix}perplexity"])
            error = 2 * STDDEV**2 * (distortion / np.prod(SHAPE) - np.log(STDDEV * np.sqrt(2 * np.pi)))
            found = {"bits": rate / np.log(2.0), "normalised_mse": error / self.variance, "nats": distortion + rate}
            logs.update({prefix + name: float(value) for name, value in found.items()})


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
        objective=tuner_package.Objective("val_nats", "min"),
        max_trials=run.pick(20, 100, 2),
        num_initial_points=run.pick(8, 20, 2),
        seed=run.seed + 1,  # keras-tuner takes 0 for none
        directory=run.checkpoint,
        project_name="trials",
        overwrite=not run.resumed,
    )
    options = {"epochs": run.pick(4, 20, 1), "shuffle": False, "callbacks": [RateDistortion(float(held.var()))]}
    tuner.search(batches, validation_data=(held,), verbose=run.pick(2, 2, 0), **options)

    trials = tuner.oracle.trials.values()
    rows = sorted((row_of(t) for t in trials if t.score is not None), key=lambda row: row["nats"])
    if not rows:
        raise RuntimeError("No trial ended: " + "; ".join(str(t.message) for t in trials))
    best = front(rows)
    run.save_metrics({"trials": rows, "front": best, "best": rows[0], "seed": run.seed})
    picture(rows, best, run.pictures / "rate_distortion.png")
    run.finish(f"VQ-VAE on CIFAR-10: {len(rows)} trials, best first; {len(best)} on the front", rows[:10])


def row_of(trial):
    """What was chosen, and what was logged in the epoch of the least nats."""
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
    for place, number in zip(zip(x, y, strict=True), size, strict=True):
        axes.annotate(f"{number:,}", place, xytext=(5, 5), textcoords="offset points", fontsize=7)
    axes.set(xlabel="bits of the codes of an image, by their entropy", ylabel="squared error over variance")
    axes.set_title("trials, by K, and their Pareto front", fontsize=11)
    figure.colorbar(points, label="log10 of the commitment weight")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
