"""VQ-VAE on CIFAR-10, 32x32x3 -> 8x8 codes of K = 512, with a moving-average codebook.

Paper     van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937, with nets and measure of its authors' later
          public implementation: squared error over the variance of the data, recalled to end near 0.05, with a
          perplexity above 400. The bars, 0.06 and 300, are our own.
Command   KERAS_BACKEND=tensorflow python recipes/vqvae_cifar.py --policy mixed_bfloat16
          (cifar10_jpeg, see the README)
Hardware  one CPU core with bfloat16, TensorFlow: 50 minutes beside other work. --full, 128 epochs: not run.
Measured  on the 10,000 test images:
          | figure           | recalled | bar     | preset, seed 0 |
          | normalised_mse   | 0.05     | <= 0.06 | 0.0495         |
          | psnr, dB         | -        | -       | 25.63          |
          | perplexity       | > 400    | >= 300  | 433.4          |
          | codebook_usage   | -        | -       | 1.000          |
Notes     The images are JPEGs of CIFAR-10, whose pixels differ from the originals. A commitment of 4 counts as much as
          that of vqvae_celeba.py; after 400 steps of a short trial the paper's 0.25 had 0.165 where 4 had 0.127.
"""

import keras_vae  # first: it picks the backend
import keras
import numpy as np

from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.metrics import psnr
from keras_vae.reports import comparison_grid, image_grid
from keras_vae.runs import Recipe

SHAPE = (32, 32, 3)
K, D = 512, 64
BARS = {"normalised_mse": 0.06, "perplexity": 300}


def make_model(run):
    size = {"hidden": run.pick(128, 128, 16), "residual_hidden": run.pick(32, 32, 8), "depth": run.pick(2, 2, 1)}
    quantizer = keras_vae.VectorQuantizerEMA(K, D, seed=run.seed)
    encoder, decoder = keras_vae.VQEncoder(D, **size), keras_vae.VQDecoder(SHAPE, **size)
    model = keras_vae.VQVAE(encoder, decoder, quantizer, commitment_weight=4.0)
    model.build((None, *SHAPE))
    return model


def main():
    run = Recipe(__doc__, __file__, policy=True)
    images, test = (load_images("cifar10_jpeg", s, limit=run.pick(None, None, 256)) for s in ("train", "test"))
    test, variance = to_float(test), float(to_float(images).var())
    batches = ImageBatches(images, 64, seed=run.seed, mirror=True, drop_remainder=True)
    trained, model = run.in_policy(lambda: make_model(run))
    epochs = run.pick(20, 128, 1)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, epochs * len(batches), warmup_target=1e-3, warmup_steps=min(500, len(batches))
    )
    trained.compile(keras.optimizers.Adam(schedule))
    run.fit(trained, batches, epochs, validation_data=(test,))
    model.set_weights(trained.get_weights())
    model.compile()
    scores = model.evaluate(test, batch_size=500, return_dict=True, verbose=0)
    reconstructions = np.clip(model.reconstruct(test, batch_size=500), 0.0, 1.0)  # Gaussian means know no limits
    metrics = {
        "normalised_mse": float(np.square(reconstructions - test).mean()) / variance,
        "psnr": float(psnr(test, reconstructions).mean()),
        "perplexity": scores["perplexity"],
        "codebook_usage": scores["codebook_usage"],
        "bits_per_image": model.bits_per_image,
        "epochs": epochs,
        "seed": run.seed,
    }
    run.save_metrics(metrics)
    run.save_image("reconstructions", comparison_grid(test[:16], reconstructions[:16], columns=8))
    # The preview may not show an image of the data set: it shows each code, decoded as a constant map.
    codes = np.broadcast_to(np.arange(K)[:, None, None], (K, *model.latent_shape))
    run.publish(
        model,
        metrics,
        dataset="CIFAR-10, as JPEG (cifar10_jpeg)",
        licence="none stated by the dataset; CIFAR-10 asks for a citation",
        description="VQ-VAE with a moving-average codebook, 32x32x3 -> 8x8 codes of K = 512: 576 bits an image.",
        limits="32x32 images of ten classes. It has no learned prior: samples are decoded noise.",
        preview=image_grid(model.decode(codes)[:, 12:20, 12:20], columns=32, clip=True),
    )
    rows = [{"figure": name, "bar": BARS.get(name), "ours": value} for name, value in metrics.items()]
    run.finish(f"VQ-VAE on CIFAR-10, {len(test):,} test images, seed {run.seed}", rows)


if __name__ == "__main__":
    main()
