"""sample, reconstruct, traverse: pictures of what a model does."""

import numpy as np

from keras_vae.cli.handles import given, load_autoencoder, load_generator
from keras_vae.cli.images import read_images
from keras_vae.cli.known import read_known
from keras_vae.cli.messages import counted, note
from keras_vae.cli.output import check_out, write_images
from keras_vae.cli.values import check_pictures, pictures_of, values_of
from keras_vae.generation import inpaint, latent_traversal, most_active_dimensions
from keras_vae.metrics import psnr
from keras_vae.reports import comparison_grid, image_grid, traversal_grid

ROWS = 10  # of a traversal whose latent dimensions nobody chose


def sample(args):
    """`keras-vae sample NAME -n N --seed S [--known IMAGE --mask MASK] -o FILE`.

    Args:
        args: namespace of the parser's.
    """
    out = check_out(args.out, ".png", ".npy")
    if (args.known is None) != (args.mask is None):
        raise ValueError(
            f"`--known` and `--mask` go together: an image, and where it is known. Received: "
            f"`--{'known' if args.mask is None else 'mask'}` alone."
        )
    model, around = load_generator(args.name), ""
    controls = {name: getattr(args, name) for name in ("temperature", "top_k", "top_p")}
    controls = {name: value for name, value in controls.items() if value is not None}
    if args.known is None:
        if out.suffix.lower() == ".png" and not hasattr(model, "encode"):
            check_pictures(model, args.name, "a picture")
        images = model.sample(args.n, seed=args.seed, condition=given(model, args), **controls)
    else:
        check_pictures(model, args.name, "`--known`")
        image, mask = read_known(args.known, args.mask, model.data_shape)
        image = values_of(model, image[None], args.seed)
        images = inpaint(model, image, mask, args.n, args.seed, given(model, args), **controls)[0]
        around = f", around the {mask.mean():.0%} of {args.known} that is known"
    write_images(out, images, lambda path: image_grid(pictures_of(model, images), args.columns, path, clip=True))
    print(f"{out}: {counted(len(images), 'sample')}, seed {args.seed}{around}")


def reconstruct(args):
    """`keras-vae reconstruct NAME IMAGES... -o FILE`.

    Args:
        args: namespace of the parser's.
    """
    out = check_out(args.out, ".png", ".npy")
    model = load_autoencoder(args.name)
    originals, _ = read_images(args.images, model.data_shape, args.limit)
    images = model.reconstruct(originals, condition=given(model, args))
    write_images(out, images, lambda path: comparison_grid(originals, images, args.columns, path))
    print(f"{out}: {counted(len(images), 'reconstruction')}, PSNR {psnr(originals, images).mean():.2f} dB")


def traverse(args):
    """`keras-vae traverse NAME [--image FILE] [--dims ...] -o FILE`.

    Args:
        args: namespace of the parser's.
    """
    out = check_out(args.out, ".png", ".npy")
    model = load_autoencoder(args.name)
    if model.has_codes:
        raise ValueError(
            f"traverse needs a continuous latent. Received: {args.name}, a {type(model).__name__} of codes."
        )
    start, around = _start(model, args)
    dims = _dimensions(model, args)
    images = latent_traversal(model, start, dims, args.span, args.steps)
    labels = [f"z{d}" for d in dims]
    values = np.linspace(-args.span, args.span, args.steps)
    write_images(out, images, lambda path: traversal_grid(images, labels, path, column_labels=values))
    print(f"{out}: {', '.join(labels)} from {-args.span:g} to {args.span:g}, around {around}")


def _start(model, args):
    if args.image is not None:
        images, names = read_images([args.image], model.data_shape)
        if len(images) > 1:
            raise ValueError(f"`--image` must be one image. Received: {args.image}, which holds {len(images)}.")
        return images[0], names[0]
    if model.prior is None:
        raise ValueError(f"`--image` must be given: {type(model).__name__} has no prior to draw a start from.")
    return np.clip(model.sample(1, seed=args.seed)[0], 0.0, 1.0), f"a sample of seed {args.seed}"


def _dimensions(model, args):
    size = int(np.prod(model.latent_shape))
    if args.dims is not None or size <= ROWS:
        return args.dims if args.dims is not None else list(range(size))
    if model.prior is None:
        note(f"the first {ROWS} of {size:,} latent dimensions; choose with --dims")
        return list(range(ROWS))
    own = np.clip(model.sample(256, seed=args.seed), 0.0, 1.0)  # a dimension that no image moves stays at its prior
    note(f"the {ROWS} of {size:,} latent dimensions that vary most over 256 samples; choose with --dims")
    return most_active_dimensions(model, own, ROWS).tolist()
