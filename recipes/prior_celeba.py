"""PixelCNN on the codes of `vqvae_celeba`: faces drawn code by code, and images in fewer bits.

Paper     van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937, section 4.1; van den Oord et al. 2016,
          arXiv:1606.05328 (the gated net). Neither has a CelebA figure: the bars are our own.
Command   KERAS_BACKEND=torch python recipes/prior_celeba.py --policy mixed_bfloat16
          (celeba_crops64 and celeba_aligned64, see the README)
Hardware  one busy CPU core with bfloat16, torch: 91 minutes. --full is for a GPU: not run.
Measured  500 test images of celeba_aligned64, image formats at the bits of the prior; 2,000 samples:
          | figure                                                  | bar   | preset, seed 0 |
          | prior_bits_per_code                                     | 6.3   | 5.652          |
          | prior_bits_per_image                                    | -     | 1,447          |
          | psnr, dB                                                | -     | 27.59          |
          | AVIF_psnr, dB                                           | -     | 24.70          |
          | WEBP_psnr, dB                                           | -     | 23.37          |
          | frechet_features_cifar10_2000_vs_4000_samples           | 13.23 | 0.51           |
"""

import keras_vae  # first: it picks the backend
import keras
import numpy as np

from keras_vae.datasets import load_images, to_float
from keras_vae.metrics import image_format_psnr, psnr, ssim
from keras_vae.reports import image_grid
from keras_vae.runs import Recipe, distances_of_draws

K, BAR = 512, 6.3


def load(run):
    """Training images, those that early stopping looks at, and test images: floats."""
    limit = run.pick(None, None, 8)
    names = ("celeba_crops64", "celeba_aligned64")
    parts = [load_images(name, split, limit=limit) for split in ("train", "test") for name in names]
    return to_float(np.concatenate(parts[:2])), to_float(parts[2]), to_float(parts[3])


def make_prior(run):
    net = keras_vae.PixelCNN(run.pick(64, 128, 8), depth=run.pick(10, 16, 1), stem_size=5)
    return keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(K), net)


def fit(vqvae, train, held, run):
    """The VQ-VAE with its prior in float32, trained under the policy asked for on images and their mirror images."""
    keras.mixed_precision.set_dtype_policy(run.policy)
    trained = make_prior(run)
    keras.mixed_precision.set_dtype_policy("float32")
    epochs, batch_size, count = run.pick(8, 60, 1), 32, 2 * len(train)
    steps = epochs * -(-count // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps, warmup_target=1.5e-3, warmup_steps=min(500, steps // 2)
    )
    options = {"epochs": epochs, "batch_size": batch_size, "validation_data": held, "patience": 3, "seed": run.seed}
    optimizer = keras.optimizers.Adam(schedule, clipnorm=1.0)
    both = np.concatenate([train, train[:, :, ::-1]])
    vqvae.with_prior(trained).fit_prior(both, optimizer=optimizer, folder=run.checkpoint, **options)
    faces = vqvae.with_prior(make_prior(run))
    faces.prior.set_weights(trained.get_weights())
    return faces


def main():
    run = Recipe(__doc__, __file__, policy=True)
    vqvae = keras_vae.load_pretrained("vqvae_celeba")
    train, held, test = load(run)
    faces = fit(vqvae, train, held, run)
    codes, test_codes = (faces.encode(x) for x in (train, test))
    frequencies = (np.bincount(codes.ravel(), minlength=K) + 1.0) / (codes.size + K)
    bits = float(faces.code_length(test).mean())
    reconstructions = np.clip(faces.reconstruct(test), 0.0, 1.0)
    network, count = keras_vae.load_pretrained("features_cifar10"), run.pick(2000, 10000, 4)
    distances = distances_of_draws(faces, codes, train, network, count, run.seed)
    metrics = {
        "psnr": float(psnr(test, reconstructions).mean()),
        "ssim": float(ssim(test, reconstructions).mean()),
        "bits_per_image": faces.bits_per_image,
        "prior_bits_per_code": bits / test_codes[0].size,
        "order_0_bits_per_code": float(-np.log2(frequencies)[test_codes].mean()),
        "prior_bits_per_image": bits,
        **{f"{form}_psnr": image_format_psnr(test, form, bits) for form in ("AVIF", "WEBP")},
        **distances,
        "seed": run.seed,
    }
    run.save_metrics(metrics)

    samples = faces.sample(run.pick(64, 64, 4), seed=run.seed)
    run.save_image("samples", image_grid(samples, columns=8, clip=True))
    mask, cases = np.arange(16)[:, None] < 8 * np.ones(16), run.pick(8, 8, 1)  # upper halves, finished seven times each
    filled = faces.sample(7 * cases, seed=run.seed, known=np.repeat(test_codes[:cases], 7, axis=0), mask=mask)
    run.save_image("in_paintings", image_grid(filled, columns=7, clip=True))
    run.publish(
        faces,
        metrics,
        dataset="CelebA, 64x64 (celeba_crops64 and celeba_aligned64)",
        licence="non-commercial research purposes only, the terms of CelebA",
        description="VQ-VAE with a moving-average codebook, 64x64x3 -> 16x16 codes of K = 512 (by vqvae_celeba.py), "
        "and a gated PixelCNN on its codes, which samples faces and says what each costs in bits.",
        limits="Centred faces at 64x64. Samples are blurred where reconstructions are, and some are no face.",
        preview=image_grid(samples[:32], columns=8, clip=True),
    )
    sampled, independent, _ = distances
    bars = {"prior_bits_per_code": BAR, sampled: 0.5 * distances[independent]}
    rows = [{"figure": key, "bar": bars.get(key), "ours": value} for key, value in metrics.items()]
    run.finish(f"PixelCNN on the codes of CelebA 64x64, test images, seed {run.seed}", rows)


if __name__ == "__main__":
    main()
