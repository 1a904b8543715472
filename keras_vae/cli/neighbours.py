"""neighbours: the images whose latents are nearest to those of one image."""

import keras
import numpy as np
from keras import tree

from keras_vae.cli.handles import load_autoencoder
from keras_vae.cli.images import read_images
from keras_vae.cli.messages import counted
from keras_vae.cli.output import check_out, write_images
from keras_vae.core.checks import integer
from keras_vae.ops.levels import by_level
from keras_vae.reports import table, traversal_grid

BATCH = 128  # images whose vectors are held at a time
DECIMALS = 5  # beyond, the latents of one image depend on how many were encoded with it


def neighbours(args):
    """`keras-vae neighbours NAME IMAGE --among IMAGES... -k N -o FILE`.

    Args:
        args: namespace of the parser's.
    """
    out, k = check_out(args.out, ".png", ".npy"), integer("k", args.k)
    model = load_autoencoder(args.name)
    query, names = read_images([args.image], model.data_shape)
    if len(query) > 1:
        raise ValueError(f"`IMAGE` must be one image. Received: {args.image}, which holds {len(query)}.")
    images, among = read_images(args.among, model.data_shape, args.limit)
    distances, equal = distances_of(model, by_level(lambda part: part[0], model.encode(query)), model.encode(images))
    order = np.argsort(distances, kind="stable")[:k]
    shown = np.concatenate([query, images[order]])
    labels = ["query", *(f"{distances[i]:.3g}" for i in order)]
    write_images(out, shown, lambda path: traversal_grid(shown[None], [""], path, column_labels=labels))
    rows = [{"": rank + 1, "image": among[i], "distance": float(distances[i])} for rank, i in enumerate(order)]
    if equal is not None:
        rows = [{**row, "equal codes": f"{equal[i]:.1%}"} for row, i in zip(rows, order, strict=True)]
    measure = "between the vectors of the codes, root mean square over positions" if model.has_codes else "of z_mean"
    print(f"nearest to {names[0]} of {counted(len(images), 'image')}, Euclidean distance {measure}:")
    table(rows)
    print(f"{out}: the query, then its neighbours, nearest first")


def distances_of(model, query, latents):
    """How far each of `latents` is from `query`, (batch,), and for codes the share of positions with the same code.

    Continuous latents: Euclidean distance of the posterior means. Codes are names without an order, so it is their
    vectors that are compared: the square root of the mean over positions of ||e_query - e||^2; of codes by level what
    all levels say at the positions of the last.

    Args:
        model: a built model.
        query: array of shape `model.latent_shape`, or a dict of them by level.
        latents: array (batch, *model.latent_shape), or a dict.
    """
    if not model.has_codes:
        difference = (latents - query).reshape(len(latents), -1).astype("float64")
        return np.sqrt(np.sum(difference**2, axis=1)).round(DECIMALS), None
    count = len(tree.flatten(latents)[0])
    own = _vectors(model, by_level(lambda part: part[None], query))
    parts = [by_level(lambda part, i=i: part[i : i + BATCH], latents) for i in range(0, count, BATCH)]
    apart = np.concatenate([np.sum((_vectors(model, part) - own) ** 2, axis=-1) for part in parts])
    apart = apart.reshape(count, -1)  # (batch, positions)
    equal = tree.flatten(by_level(lambda part, one: (part == one).reshape(count, -1), latents, query))
    return np.sqrt(apart.mean(axis=1)).round(DECIMALS), np.concatenate(equal, axis=1).mean(axis=1)


def _vectors(model, codes):
    """The vectors that stand at each position of codes, (batch, ..., D), float64."""
    return keras.ops.convert_to_numpy(model.bottleneck.lookup(codes)).astype("float64")
