"""Calling the parts of a model with what each of them asks for."""

import functools
import inspect

from keras import ops

from keras_vae.losses import mmd
from keras_vae.ops.noise import random_noise
from keras_vae.ops.numerics import flat


def takes(function, name):
    """Whether a function has an argument of that name."""
    return name in _arguments(getattr(function, "__func__", function))


@functools.cache
def _arguments(function):
    return frozenset(inspect.signature(function).parameters)


def call_part(part, *inputs, method=None, training=None, **seen):
    """`part(*inputs)`, with those of `seen` (target, condition, mask) that its `call`, or `method`, has arguments for.

    Args:
        part: keras layer.
        *inputs: its inputs.
        method: str, a method to be called instead. Default: None.
        training: bool, handed on where it is not None.
        **seen: what the part may see beside its inputs.
    """
    function = part.call if method is None else getattr(part, method)
    given = seen_by(part, seen, function)
    if training is not None:
        given["training"] = training
    return (part if method is None else function)(*inputs, **given)


def seen_by(part, seen, function=None):
    """Those of `seen` that the `call` of a part, or another function of it, has arguments for."""
    function = part.call if function is None else function
    return {name: value for name, value in seen.items() if value is not None and takes(function, name)}


def prior_discrepancy(model, outputs, seed):
    """The maximum mean discrepancy of the latents of a batch and as many draws of the prior, a scalar.

    Args:
        model: Autoencoder with a prior, built.
        outputs: dict, what its `call` returned, and "sample_weight" (batch,) where examples do not all count alike.
        seed: keras.random.SeedGenerator, of the draws.
    """
    z = flat(outputs["z"])
    noise = random_noise(model.prior.noise_spec(model.latent_shape), (ops.shape(z)[0],), seed)
    drawn = model.prior.sample_from(noise, **model.prior_sees(outputs))
    return mmd(z, flat(drawn), outputs.get("sample_weight"))


def not_codes(bottleneck, model):
    """Raises for codes in a model whose loss has no term for their commitment: it would be left out in silence."""
    if bottleneck.has_codes:
        raise ValueError(
            f"`bottleneck` must be continuous: the loss of {type(model).__name__} has no commitment term; VQVAE has. "
            f"Received: bottleneck={type(bottleneck).__name__}."
        )
