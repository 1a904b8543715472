"""How far what a model of codes draws is from real images: the figures of a prior that is learned on codes."""

import numpy as np
from keras import tree

from keras_vae.datasets import to_float
from keras_vae.metrics import FrechetDistance


def distances_of_draws(model, codes, images, network, count, seed=0):
    """Frechet distances to real images of samples, of independent codes, and of reconstructions of other real images.

    The first says how good the prior is; the second is what it is to beat, codes drawn at each position by itself, as
    often as data have them there; the third is what it could reach. Images are shrunk to the size that the network
    takes, by the mean of the pixels.

    Args:
        model: autoencoder with integer codes and a learned prior of them.
        codes: int array (n, ...), or a dict of them by level: those of images.
        images: array (n, height, width, channels), uint8 or floats in [0, 1], at least 3 `count`.
        network: what `FrechetDistance` takes, with a `data_shape`, such as a Classifier.
        count: int >= 2, of draws; they are compared with twice as many real images.
        seed: int >= 0. Default: 0.

    Returns:
        dict of floats, the figure's name and "_samples", "_independent_codes" or "_reconstructions" -> the distance.
    """
    rng, side = np.random.default_rng(seed), network.data_shape[0]
    rows = rng.permutation(len(images))
    distance = FrechetDistance(network, _shrunk(images[rows[: 2 * count]], side))
    independent = tree.map_structure(lambda part: rng.permuted(part, axis=0)[:count], codes)
    draws = {
        "samples": model.sample(count, seed=seed),
        "independent_codes": model.decode(independent),
        "reconstructions": model.decode(tree.map_structure(lambda part: part[rows[-count:]], codes)),
    }
    return {f"{distance.figure_name(count)}_{name}": distance.score(_shrunk(x, side)) for name, x in draws.items()}


def _shrunk(images, side):
    """Images as floats in [0, 1], `side` pixels high, each the mean of a square."""
    images = to_float(images) if images.dtype == np.uint8 else np.clip(images, 0, 1)
    ratio = images.shape[1] // side
    return np.float32(images.reshape(-1, side, ratio, side, ratio, images.shape[-1]).mean(axis=(2, 4)))
