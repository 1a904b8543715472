"""How much a score-function gradient varies beside the reparameterised one, of the same weights, for several families.

Paper     Williams 1992; Mnih & Gregor 2014, arXiv:1402.0030, for the baselines. They print no such table.
Command   KERAS_BACKEND=jax python recipes/estimator_variance.py      (mnist through tensorflow-datasets)
Hardware  one CPU core, JAX: 10 minutes beside other work. --full, ten times the gradients: not run.
Measured  variance on batches of 100 as a multiple of the reparameterised gradient's; of 1 and 10 within 20 % of it:
          | figure, seed 0  | Normal | Laplace | Logistic | Gamma  | Kumaraswamy |
          | no baseline     | 13,894 | 25,739  | 14,604   | 16,652 | 12,893      |
          | moving average  | 1,152  | 2,216   | 1,235    | 1,406  | 825         |
          | input-dependent | 191    | 343     | 193      | 227    | 93          |
Notes     Each family's VAE is trained with the reparameterised gradient; then its weights are held and the gradient of
          the posterior's head is taken again and again, on batches of one example, of ten and of a hundred, drawn anew
          each time. The input-dependent baseline is trained at these weights first. A variance is summed over the head,
          of batches and draws together: it falls as one over the size of batch for all of them.
"""

import keras_vae  # first: it picks the backend
import keras

from keras_vae.datasets import ImageBatches, load_images, static_binarize
from keras_vae.reports import lines
from keras_vae.runs import Recipe
from keras_vae.training import gradient_variance

FAMILIES = {"Normal": "Normal", "Laplace": "Normal", "Logistic": "Normal", "Gamma": "Gamma", "Kumaraswamy": "Uniform"}
ESTIMATORS = {
    "reparameterised": lambda: None,
    "score function": keras_vae.ScoreFunction,
    "moving average": lambda: keras_vae.ScoreFunction(keras_vae.MovingAverageBaseline(0.99)),
    "input-dependent": lambda: keras_vae.ScoreFunction(keras_vae.InputDependentBaseline((200,), decay=0.99)),
}
LATENT, STEPS = 5, {1: 3000, 10: 1000, 100: 300}  # gradients taken for each size of batch


def make_model(family, estimator, run):
    keras.utils.set_random_seed(run.seed)
    units = run.pick((200,), (200,), (20,))
    bottleneck = keras_vae.Reparameterised(family, LATENT, seed=run.seed, estimator=ESTIMATORS[estimator]())
    nets = keras_vae.MLPEncoder(units), keras_vae.MLPDecoder((28, 28, 1), units)
    model = keras_vae.VAE(*nets, bottleneck=bottleneck, prior=keras_vae.FamilyPrior(FAMILIES[family]))
    model.build((None, 28, 28, 1))
    return model


def train(family, images, run):
    model = make_model(family, "reparameterised", run)
    model.compile(keras.optimizers.Adam(1e-3))
    run.fit(model, ImageBatches(images, 100, seed=run.seed), run.pick(10, 100, 1), family, curves=False)
    return model


def copied(trained, estimator, family, run):
    """The model with another estimator, at the same weights."""
    model = make_model(family, estimator, run)
    for part in ("encoder", "decoder"):
        getattr(model, part).set_weights(getattr(trained, part).get_weights())
    model.bottleneck.head.set_weights(trained.bottleneck.head.get_weights())
    return model


def variance(model, images, size, run):
    """The variance of the gradient of the posterior's head over batches and draws, summed over its weights."""
    steps = run.pick(STEPS[size], 10 * STEPS[size], 4)
    few = images[: steps * size]  # of which there may be too few: then several times
    batches, rounds = ImageBatches(few, size, seed=run.seed), max(1, steps * size // len(few))
    options = {}
    if size == min(STEPS) and model.bottleneck.estimator is not None:  # first what is to be learnt about these weights
        options = {"first": ImageBatches(images, 100, seed=run.seed), "first_epochs": run.pick(3, 30, 1)}
    learner = "bottleneck.estimator" if model.bottleneck.estimator is not None else None
    weights = model.bottleneck.head.trainable_variables
    return gradient_variance(model, batches, weights, rounds, learner, **options)


def main():
    run = Recipe(__doc__, __file__)
    images = load_images("mnist", "train", download=True, limit=run.pick(30_000, None, 400))
    images = static_binarize(images, seed=run.seed)
    families = run.pick(list(FAMILIES), list(FAMILIES), ["Laplace"])
    sizes = run.pick(list(STEPS), list(STEPS), [1, 100])
    names = run.pick(list(ESTIMATORS), list(ESTIMATORS), ["reparameterised", "score function"])
    found, rows, panels = {}, [], {}
    for family in families:
        trained = train(family, images, run)
        for name in names:
            model = copied(trained, name, family, run)
            found[family, name] = [variance(model, images, size, run) for size in sizes]
        plain = found[family, "reparameterised"]
        panels[family] = {name: (sizes, found[family, name]) for name in names}
        for name in names[1:]:
            ratios = {f"batch {n}": a / b for n, a, b in zip(sizes, found[family, name], plain, strict=True)}
            rows.append({"family": family, "estimator": name, **ratios})
    metrics = {
        f"{row['family']}_{row['estimator']}_{size}".replace(" ", "_"): row[f"batch {size}"]
        for row in rows
        for size in sizes
    }
    run.save_metrics({**metrics, "seed": run.seed})
    run.save_image("variance", lines(panels, x="examples in a batch", y="variance of the gradient", log="xy"))
    run.finish(f"variance of the gradient, as a multiple of the reparameterised one's, seed {run.seed}", rows)


if __name__ == "__main__":
    main()
