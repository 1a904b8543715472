"""A plain autoencoder of MNIST greys as a generator: densities fitted to its codes afterwards, beside our VAE.

Paper     Ghosh et al. 2020, From variational to deterministic autoencoders, arXiv:1903.12436: ex-post density
          estimation, there with 10 components. Their distances are on a network of others, so none is comparable.
          The bar, that the mixture is below our VAE and below one Gaussian, is our own.
Command   KERAS_BACKEND=jax python recipes/generator_mnist.py    (mnist through tensorflow-datasets; needs scikit-learn)
Hardware  one CPU core, JAX: 5 minutes (estimate; 12.5 on a third of a busy one). --full, 400 epochs of wider nets and
          400 components: not run.
Measured  seed 0; 10,000 images against the 10,000 test digits. Every sample is a decoder's mean, greys, and not drawn
          from pixel by pixel, the VAE's too:
          | figure                                                | bar  | run  |
          | frechet_features_mnist_10000_vs_10000_mixture         | 3.28 | 0.36 |
          | frechet_features_mnist_10000_vs_10000_one_gaussian    | -    | 4.45 |
          | frechet_features_mnist_10000_vs_10000_vae             | -    | 3.28 |
          | frechet_features_mnist_10000_vs_10000_reconstructions | -    | 0.22 |
          | frechet_features_mnist_10000_vs_10000_training_digits | -    | 0.02 |
          | squared_error, of a test digit                        | -    | 5.22 |
          | rate_mixture, nats                                    | -    | 35.1 |
          | rate_one_gaussian, nats                               | -    | 42.3 |
Notes     The VAE was trained on binarised digits and is compared by the greys of its means: it is our preset, not the
          best VAE of this data. Chosen by the distance to the last 10,000 training digits, left out for it: after 10
          epochs, with 100 components, 16 latents had 0.81, 24 had 0.84; after 4 epochs 10 latents had 1.97, 24 had
          1.35, and with 16 one Gaussian had 6.07, 10 components 2.75, 50 components 1.70. Of 100 samples of the mixture
          about eight are no clear digit, of one Gaussian about half. Reconstructions blur a little: so do all samples.
"""

import keras_vae  # first: it picks the backend
import keras
import numpy as np

from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.metrics import FrechetDistance
from keras_vae.reports import comparison_grid, image_grid, traversal_grid
from keras_vae.runs import Recipe

LATENT = 16


def make_model(run):
    units = run.pick((512, 256), (1024, 512), (20,))
    encoder = keras.Sequential([keras_vae.MLPEncoder(units, "silu"), keras.layers.Dense(LATENT, name="code")])
    decoder = keras_vae.MLPDecoder((28, 28, 1), units[::-1], "silu")
    model = keras_vae.PlainAutoencoder(encoder, decoder, likelihood=keras_vae.SquaredError(activation="sigmoid"))
    model.build((None, 28, 28, 1))
    return model


def train(run, images):
    model, epochs = make_model(run), run.pick(30, 400, 2)
    batches = ImageBatches(images, run.pick(200, 200, 100), seed=run.seed, drop_remainder=True)
    steps = epochs * len(batches)
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=2e-3, warmup_steps=len(batches))
    model.compile(keras.optimizers.Adam(rate))
    run.fit(model, batches, epochs, every=5)
    return model


def with_density(model, prior, images, held):
    """The model as a generator, and the rate of the codes of held-out digits under the density, nats."""
    print(f"fitting a {type(prior).__name__} to the codes", flush=True)
    generator = model.with_prior(prior)
    history = generator.fit_prior(images, validation_data=held, verbose=0).history
    return generator, history["val_rate"][0]


def main():
    run = Recipe(__doc__, __file__)
    images = load_images("mnist", "train", download=True, limit=run.pick(None, None, 500))
    test = to_float(load_images("mnist", "test", download=True, limit=run.pick(None, None, 100)))
    model, greys, count = train(run, images), to_float(images), len(test)
    mixture = keras_vae.FittedMixture(run.pick(100, 400, 5), seed=run.seed)
    mixture, mixture_rate = with_density(model, mixture, greys, test)
    gaussian, gaussian_rate = with_density(model, keras_vae.FittedGaussian(), greys, test)

    drawn = {  # every sample is the decoder's mean, the VAE's too: its pixels are greys, and not drawn from them
        "mixture": mixture.sample(count, seed=run.seed),
        "one_gaussian": gaussian.sample(count, seed=run.seed),
        "vae": keras_vae.load_pretrained("vae_mnist").sample(count, seed=run.seed),
        "reconstructions": model.reconstruct(test),
        "training_digits": greys[np.random.default_rng(run.seed).permutation(len(greys))[:count]],
    }
    distance = FrechetDistance(keras_vae.load_pretrained("features_mnist"), test)
    name, found = distance.figure_name(count), {what: distance.score(x) for what, x in drawn.items()}
    metrics = {
        **{f"{name}_{what}": value for what, value in found.items()},
        "squared_error": model.evaluate(test, return_dict=True, verbose=0)["distortion"],
        "rate_mixture": mixture_rate,
        "rate_one_gaussian": gaussian_rate,
        "seed": run.seed,
    }
    run.save_metrics(metrics)

    shown = [what for what in drawn if what != "training_digits"]
    rows = np.concatenate([drawn[what][:30].reshape(3, 10, 28, 28, 1) for what in shown])
    run.save_image("side_by_side", traversal_grid(rows, [what if i == 1 else "" for what in shown for i in range(3)]))
    for what in shown[:3]:
        run.save_image(f"samples_{what}", image_grid(drawn[what][:100], columns=10))
    run.save_image("reconstructions", comparison_grid(test[:20], drawn["reconstructions"][:20], columns=10))
    run.publish(
        mixture,
        metrics,
        dataset="mnist 3.0.1, greys in [0, 1]",
        licence="CC-BY-SA-3.0, the terms of MNIST",
        description=f"A plain autoencoder with {LATENT} latents, and a mixture of {mixture.prior.num_components} "
        "Gaussians fitted to its codes, which samples digits.",
        limits="28x28 digits only. Some samples are no digit: they lie between two.",
        preview=image_grid(drawn["mixture"][:100], columns=10),
    )
    bars = {"mixture": min(found["vae"], found["one_gaussian"])}
    rows = [
        {f"{count:,} against the test digits": what, "bar": bars.get(what), "frechet": v} for what, v in found.items()
    ]
    met = "met" if found["mixture"] < bars["mixture"] else "MISSED"
    run.finish(f"Generators of MNIST, seed {run.seed}: the bar is {met}", rows)


if __name__ == "__main__":
    main()
