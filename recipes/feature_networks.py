"""Feature networks for the Frechet distance: small classifiers of MNIST and CIFAR-10 by one recipe.

Compare   Heusel et al. 2017, arXiv:1706.08500: their distance is of a network of others, so no figure is comparable.
Command   KERAS_BACKEND=tensorflow python recipes/feature_networks.py   (mnist, cifar10 through tensorflow-datasets)
Hardware  one busy CPU core, TensorFlow: 41 minutes, 8 of them MNIST. --full, 30 and 100 epochs: not run.
Measured  seed 0; bars 99.2 % and 82 %. Half of the test images against the other half: it grows with noise and blur.
          | figure                                           | preset features_mnist | preset features_cifar10 |
          | accuracy, %                                      | 99.52                 | 83.83                   |
          | frechet_features_mnist_1000_vs_5000              | 0.131                 | -                       |
          | frechet_features_mnist_5000_vs_5000              | 0.055                 | -                       |
          | frechet_features_mnist_5000_vs_5000, noise 0.1   | 2.99                  | -                       |
          | frechet_features_cifar10_1000_vs_5000            | -                     | 0.309                   |
          | frechet_features_cifar10_5000_vs_5000            | -                     | 0.133                   |
          | frechet_features_cifar10_5000_vs_5000, noise 0.1 | -                     | 17.7                    |
"""

import keras_vae  # first: it picks the backend
import keras
import numpy as np
from keras import layers

from keras_vae.datasets import ImageBatches, has_dataset, load_images, to_float
from keras_vae.metrics import FrechetDistance
from keras_vae.reports import filters_grid
from keras_vae.runs import Recipe

CIFAR = "cifar10_jpeg" if has_dataset("cifar10_jpeg") else "cifar10"
DATA = {"mnist": "mnist 3.0.1", "cifar10_jpeg": "cifar10_jpeg 1.0.0, CIFAR-10 as JPEG", "cifar10": "cifar10"}
TERMS = {"mnist": "CC-BY-SA-3.0, the terms of MNIST", CIFAR: "none stated; the authors ask to cite Krizhevsky 2009"}


class ShiftedImages(ImageBatches):
    """Pairs of images, each shifted by up to `shift` pixels into zeros, and their labels."""

    def __init__(self, images, labels, shift, **options):
        self.labels, self.shift = labels, shift
        super().__init__(images, 128, drop_remainder=True, **options)

    def make_batch(self, rows, rng):
        images, side = super().make_batch(rows, rng), (self.shift, self.shift)
        padded = np.pad(images, ((0, 0), side, side, (0, 0)))
        places = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:3], axis=(1, 2))
        y, x = rng.integers(0, 2 * self.shift + 1, (2, len(rows)))
        return np.moveaxis(places[np.arange(len(rows)), y, x], 1, -1), self.labels[rows]


def make_network(name, shape, stages):
    """3x3 convolutions, halved in size between the stages; the features are the means of the last maps."""
    parts = [keras.Input(shape)]
    for number, stage in enumerate(stages):
        parts += [layers.MaxPooling2D()] * bool(number)
        for filters in stage:
            convolution = layers.Conv2D(filters, 3, padding="same", use_bias=False)
            parts += [convolution, layers.BatchNormalization(), layers.ReLU()]
    encoder = keras.Sequential([*parts, layers.GlobalAveragePooling2D()])
    network = keras_vae.Classifier(encoder, keras_vae.IdentityBottleneck(), 10, name=name)
    network.build((None, *shape))
    return network


def blurred(images, times):
    """A binomial filter of three pixels, so many times: a blur of standard deviation (times / 2)^(1/2)."""
    for _ in range(times):
        wide = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        rows = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
        images = (rows[:, :, :-2] + 2 * rows[:, :, 1:-1] + rows[:, :, 2:]) / 4
    return images


def measure(network, test, labels, seed):
    """Accuracy, and the distance of half of the test set to the other half: as it is, then spoilt by degrees."""
    distance, half = FrechetDistance(network, test[::2]), test[1::2]
    noise = np.random.default_rng(seed).standard_normal(half.shape, "float32")
    spoilt = {f", noise {level}": np.clip(half + np.float32(level) * noise, 0, 1) for level in (0.05, 0.1, 0.2)}
    spoilt |= {f", blur {times}": blurred(half, times) for times in (1, 2, 4)}
    scores = {"accuracy": network.evaluate(test, labels, verbose=0, return_dict=True)["accuracy"]}
    scores |= {distance.figure_name(len(images)): distance.score(images) for images in (half[:1000], half)}
    name = distance.figure_name(len(half))
    return {**scores, **{name + how: distance.score(images) for how, images in spoilt.items()}}


def train(run, name, data, stages, shift, epochs, mirror=False):
    """Trains, measures and publishes the network `name`; returns rows of the table."""
    options = {"labels": True, "download": True, "limit": run.pick(None, None, 256)}
    images, labels = load_images(data, "train", **options)
    test, test_labels = load_images(data, "test", **options)
    keras.utils.set_random_seed(run.seed)
    network = make_network(name, images.shape[1:], run.pick(stages, stages, ((4,), (8,))))
    batches = ShiftedImages(images, labels, shift, mirror=mirror, seed=run.seed)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * len(batches))
    optimizer = keras.optimizers.AdamW(rate, weight_decay=0.05)
    network.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    run.fit(network, batches, epochs, part=name)

    scores = {**measure(network, to_float(test), test_labels, run.seed), "epochs": epochs}
    run.save_metrics({name: scores, "seed": run.seed})
    kernel, width = network.encoder.layers[0].kernel, network.head.kernel.shape[0]
    run.publish(
        network,
        scores,
        part=name,
        dataset=DATA[data],
        licence=TERMS[data],
        description=f"A classifier of ten classes whose {width} features are those of `metrics.FrechetDistance`.",
        limits="Images of its size in [0, 1]. Distances on its features are no FID: compare those of equal numbers.",
        preview=filters_grid(keras.ops.reshape(kernel, (-1, kernel.shape[-1])), kernel.shape[:-1]),
    )
    return [{"network": name, "figure": figure, "ours": value} for figure, value in scores.items()]


def main():
    run = Recipe(__doc__, __file__)
    digits, pictures = ((16,), (32, 32), (64, 64)), ((16,), (64,), (128, 128), (128,))  # channels by resolution
    rows = train(run, "features_mnist", "mnist", digits, shift=2, epochs=run.pick(10, 30, 1))
    rows += train(run, "features_cifar10", CIFAR, pictures, shift=4, epochs=run.pick(20, 100, 1), mirror=True)
    run.finish(f"Feature networks, seed {run.seed}", rows)


if __name__ == "__main__":
    main()
