"""A search over rho and sparsity_weight of the sparse autoencoder: which code tells MNIST digits apart best.

Compare   trials with each other, on 10,000 digits to train and 2,000 to judge by, keras-tuner's Bayesian search.
Command   KERAS_BACKEND=jax python recipes/tune_sparse_rho.py     (needs the extras `tune` and `recipes`)
Hardware  one CPU core, JAX: 2 minutes for 12 trials. --full, 60 trials: not run. --resume goes on.
Measured  seed 0: best rho 0.083, sparsity_weight 0.91: probe error 5.25 % of 2,000 digits; the others 5.75 to 10.95 %.
Notes     At that time the seed did not reach the draws of the first trials: a run of today has others.
"""

import keras_vae  # first: it picks the backend
import keras
import numpy as np

from keras_vae.core.optional import require
from keras_vae.datasets import load_mnist_variation, to_float
from keras_vae.metrics import linear_probe
from keras_vae.runs import Recipe

RHO, WEIGHT = (0.01, 0.3), (0.1, 30.0)


class ProbeError(keras.callbacks.Callback):
    """Puts the error of a linear probe into the logs of every epoch: the tuner looks for its objective in each."""

    def __init__(self, train, held, epochs):
        super().__init__()
        self.train, self.held, self.epochs = train, held, epochs

    def __deepcopy__(self, memo):
        return ProbeError(self.train, self.held, self.epochs)  # the tuner copies callbacks: the data is shared

    def on_epoch_end(self, epoch, logs=None):
        logs["probe_error"] = 1.0  # worse than any: only the last epoch is worth the probe
        if epoch + 1 == self.epochs:
            codes = [self.model.encode(x, batch_size=1000) for x, _ in (self.train, self.held)]
            logs["probe_error"] = linear_probe(codes[0], self.train[1], codes[1], self.held[1])


def main():
    tuner_package = require("keras_tuner", "tune", "Searching hyperparameters")
    run = Recipe(__doc__, __file__)
    limit, epochs = run.pick(10_000, 10_000, 300), run.pick(20, 50, 2)
    data = [load_mnist_variation("basic", split, download=True) for split in ("train", "validation")]
    train, held = ((to_float(x[:limit]), y[:limit]) for x, y in data)

    def build(hp):
        keras.utils.set_random_seed(run.seed)
        model = keras_vae.SparseAutoencoder(
            keras_vae.MLPEncoder((200,), "sigmoid"),
            rho=hp.Float("rho", *RHO, sampling="log"),
            sparsity_weight=hp.Float("sparsity_weight", *WEIGHT, sampling="log"),
            likelihood=keras_vae.SquaredError(activation="sigmoid"),
        )
        model.build((None, 28, 28, 1))
        model.compile(keras.optimizers.Adam(2e-3))
        return model

    tuner = tuner_package.BayesianOptimization(
        build,
        objective=tuner_package.Objective("probe_error", "min"),
        max_trials=run.pick(12, 60, 2),
        num_initial_points=run.pick(6, 12, 2),
        seed=run.seed + 1,  # keras-tuner takes 0 for none
        directory=run.checkpoint,
        project_name="trials",
        overwrite=not run.resumed,
    )
    probe = ProbeError(train, held, epochs)
    tuner.search(train[0], epochs=epochs, batch_size=100, callbacks=[probe], verbose=run.pick(1, 1, 0))

    trials = [t for t in tuner.oracle.trials.values() if t.score is not None]
    if not trials:
        raise RuntimeError("No trial ended: " + "; ".join(str(t.message) for t in tuner.oracle.trials.values()))
    rows = sorted(
        ({**t.hyperparameters.values, "probe error, %": 100 * t.score} for t in trials),
        key=lambda r: r["probe error, %"],
    )
    run.save_metrics({"trials": rows, "best": rows[0], "seed": run.seed})
    picture(
        np.array([[r["rho"], r["sparsity_weight"], r["probe error, %"]] for r in rows]), run.pictures / "trials.png"
    )
    run.finish(f"Sparse autoencoder: {len(rows)} trials, best first", rows[:10])


def picture(trials, path):
    plt = require("matplotlib.pyplot", "viz", "Drawing the trials")
    figure, axes = plt.subplots(figsize=(6, 4.5), layout="constrained")
    points = axes.scatter(trials[:, 0], trials[:, 1], c=trials[:, 2], cmap="viridis_r", s=90, edgecolors="black")
    axes.set(xscale="log", yscale="log", xlabel="rho", ylabel="sparsity_weight")
    axes.set_xticks([0.01, 0.03, 0.1, 0.3], ["0.01", "0.03", "0.1", "0.3"])
    axes.tick_params(which="minor", labelbottom=False)
    axes.annotate("best", trials[0, :2], xytext=(8, 8), textcoords="offset points")
    figure.colorbar(points, label="probe error, %")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
