"""One denoising layer on MNIST at several levels of masking: what the noise does to filters and codes.

Paper     Vincent et al. 2008, ICML: with more corruption the filters grow from spots to strokes (their figure 3, a
          picture); the errors there are of three layers, for which see stacked_denoising_mnist.py.
Command   KERAS_BACKEND=jax python recipes/denoising_mnist.py      (mnist through tensorflow-datasets)
Hardware  one busy CPU core, JAX: 13 minutes for the three levels. --full, 200 epochs: not run.
Measured  seed 0, by the masking of the training; what is restored are digits of which 50 % is masked:
          | figure                    | 0 % (not trained to) | 25 % | preset: 50 % |
          | squared error, 50% masked | 40.9                 | 17.2 | 8.6          |
          | linear probe, %           | 4.59                 | 3.39 | 3.46         |
          | 100 labels, %             | 24.1                 | 21.9 | 21.4         |
          | 1000 labels, %            | 11.4                 | 10.1 | 9.2          |
"""

import keras_vae  # first: it picks the backend
import keras

from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.metrics import few_label_errors, linear_probe
from keras_vae.reports import comparison_grid, filters_grid
from keras_vae.runs import Recipe

LEVELS = (0.0, 0.25, 0.5)
SHIPPED = 0.5


def make_model(run, level):
    model = keras_vae.DenoisingAutoencoder(
        keras_vae.MLPEncoder((run.pick(1000, 1000, 20),), "sigmoid"),
        corruption=keras_vae.MaskingNoise(level, seed=run.seed),
        likelihood=keras_vae.BernoulliLikelihood(),
    )
    model.build((None, 28, 28, 1))
    return model


def train(images, level, run):
    keras.utils.set_random_seed(run.seed)
    model = make_model(run, level)
    epochs = run.pick(30, 200, 2)
    batches = ImageBatches(images, 100, seed=run.seed, drop_remainder=True)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, epochs * len(batches))))
    print(f"Masking {level:.0%}: {epochs} epochs", flush=True)
    run.fit(model, batches, epochs, part=str(level), curves=False, every=5)
    return model


def main():
    run = Recipe(__doc__, __file__)
    options = {"labels": True, "download": True, "limit": run.pick(None, None, 400)}
    images, labels = load_images("mnist", "train", **options)
    test, test_labels = load_images("mnist", "test", **options)
    x, test = to_float(images), to_float(test)
    # One corruption for all: what each model restores of digits half of whose pixels are gone.
    mask = keras_vae.MaskingNoise(SHIPPED, seed=run.seed)
    corrupted = keras.ops.convert_to_numpy(mask(keras.ops.convert_to_tensor(test), training=True))
    rows = []
    for level in LEVELS:
        model = train(images, level, run)
        codes = [(model.encode(x, batch_size=1000), labels), (model.encode(test, batch_size=1000), test_labels)]
        few = few_label_errors(*codes[0], *codes[1], counts=run.pick((100, 1000), (100, 1000), (20, 50)))
        scores = model.evaluate(test, return_dict=True, verbose=0)
        restored = model.reconstruct(corrupted)
        found = {
            "cross-entropy": scores["distortion"],
            f"squared error, {SHIPPED:.0%} masked": float(((restored - test) ** 2).sum(axis=(1, 2, 3)).mean()),
            "linear probe, %": 100 * linear_probe(*codes[0], *codes[1]),
            **{f"{count} labels, %": 100 * error for count, error in few.items()},
        }
        rows.append({"masking": f"{level:.0%}", **found})
        run.save_metrics({f"masking {level}": found, "seed": run.seed})
        filters = filters_grid(keras.ops.convert_to_numpy(model.encoder.dense_layers()[0].kernel), (28, 28))
        run.save_image(f"filters_{level}", filters)
        rows_shown = {"masked": corrupted[:20], "restored": restored[:20]}
        run.save_image(f"restored_{level}", comparison_grid(test[:20], rows_shown, columns=10))
        if level == SHIPPED:
            run.publish(
                model,
                found,
                dataset="mnist 3.0.1, greys in [0, 1]",
                licence="CC-BY-SA-3.0, the terms of MNIST",
                description="1,000 sigmoid units, tied weights; restores digits half of whose pixels are masked.",
                limits="28x28 digits only. There is no prior: it does not sample.",
                preview=filters,
            )
    run.finish(f"Denoising autoencoder on MNIST, test set, seed {run.seed} (the paper's figure is a picture)", rows)


if __name__ == "__main__":
    main()
