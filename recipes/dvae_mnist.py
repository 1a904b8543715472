"""Discrete VAE on binarised MNIST, the static files, with a Boltzmann machine as its prior, and with independent units.

Paper     Rolfe 2017, arXiv:1609.02200: spike-and-exponential smoothing and a machine of 64 + 64 units or more; 81.01
          nats on these files with layers of continuous latents and a posterior of several groups besides, to which
          most of it is owed. The bar, below the same nets with independent units, is our own.
Command   KERAS_BACKEND=jax python recipes/dvae_mnist.py        (binarized_mnist, see the README)
Hardware  one CPU core, JAX: 18 minutes beside other work. --full, 1,000 epochs: not run.
Measured  on the 10,000 test images, by discrete draws; nll is by L_1000:
          | figure                         | bar   | preset, seed 0 |
          | bound_independent, nats        | -     | 116.42         |
          | bound_machine, nats            | below | 105.14         |
          | nll_independent, nats          | -     | 103.35         |
          | nll_machine, nats              | below | 97.89          |
          | nll_standard_error_machine     | -     | 0.29           |
          | log_z_10000_machine, nats      | -     | 94.634         |
          | log_z_error_10000_machine      | -     | 0.006          |
          | log_z_1000_machine, nats       | -     | 94.621         |
Notes     Nets 784-300-300-128-300-300-784, normalised by layer, 50 epochs; the models differ in the prior alone, and
          the independent units learn their probabilities too. Figures are of discrete draws. log Z is estimated by
          annealing before each epoch, and at the end with 10,000 temperatures.
"""

import keras_vae  # first: it picks the backend
import keras

from keras_vae.datasets import ImageBatches, load_images, to_float
from keras_vae.ops import linear_schedule
from keras_vae.reports import comparison_grid, image_grid
from keras_vae.runs import Recipe
from keras_vae.training import EarlyStop

PRIORS = {"independent": lambda seed: keras_vae.BernoulliPrior(learned=True), "machine": keras_vae.BoltzmannMachine}
SHARPNESS = (1.0, 4.0)


def make_model(name, run):
    keras.utils.set_random_seed(run.seed)  # the same nets for both priors
    units, size = run.pick((300, 300), (300, 300), (20,)), run.pick(128, 128, 40)
    bottleneck = keras_vae.BernoulliBottleneck(size, keras_vae.SpikeAndExponential(SHARPNESS[0]), seed=run.seed)
    encoder = keras_vae.MLPEncoder(units, normalization="layer")
    decoder = keras_vae.MLPDecoder((28, 28, 1), units, normalization="layer")
    model = keras_vae.DiscreteVAE(encoder, decoder, bottleneck, prior=PRIORS[name](seed=run.seed))
    model.build((None, 28, 28, 1))
    return model


def train(name, run, images, validation):
    model = make_model(name, run)
    epochs, batches = run.pick(50, 1000, 2), ImageBatches(images, 100, seed=run.seed, drop_remainder=True)
    steps = epochs * len(batches)
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)))
    rise = linear_schedule(*SHARPNESS, max(1, int(0.7 * steps)))
    callbacks = [keras_vae.callbacks.CoefficientSchedule("bottleneck.estimator.sharpness", rise)]
    if name == "machine":  # what is followed drifts: an epoch begins from an estimate
        few = run.pick((500, 300), (500, 300), (20, 20))
        callbacks += [
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: model.prior.estimate_log_partition(*few))
        ]
    callbacks += [EarlyStop(run.pick(15, 50, 2), run.checkpoint / name / "best")]
    run.fit(model, batches, epochs, name, every=5, callbacks=callbacks, validation_data=(validation,))
    return model


def measure(model, name, run, test):
    found = {}
    if name == "machine":
        for count in run.pick((1000, 10000), (1000, 10000), (10, 20)):  # the second stays; the two should agree
            estimate, error = model.prior.estimate_log_partition(num_temperatures=count, seed=run.seed)
            found |= {f"log_z_{count}": estimate, f"log_z_error_{count}": error}
    scores = model.evaluate(test, batch_size=500, return_dict=True, verbose=0)
    nll = -model.log_likelihood(test, num_samples=run.pick(1000, 1000, 20), seed=run.seed)
    found |= {"bound": -scores["elbo"], "distortion": scores["distortion"], "rate": scores["rate"]}
    return found | {"nll": float(nll.mean()), "nll_standard_error": float(nll.std() / len(nll) ** 0.5)}


def main():
    run = Recipe(__doc__, __file__)
    limits = {"train": 400, "validation": 100, "test": 50}
    parts = [load_images("binarized_mnist", s, limit=run.pick(None, None, n)) for s, n in limits.items()]
    images, validation, test = parts[0], to_float(parts[1]), to_float(parts[2])
    found, rows = {}, []
    for name in PRIORS:
        model = train(name, run, images, validation)
        figures = measure(model, name, run, test)
        found |= {f"{key}_{name}": value for key, value in figures.items()}
        grid = image_grid(model.sample(100, seed=run.seed), columns=10)
        run.save_image(f"samples_{name}", grid)
        rows.append({"prior": name} | {key: figures[key] for key in ("bound", "rate", "nll", "nll_standard_error")})
    found |= {f"gain_{key}": found[f"{key}_independent"] - found[f"{key}_machine"] for key in ("bound", "nll")}
    found |= {"seed": run.seed}
    run.save_metrics(found)
    some = test[:: len(test) // 20]  # of every class, by which they are sorted
    run.save_image("reconstructions", comparison_grid(some, model.reconstruct(some), columns=10))
    run.publish(
        model,
        found,
        dataset="binarized_mnist 1.0.0",
        licence="CC-BY-SA-3.0, the terms of MNIST",
        description="A VAE 784-300-300-128-300-300-784 with binary latents under a Boltzmann machine of 64 + 64 units, "
        "trained by spike-and-exponential smoothing.",
        limits="Binary 28x28 digits only, binarised once as Larochelle and Murray did.",
        preview=grid,
    )
    title = "priors of a discrete VAE on binarised MNIST, seed {}; gain {:.2f} nats of the bound, {:.2f} of L_1000"
    run.finish(title.format(run.seed, found["gain_bound"], found["gain_nll"]), rows)


if __name__ == "__main__":
    main()
