"""beta-VAE on sprites with known factors: latents that follow position and size, found without labels.

Paper     Higgins et al. 2017, beta-VAE, ICLR; its dSprites scores are of other metrics, so the bar is our own.
Command   python recipes/beta_vae_sprites.py                       (sprites are rendered: nothing is downloaded)
Hardware  two CPU cores, TensorFlow: under 6 minutes. --full, 300,000 steps at 64x64: not run.
Measured  best absolute Spearman correlation of a latent of its own, 5,000 sprites:
          | figure         | bar | preset, seed 0 | seeds 0, 1, 2: mean (range) |
          | spearman_x     | 0.8 | 0.97           | 0.97 (0.97-0.98)            |
          | spearman_y     | 0.8 | 1.00           | 0.98 (0.96-1.00)            |
          | spearman_scale | 0.5 | 0.95           | 0.83 (0.63-0.95)            |
Notes     The order of the batches was once left to Keras; seed 2 then missed x and y (0.69, 0.71), its latents turned
          against the axes. Other schedules were tried at that time: beta falling from 8 to 3 met all bars on seed 2 and
          collapsed on seeds 0 and 1; rising from 0.5, or from 0 to 8 and then falling, spread position over more
          latents.
"""

import keras_vae  # first: it picks the backend
import keras
import numpy as np

from keras_vae.generation import latent_traversal
from keras_vae.datasets import load_sprites
from keras_vae.metrics import active_units, best_spearman, per_dimension_rate
from keras_vae.reports import comparison_grid, traversal_grid
from keras_vae.runs import Recipe

BARS = {"x": 0.8, "y": 0.8, "scale": 0.5}


def make_model(run):
    size = run.pick(32, 64, 32)
    filters, units = run.pick(((32, 32, 64), 128), ((32, 32, 64, 64), 256), ((8, 8, 8), 16))
    encoder = keras_vae.ConvEncoder(filters, units)
    decoder = keras_vae.ConvDecoder((size, size, 1), filters, units)
    model = keras_vae.BetaVAE(encoder, decoder, latent_dim=10, beta=run.pick(3.0, 4.0, 3.0))
    model.build((None, size, size, 1))
    return model


def main():
    run = Recipe(__doc__, __file__)
    sprites = load_sprites(run.pick(32, 64, 32))
    rng = np.random.default_rng(run.seed)
    order = rng.permutation(len(sprites))
    test, factors = sprites.render(order[:5000]), sprites.factors_of(order[:5000])
    rest = order[5000 : run.pick(69_000, None, 5320)]
    batches = sprites.stream(run.pick(128, 64, 32), rest, seed=run.seed, drop_remainder=True)
    epochs = run.pick(16, 27, 2)

    model = make_model(run)
    total = epochs * len(batches)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, total) if not run.full else 1e-4
    model.compile(keras.optimizers.Adam(rate))
    run.fit(model, batches, epochs, validation_data=(test[:1000],))

    posterior = model.encode(test, output="distribution")
    z_mean, z_log_var = (keras.ops.convert_to_numpy(part) for part in (posterior.mean, posterior.log_var))
    columns = {name: sprites.factor_names.index(name) for name in BARS}
    rho, latent = best_spearman(z_mean, factors[:, list(columns.values())])
    rates = per_dimension_rate(z_mean, z_log_var)
    scores = model.evaluate(test, return_dict=True, verbose=0)
    metrics = {f"spearman_{name}": float(value) for name, value in zip(BARS, rho, strict=True)}
    metrics |= {f"latent_{name}": int(index) for name, index in zip(BARS, latent, strict=True)}
    metrics |= {key: scores[key] for key in ("elbo", "distortion", "rate")}
    metrics |= {"active_units": int(active_units(z_mean)), "per_dimension_rate": rates.round(3).tolist()}
    metrics |= {"epochs": epochs, "seed": run.seed}
    run.save_metrics(metrics)

    # Rows from the most to the least informative latent, each swept over three standard deviations of the prior.
    dims = np.argsort(-rates)[:6]
    follows = {int(index): name for name, index in zip(BARS, latent, strict=True)}
    labels = [f"z{d} {rates[d]:.1f} nats" + (f", {follows[d]}" if d in follows else "") for d in dims.tolist()]
    traversal = traversal_grid(latent_traversal(model, test[0], dims=dims.tolist()), labels)
    run.save_image("traversal", traversal)
    run.save_image("reconstructions", comparison_grid(test[:16], model.reconstruct(test[:16]), columns=8))
    run.publish(
        model,
        metrics,
        dataset=f"{type(sprites).__name__}, {sprites.image_size}x{sprites.image_size}, rendered by keras_vae",
        licence="Apache-2.0",
        description="A convolutional beta-VAE whose latents follow position and size of a sprite, without labels.",
        limits="Binary sprites only. At this beta outlines are lost: every shape becomes an ellipse.",
        preview=traversal,
    )
    rows = [
        {"factor": n, "|Spearman|": float(r), "bar": BARS[n], "latent": f"z{d}"}
        for n, r, d in zip(BARS, rho, latent, strict=True)
    ]
    run.finish(f"beta-VAE on sprites: a latent of its own for each factor, seed {run.seed}", rows)


if __name__ == "__main__":
    main()
