"""Deep autoencoder 784-1000-500-250-30 on MNIST greys: the squared error of Hinton & Salakhutdinov, beside PCA.

Paper     Hinton & Salakhutdinov 2006, Science 313:504: test error 3.00, logistic PCA-30 8.01, PCA-30 13.87 (sums of
          squares per image, pixels in [0, 1]); they pretrain by Boltzmann machines, here Adam trains all at once.
Command   KERAS_BACKEND=jax python recipes/deep_autoencoder_mnist.py     (mnist through tensorflow-datasets)
Hardware  one busy CPU core, JAX: 28 minutes for 100 epochs. --full, 2,500 epochs: not run.
Measured  | figure      | bar         | paper | preset, seed 0 |
          | test_error  | 3.00        | 3.00  | 2.93           |
          | train_error | -           | -     | 1.37           |
          | pca_error   | 13.9 +- 0.2 | 13.87 | 13.87          |
"""

import keras_vae  # first: it picks the backend
import keras

from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.metrics import pca_error
from keras_vae.reports import comparison_grid, filters_grid
from keras_vae.runs import Recipe

PAPER = {"test_error": 3.00, "pca_error": 13.87}


def make_model():
    encoder = keras.Sequential(
        [keras_vae.MLPEncoder((1000, 500, 250), "silu"), keras.layers.Dense(30, name="code")], name="encoder"
    )
    decoder = keras_vae.MLPDecoder((28, 28, 1), (250, 500, 1000), "silu")
    model = keras_vae.PlainAutoencoder(encoder, decoder, likelihood=keras_vae.SquaredError(activation="sigmoid"))
    model.build((None, 28, 28, 1))
    return model


def main():
    run = Recipe(__doc__, __file__)
    train = load_images("mnist", "train", download=True, limit=run.pick(None, None, 500))
    test = to_float(load_images("mnist", "test", download=True, limit=run.pick(None, None, 100)))
    pca = pca_error(to_float(train), test, latent_dim=30)
    print(f"PCA, 30 components: test error {pca:.2f} (paper: {PAPER['pca_error']})", flush=True)
    epochs = run.pick(100, 2500, 2)
    batches = ImageBatches(train, run.pick(200, 200, 100), seed=run.seed, drop_remainder=True)

    model = make_model()
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, epochs * len(batches), warmup_target=1e-3, warmup_steps=len(batches)
    )
    model.compile(keras.optimizers.Adam(rate))
    run.fit(model, batches, epochs, every=10, validation_data=(test[:1000],), validation_freq=10)

    metrics = {
        "test_error": model.evaluate(test, return_dict=True, verbose=0)["distortion"],
        "train_error": model.evaluate(to_float(train[:10_000]), return_dict=True, verbose=0)["distortion"],
        "pca_error": pca,
        "epochs": epochs,
        "seed": run.seed,
    }
    run.save_metrics(metrics)
    run.save_image("reconstructions", comparison_grid(test[:20], model.reconstruct(test[:20]), columns=10))
    first = keras.ops.convert_to_numpy(model.encoder.layers[0].dense_layers()[0].kernel)
    run.save_image("filters", filters_grid(first, (28, 28)))
    run.publish(
        model,
        metrics,
        dataset="mnist 3.0.1, greys in [0, 1]",
        licence="CC-BY-SA-3.0, the terms of MNIST",
        description="A deep autoencoder 784-1000-500-250-30 with SiLU units, trained on squared error.",
        limits="28x28 digits only. There is no prior: it does not sample.",
        preview=filters_grid(first, (28, 28)),
    )
    rows = [
        {"figure": "test error", "paper": PAPER["test_error"], "bar": "<= 3.00", "ours": metrics["test_error"]},
        {"figure": "training error", "paper": None, "bar": "-", "ours": metrics["train_error"]},
        {"figure": "PCA with 30 components", "paper": PAPER["pca_error"], "bar": "13.7-14.1", "ours": pca},
    ]
    run.finish(f"Deep autoencoder on MNIST, {epochs} epochs, seed {run.seed}", rows)


if __name__ == "__main__":
    main()
