"""VQ-VAE on CelebA, 64x64x3 -> 16x16 codes of K = 512, moving-average codebook; a VAE of the same nets beside it.

Paper     van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937. It has no CelebA figure: the bar is our own.
Command   KERAS_BACKEND=tensorflow python recipes/vqvae_celeba.py --policy mixed_bfloat16
          (celeba_crops64 + celeba_aligned64, see the README; full celeb_a is taken instead where it is prepared)
Hardware  two CPU cores with bfloat16, TensorFlow: 45 minutes, then 14 for the VAE (estimates: beside other work 95
          and 28). --full is for a GPU: not run.
Measured  500 test images of celeba_aligned64; a compression by 42.67:
          | figure             | bar  | preset, seed 0 | VAE, 8 epochs   |
          | psnr, dB           | 27.5 | 27.59          | 27.54           |
          | ssim               | -    | 0.882          | 0.867           |
          | codebook_usage, %  | 95   | 100            | -               |
          | perplexity, of 512 | 250  | 382            | -               |
          | bits_per_image     | -    | 2,304          | 1,826 (a rate)  |
Notes     The commitment weighs 10: with the paper's 0.25, features outgrew their codes, and 22 epochs, with nets half
          as deep, ended at 27.32 dB. The VAE has 16x16x8 Gaussian latents and a learned variance.
"""

import keras_vae  # first: it picks the backend
import keras
import numpy as np

from keras_vae.datasets import ImageBatches, has_dataset, load_images, stream, to_float
from keras_vae.metrics import psnr, ssim
from keras_vae.reports import comparison_grid, image_grid
from keras_vae.runs import Recipe

SHAPE = (64, 64, 3)
K, D = 512, 64


def load(run):
    """Training batches and test images; full CelebA in the usual 148-pixel crop where it is prepared."""
    limit, batch_size = run.pick(None, None, 64), run.pick(32, 128, 32)
    if has_dataset("celeb_a"):
        test = load_images("celeb_a", "test", limit=limit or 2000, size=64, crop=148)
        return stream("celeb_a", "train", batch_size, size=64, crop=148, seed=run.seed, limit=limit), to_float(test)
    parts = [load_images(name, "train", limit=limit) for name in ("celeba_crops64", "celeba_aligned64")]
    test = load_images("celeba_aligned64", "test", limit=limit)
    images = np.concatenate(parts)
    return ImageBatches(images, batch_size, seed=run.seed, mirror=True, drop_remainder=True), to_float(test)


def nets(run, features):
    size = {"hidden": run.pick(128, 256, 16), "residual_hidden": run.pick(32, 64, 8), "depth": run.pick(4, 2, 1)}
    return keras_vae.VQEncoder(features, **size), keras_vae.VQDecoder(SHAPE, **size)


def make_vqvae(run):
    quantizer = keras_vae.VectorQuantizerEMA(K, D, seed=run.seed)
    likelihood = keras_vae.GaussianLikelihood(stddev=0.15)
    # With the paper's 0.25 features outgrow their codes: after three epochs 4 was worth 0.3 dB and 70 codes more.
    return keras_vae.VQVAE(*nets(run, D), quantizer, commitment_weight=10.0, likelihood=likelihood)


def make_vae(run):
    # One variance, learnt: with a fixed one the rate of a VAE would be a choice and not a result.
    likelihood = keras_vae.SharedVarianceGaussianLikelihood(stddev=0.25)
    return keras_vae.VAE(*nets(run, D), latent_dim=8, likelihood=likelihood)


def train(make, batches, test, epochs, run):
    """Trains under the policy asked for; returns the float32 model with its weights, and what was measured on it."""
    trained, model = run.in_policy(lambda: make(run))
    for part in (trained, model):
        part.build((None, *SHAPE))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, epochs * len(batches), warmup_target=1e-3, warmup_steps=min(500, len(batches))
    )
    trained.compile(keras.optimizers.Adam(schedule))
    run.fit(trained, batches, epochs, part=type(model).__name__.lower(), validation_data=(test,))
    model.set_weights(trained.get_weights())
    model.compile()
    reconstructions = np.clip(model.reconstruct(test), 0.0, 1.0)  # Gaussian means know no limits
    scores = model.evaluate(test, return_dict=True, verbose=0)
    metrics = {key: scores[key] for key in ("rate", "perplexity", "codebook_usage") if key in scores}
    metrics |= {"psnr": float(psnr(test, reconstructions).mean()), "ssim": float(ssim(test, reconstructions).mean())}
    metrics |= {"bits_per_image": round(metrics.pop("rate") / np.log(2.0), 1), "epochs": epochs, "seed": run.seed}
    return model, metrics


def main():
    run = Recipe(__doc__, __file__, policy=True)
    batches, test = load(run)

    vqvae, metrics = train(make_vqvae, batches, test, run.pick(24, 250, 1), run)
    run.save_metrics({"vqvae": metrics, "compression_ratio": vqvae.compression_ratio})
    run.save_image("reconstructions", comparison_grid(test[:16], vqvae.reconstruct(test[:16]), columns=8))
    # The preview may not show an image of the data set: it shows each code, decoded as a constant map.
    codes = np.broadcast_to(np.arange(K)[:, None, None], (K, *vqvae.latent_shape))
    codebook = image_grid(vqvae.decode(codes)[:, 24:40, 24:40], columns=32, clip=True)
    run.publish(
        vqvae,
        metrics,
        dataset="CelebA, 64x64 (celeba_crops64 and celeba_aligned64)",
        licence="non-commercial research purposes only, the terms of CelebA",
        description="VQ-VAE with a moving-average codebook, 64x64x3 -> 16x16 codes of K = 512: 2,304 bits an image.",
        limits="Centred faces at 64x64. It has no learned prior: samples are decoded noise.",
        preview=codebook,
    )
    vae, beside = train(make_vae, batches, test, run.pick(8, 250, 1), run)
    run.save_metrics({"vae": beside})
    run.save_image("reconstructions_vae", comparison_grid(test[:16], vae.reconstruct(test[:16]), columns=8))
    run.save_image("samples_vae", image_grid(vae.sample(64, seed=run.seed), columns=8, clip=True))
    names = ("psnr", "ssim", "bits_per_image", "codebook_usage", "perplexity", "epochs")
    bars = {"psnr": 27.5, "codebook_usage": 0.95, "perplexity": 250}
    rows = [{"figure": n, "bar": bars.get(n), "VQ-VAE": metrics.get(n), "VAE": beside.get(n)} for n in names]
    run.finish(f"VQ-VAE on CelebA 64x64, test images, seed {run.seed}", rows)


if __name__ == "__main__":
    main()
