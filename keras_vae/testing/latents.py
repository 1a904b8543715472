"""What `encode`, `decode` and `reconstruct` promise."""

import inspect

import numpy as np
from keras import tree

from keras_vae.models.parts import takes
from keras_vae.testing.comparing import ensure, equal, is_close, length, rows, seed_for, untouched


def check_encoding(model, x, rtol=1e-5):
    """Checks `encode`: the mode is the same each time, latents belong to their examples, and draws to their seed.

    Args:
        model: built model with `encode`.
        x: array, or dict of arrays: a batch, whose examples are not all the same.
        rtol: float, relative tolerance between places in a batch. Default: 1e-5.

    Returns:
        The latents: array (batch, ...), or a dict of them by level.

    Raises:
        AssertionError: if one of this does not hold.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.testing import check_encoding
    >>> model = keras_vae.VAE(keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((4,), ()), latent_dim=2)
    >>> model.build((None, 4))
    >>> check_encoding(model, np.eye(4, dtype="float32")).shape
    (4, 2)
    """
    with untouched(model, "`encode`"):
        latents = model.encode(x)
        again, backwards = model.encode(x), model.encode(_backwards(x))
    _per_example("encode", latents, x)
    ensure(equal(latents, again), "`encode` gives other latents when it is called again. Fix: return the mode.")
    _ensure_in_place("encode", latents, backwards, rtol)
    if "output" in inspect.signature(model.encode).parameters and draws(model):
        with untouched(model, '`encode(x, output="sample")`'):
            one, same, other = (model.encode(x, output="sample", seed=seed) for seed in (1, 1, 2))
        _per_example('encode(output="sample")', one, x)
        ensure(equal(one, same), '`encode(x, output="sample")` gives two draws for one seed.')
        ensure(not equal(one, other), '`encode(x, output="sample")` gives the same draw for two seeds.')
    return latents


def check_reconstruction(model, x, rtol=1e-5):
    """Checks `reconstruct`: data shaped as x, the same each time, each of its own example; decode(encode(x)) if it can.

    Args:
        model: built model with `reconstruct`, and with `encode` and `decode` or without.
        x: array, or dict of arrays: a batch, whose examples are not all the same.
        rtol: float, relative tolerance. Default: 1e-5.

    Returns:
        The reconstruction, an array.

    Raises:
        AssertionError: if one of this does not hold.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.testing import check_reconstruction
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4,), ()))
    >>> model.build((None, 4))
    >>> check_reconstruction(model, np.eye(4, dtype="float32")).shape
    (4, 4)
    """
    seed = seed_for(model.reconstruct)
    random_decoder = hasattr(getattr(model, "decoder", None), "noise_spec")
    with untouched(model, "`reconstruct`"):
        images, again = model.reconstruct(x, **seed), model.reconstruct(x, **seed)
        backwards = images[::-1] if random_decoder else model.reconstruct(_backwards(x))
    shape = np.shape(x["x"] if isinstance(x, dict) and "x" in x else x)
    ensure(images.shape == shape, f"`reconstruct` must give data of shape {shape}. Received: {images.shape}.")
    ensure(
        equal(images, again),
        "`reconstruct` gives another image when it is called again. Fix: go through the posterior's mode, without "
        "a draw; `variations` is what draws.",
    )
    _ensure_in_place("reconstruct", images, backwards, rtol)
    unmasked = not takes(model.decoder.call, "mask") if hasattr(model, "decoder") else True
    if hasattr(model, "encode") and hasattr(model, "decode") and unmasked:
        given = {"condition": x["condition"]} if getattr(model, "condition", None) is not None else {}
        with untouched(model, "`decode`"):
            decoded = model.decode(model.encode(x), **given, **seed)
        ensure(
            is_close(decoded, images, rtol, _scale(images)),
            "`decode(encode(x))` is not `reconstruct(x)`. Fix: make them of the same parts, and let codes pass "
            "through the bottleneck's `lookup`.",
        )
    return images


def _backwards(x):
    return rows(x, np.arange(length(x))[::-1])


def draws(model):
    """Whether the posterior of a model is drawn from, as far as it says."""
    return getattr(getattr(model, "bottleneck", None), "is_random", False)


def _scale(values):
    """An absolute tolerance for values that are sums of larger ones."""
    return 1e-6 * max(1.0, float(np.abs(values).max()))


def _per_example(name, latents, x):
    sizes = {len(part) for part in tree.flatten(latents)}
    ensure(sizes == {length(x)}, f"`{name}` gives {sorted(sizes)} latents for {length(x)} examples.")


def _ensure_in_place(name, values, backwards, rtol):
    pairs = zip(tree.flatten(values), tree.flatten(backwards), strict=True)
    ensure(
        all(is_close(one, other[::-1], rtol, _scale(one)) for one, other in pairs),
        f"`{name}` gives an example another answer at another place of its batch. Fix: compute nothing over the batch.",
    )
