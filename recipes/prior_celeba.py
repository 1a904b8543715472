"""PixelCNN prior on the codes of `vqvae_celeba`.

Paper     van den Oord
"""

import keras_vae  # first: it picks the backend
import keras
import numpy as np

from keras_vae.datasets import load_images, to_float
from keras_vae.runs import Recipe

K = 512


def load(run):
    """Training images and their mirror images, those that early stopping looks at, and test images: floats."""
    limit = run.pick(None, None, 24)
    parts = [load_images(name, "train", limit=limit) for name in ("celeba_crops64", "celeba_aligned64")]
    images = to_float(np.concatenate(parts))
    held = to_float(load_images("celeba_crops64", "test", limit=limit))
    return (
        np.concatenate([images, images[:, :, ::-1]]),
        held,
        to_float(load_images("celeba_aligned64", "test", limit=limit)),
    )


def make_prior(run):
    net = keras_vae.PixelCNN(run.pick(96, 128, 8), depth=run.pick(8, 16, 1), stem_size=5, dropout=0.1)
    return keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(K), net)


def main():
    run = Recipe(__doc__, __file__, policy=True)
    vqvae = keras_vae.load_pretrained("vqvae_celeba")
    train, held, test = load(run)
    keras.mixed_precision.set_dtype_policy(run.policy)
    trained = make_prior(run)
    keras.mixed_precision.set_dtype_policy("float32")
    epochs, batch_size = run.pick(8, 60, 1), 32
    steps = epochs * -(-len(train) // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=1e-3, warmup_steps=min(500, steps // 2))
    optimizer = keras.optimizers.Adam(schedule, clipnorm=1.0)
    vqvae.with_prior(trained).fit_prior(
        train,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        validation_data=held,
        patience=3,
        folder=run.checkpoint,
        seed=run.seed,
    )


if __name__ == "__main__":
    main()
