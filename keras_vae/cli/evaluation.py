"""evaluate: a model's figures on images."""

import re

from keras_vae.cli.handles import load_generator, resolved
from keras_vae.cli.images import fitted, read_images
from keras_vae.cli.messages import counted, note
from keras_vae.cli.values import check_pictures, values_of
from keras_vae.core.checks import integer
from keras_vae.datasets import load_images, load_sprites, stream, to_float
from keras_vae.metrics import psnr, ssim
from keras_vae.metrics.ssim import WINDOW
from keras_vae.reports import table, write_json
from keras_vae.training.signature import served_levels

DATA = re.compile(r"(?P<name>[^:\s]+(:\d+\.\d+\.\d+)?)(:(?P<split>.+))?")
SPRITES = 1000  # images of the sprites where no limit is given: there are 737,280


def evaluate(args):
    """`keras-vae evaluate NAME (IMAGES... | --data DATASET[:SPLIT])`.

    Args:
        args: namespace of the parser's.
    """
    if bool(args.images) == bool(args.data):
        raise ValueError(
            "evaluate needs either IMAGES or `--data`. Received: " + ("both." if args.data else "neither.")
        )
    if not args.data and (args.crop is not None or args.download):
        raise ValueError("`--crop` and `--download` are for `--data`. Received: files.")
    limit = None if args.limit is None else integer("limit", args.limit)
    samples, seed = integer("num_samples", args.num_samples, 0), integer("seed", args.seed, 0)
    model = load_generator(args.name, seed)
    if not hasattr(model, "encode"):
        check_pictures(model, args.name, "evaluate")
        if samples:
            raise ValueError(
                f"`--num-samples` is for models with latents. Received: {args.name}, a {type(model).__name__}, whose "
                "rate is -log p(x) itself."
            )
    if args.data:
        images, source = _dataset(args, limit, model.data_shape)
    else:
        images, _ = read_images(args.images, model.data_shape, limit)
        source = " ".join(args.images[:3]) + (f" and {len(args.images) - 3:,} more" if len(args.images) > 3 else "")
    read, images = images, values_of(model, images, seed)
    greys = model.likelihood.binary and images is not read
    figures = figures_of(model, images, samples, seed, args.batch_size)
    rows = [{"figure": name, "value": value, "": _unit(model, name, samples)} for name, value in figures.items()]
    print(f"{args.name} on {counted(len(images), 'image')}: {source}")
    table(rows)
    if args.json:
        facts = {"model": str(resolved(args.name)), "data": source, "images": len(images), "binarised": greys}
        write_json(args.json, {**facts, "seed": seed, "num_samples": samples or None, "metrics": figures})
        print(f"{args.json}: the same figures")


def figures_of(model, images, samples=0, seed=0, batch_size=128):
    """Name -> float: the terms of the loss, PSNR and SSIM, -log p(x) where `samples`, bits and ratio for codes.

    Of a prior over images its terms alone: it reconstructs nothing.

    Args:
        model: a built model.
        images: array (batch, *data_shape).
        samples: int, of the importance-weighted likelihood; 0 leaves it out. Default: 0.
        seed: int, of its draws. Default: 0.
        batch_size: int, images at a time. Default: 128.
    """
    model.compile()
    figures = model.evaluate(images, batch_size=batch_size, return_dict=True, verbose=0)
    figures = {name: float(figures[name]) for name in ("loss", *(name for name in figures if name != "loss"))}
    if not hasattr(model, "reconstruct"):
        return figures
    if samples:
        figures["nll"] = -float(model.log_likelihood(images, num_samples=samples, seed=seed).mean())
    reconstructions = model.reconstruct(images, batch_size=batch_size)
    figures["psnr"] = float(psnr(images, reconstructions).mean())
    if images.ndim == 4 and min(images.shape[1:3]) >= WINDOW:
        figures["ssim"] = float(ssim(images, reconstructions).mean())
    if model.has_codes:
        figures |= {"bits_per_image": model.bits_per_image, "compression_ratio": model.compression_ratio}
    return figures


def _dataset(args, limit, shape):
    if len(shape) != 3:
        raise ValueError(f"`--data` needs a model of images. Received: {args.name}, of arrays of shape {shape}.")
    match = DATA.fullmatch(args.data)
    if match is None:
        raise ValueError(f"`--data` must be DATASET or DATASET:SPLIT. Received: {args.data!r}.")
    name, split = match["name"], match["split"] or "test"
    if name == "sprites":
        if match["split"]:
            raise ValueError(f"sprites have no splits; they are drawn with `--seed`. Received: `--data` {args.data}.")
        images, _ = load_sprites(shape[0] if shape[0] in (32, 64) else 64).sample(limit or SPRITES, seed=args.seed)
        source = f"{args.data}, drawn with seed {args.seed}"
    else:
        # A square model gets the loader's own crop and size, the protocol of the recipes; it changes nothing that fits.
        size = shape[0] if shape[0] == shape[1] else None
        options = {"size": size, "crop": args.crop, "limit": limit}
        images = to_float(load_images(name, split, download=args.download, **options))
        source = f"{name}, {split}"
        stored = _stored_shape(name, split)
        if stored[:2] != images.shape[1:3]:
            note(f"{name}: cropped to the centre and resized to {images.shape[2]}x{images.shape[1]}")
    if images.shape[1:] != shape:
        images = fitted(images, [f"{name}[{i}]" for i in range(len(images))], shape)
    return images, source


def _stored_shape(name, split):
    try:
        return stream(name, split, 1).image_shape
    except ValueError:  # images of many sizes
        return (None, None, None)


def _unit(model, name, samples):
    if not hasattr(model, "reconstruct"):
        return {"rate": "nats, -log p(x)", "bits_per_dim": "bits"}.get(name, "")
    nats = "nats" if model.has_density else "squared error"
    units = {"distortion": nats, "rate": "nats", "elbo": "nats", "psnr": "dB", "bits_per_image": "bits"}
    units["nll"] = f"nats, -log p(x) by importance weighting, {samples:,} samples"
    if model.has_codes:
        sizes = served_levels("perplexity", model.bottleneck.codebook_size)
        units |= {metric: f"of {size:,} codes" for metric, size in sizes.items()}
        units |= dict.fromkeys(served_levels("codebook_usage", model.bottleneck.codebook_size), "share of the codes")
        units["compression_ratio"] = "times fewer bits than 8 per value"
    return units.get(name, "")
