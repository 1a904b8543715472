"""k-sparse autoencoder on MNIST: 1,000 linear units with tied weights, of which the 25 largest are kept.

Paper     Makhzani & Frey 2013, arXiv:1312.5663: k annealed from all units over the first half of the training, alpha k
          of them kept in codes. Its table of errors could not be verified; the bars, 1.5 % and 1.1 %, are our own. Ours
          differ: centred images, k annealed in two epochs, noise and averaged weights while fine-tuning.
Command   KERAS_BACKEND=jax python recipes/k_sparse_mnist.py     (mnist through tensorflow-datasets)
Hardware  one CPU core, JAX: 23 minutes. --full, 1,000 epochs: not run.
Measured  fine-tuned, which the preset is not, 1.22 % (bar 1.1: MISSED by 0.12); and:
          | figure                | bar | preset, seed 0 |
          | linear_probe_error, % | 1.5 | 1.50           |
          | error_100_labels, %   | -   | 18.0           |
          | error_1000_labels, %  | -   | 5.4            |
          | dead_units            | -   | 0              |
Notes     Centred images did it. Without, SGD diverged at 0.01 while all units were kept, and Adam left 13 % of them
          dead, with 2.12 % by logistic regression; with `centered=True`, SGD at 0.02 leaves none, and the filters are
          pen strokes. k is lowered within two epochs: over half of the training, as in the paper, 30 % of the units
          died in a trial of 50 epochs. More activations kept in the codes: 1.59 % at 100, 1.63 % at 150, against 1.50
          at 75. The fine-tuned error misses its bar by about one standard error of 10,000 digits; it was 1.77 % before
          the noise and the averaging. Noise, rate and length were chosen on the held-out digits, 1.18 % there; of six
          other settings, 1.27 to 1.46 % there, the test errors were 1.07 to 1.36 %. Six trials with dropout, most with
          masking or smoothed labels besides, from a pretraining of 80 epochs, ended at 1.45 to 1.89 %.
"""

import keras_vae  # first: it picks the backend
import keras

from keras_vae.callbacks import CoefficientSchedule
from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.metrics import dead_units, few_label_errors, linear_probe
from keras_vae.ops import linear_schedule
from keras_vae.reports import comparison_grid, filters_grid
from keras_vae.runs import Recipe
from keras_vae.training import finetune

BARS = {"linear_probe_error": 1.5, "fine_tuned_error": 1.1}
UNITS, K, ALPHA, RATE = 1000, 25, 3.0, 0.02


def make_model(images, run):
    units = run.pick(UNITS, UNITS, 50)
    encoder = keras_vae.MLPEncoder((units,), "linear", centered=True)
    encoder.adapt(images)
    model = keras_vae.KSparseAutoencoder(encoder, k=K, alpha=run.pick(ALPHA, ALPHA, 1))
    model.build((None, 28, 28, 1))
    return model


def main():
    run = Recipe(__doc__, __file__)
    options = {"labels": True, "download": True, "limit": run.pick(None, None, 400)}
    images, labels = load_images("mnist", "train", **options)
    test, test_labels = load_images("mnist", "test", **options)
    train, test = to_float(images), to_float(test)
    epochs = run.pick(200, 1000, 3)
    batches = ImageBatches(images, 100, seed=run.seed, drop_remainder=True)

    model = make_model(train, run)
    rate = keras.optimizers.schedules.CosineDecay(RATE, epochs * len(batches))
    model.compile(keras.optimizers.SGD(rate, momentum=0.9))
    anneal = CoefficientSchedule("k", linear_schedule(model.encoder.units[0], K, steps=2 * len(batches)))
    run.fit(model, batches, epochs, every=10, callbacks=[anneal])

    codes = [model.encode(x, batch_size=1000) for x in (train, test)]
    counts = run.pick((100, 1000), (100, 1000), (20, 50))
    few = few_label_errors(codes[0], labels, codes[1], test_labels, counts=counts)
    metrics = {
        "linear_probe_error": 100 * linear_probe(codes[0], labels, codes[1], test_labels),
        **{f"error_{count}_labels": 100 * error for count, error in few.items()},
        "test_error": model.evaluate(test, return_dict=True, verbose=0)["distortion"],
        "dead_units": dead_units(codes[1]),
        "epochs": epochs,
        "seed": run.seed,
    }
    filters = filters_grid(keras.ops.convert_to_numpy(model.encoder.dense_layers()[0].kernel), (28, 28))
    run.save_image("filters", filters)
    run.save_image("reconstructions", comparison_grid(test[:20], model.reconstruct(test[:20]), columns=10))
    run.publish(
        model,
        metrics,
        dataset="mnist 3.0.1, greys in [0, 1]",
        licence="CC-BY-SA-3.0, the terms of MNIST",
        description=f"{UNITS} linear units with tied weights, {K} kept in training, {ALPHA:g} times as many in codes.",
        limits="28x28 digits only. There is no prior: it does not sample.",
        preview=filters,
    )
    keras.utils.set_random_seed(run.seed)  # of the head, also where the training was resumed
    classifier = model.as_classifier(10, corruption=keras_vae.AdditiveGaussianNoise(0.3, seed=run.seed))
    held = run.pick(50_000, 50_000, 300)
    options = {"epochs": run.pick(60, 100, 1), "learning_rate": 5e-4, "averaging": 0.999}
    finetune(classifier, train[:held], labels[:held], (train[held:], labels[held:]), **options)
    scores = classifier.evaluate(test, test_labels, verbose=0, return_dict=True)
    metrics["fine_tuned_error"] = 100 * (1 - scores["accuracy"])
    run.save_metrics(metrics)
    rows = [{"figure": name, "paper": "not verified", "bar": bar, "ours": metrics[name]} for name, bar in BARS.items()]
    rows.append({"figure": "dead_units", "paper": "-", "bar": None, "ours": metrics["dead_units"]})
    run.finish(f"k-sparse autoencoder on MNIST, k = {K}, {epochs} epochs, seed {run.seed}", rows)


if __name__ == "__main__":
    main()
