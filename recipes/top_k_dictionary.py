"""TopK and BatchTopK dictionaries of MNIST digits, with and without the auxiliary loss that revives dead units.

Paper     Gao et al. 2024, arXiv:2406.04093; Bussmann et al. 2024, arXiv:2412.06410. Their data are activations of
          language models; no figure of theirs is comparable, so what is shown is the effect of the auxiliary loss.
Command   KERAS_BACKEND=jax python recipes/top_k_dictionary.py     (mnist through tensorflow-datasets)
Hardware  one CPU core, JAX: 11 minutes for the four runs. --full, 16,384 units: not run.
Measured  seed 0, k = 32 of 1,536 units, 12 epochs, with and without the auxiliary loss:
          | figure             | preset: TopK, with | TopK, without | BatchTopK, with | BatchTopK, without |
          | dead, %            | 0.5                | 5.6           | 0.3             | 4.2                |
          | explained_variance | 0.891              | 0.892         | 0.897           | 0.898              |
Notes     What the auxiliary loss revives adds nothing to the reconstruction here. Without `adapt` and centring 71 % of
          the units were dead, at an explained variance of 0.876.
"""

import keras_vae  # first: it picks the backend
import keras

from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.metrics import ExplainedVariance
from keras_vae.reports import comparison_grid, filters_grid
from keras_vae.runs import Recipe

K = 32


def make_model(images, run, bottleneck, aux_weight):
    units = run.pick(1536, 16_384, 64)
    model = keras_vae.TopKAutoencoder(
        keras_vae.MLPEncoder((units,), "linear", centered=True),
        keras_vae.MLPDecoder((28, 28, 1), ()),
        bottleneck,
        aux_k=run.pick(256, 512, 16),
        aux_weight=aux_weight,
        dead_after=run.pick(60_000, 60_000, 200),
    )
    model.adapt(images)
    return model


def main():
    run = Recipe(__doc__, __file__)
    images = load_images("mnist", "train", download=True, limit=run.pick(None, None, 400))
    test = to_float(load_images("mnist", "test", download=True, limit=run.pick(None, None, 100)))
    epochs = run.pick(12, 60, 1)
    rows = []
    for kind in (keras_vae.TopK, keras_vae.BatchTopK):
        for aux_weight in (1 / 32, 0.0):
            keras.utils.set_random_seed(run.seed)
            name = f"{kind.__name__}{'' if aux_weight else ' without auxiliary loss'}"
            slug = name.replace(" ", "_")
            batches = ImageBatches(images, 200, seed=run.seed, drop_remainder=True)
            model = make_model(to_float(images), run, kind(K), aux_weight)
            rate = keras.optimizers.schedules.CosineDecay(1e-3, epochs * len(batches))
            model.compile(keras.optimizers.Adam(rate), metrics=[ExplainedVariance()])
            print(f"{name}: {epochs} epochs", flush=True)
            run.fit(model, batches, epochs, part=slug, curves=False)
            scores = model.evaluate(test, verbose=0, return_dict=True)
            codes = model.encode(test, batch_size=1000)
            found = {key: scores[key] for key in ("explained_variance", "dead", "distortion")}
            rows.append({"model": name, "k": float((codes > 0).sum(axis=1).mean()), **found})
            run.save_metrics({name: rows[-1]})
            picture = filters_grid(keras.ops.convert_to_numpy(model.decoder.parts[-2].kernel).T, (28, 28))
            run.save_image(f"dictionary_{slug}", picture)
            pairs = comparison_grid(test[:20], model.reconstruct(test[:20]), columns=10)
            run.save_image(f"reconstructions_{slug}", pairs)
            if kind is keras_vae.TopK and aux_weight:
                run.publish(
                    model,
                    found,
                    dataset="mnist 3.0.1, greys in [0, 1]",
                    licence="CC-BY-SA-3.0, the terms of MNIST",
                    description=f"A dictionary of strokes, {K} of them to a digit.",
                    limits="28x28 digits only. There is no prior: it does not sample.",
                    preview=picture,
                )
    run.finish(f"Dictionaries of MNIST, k = {K}, seed {run.seed} (no figure of the papers is comparable)", rows)


if __name__ == "__main__":
    main()
