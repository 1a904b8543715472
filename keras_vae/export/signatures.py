"""The functions that a served model offers, by name: what goes in, what comes out. Pure, traceable, any batch."""

import keras
from keras import ops

from keras_vae.distributions import Normal
from keras_vae.export.call_seed import CallSeed


def latent_name(model):
    """What the latents of `model` are called in the signatures: "indices" where they are codes, else "z"."""
    return "indices" if model.is_discrete else "z"


def signatures(model, batch_size=None):
    """The signatures of a model of keras_vae: name -> (function, `keras.InputSpec` of its one argument, limits of it).

    The name of a function's parameter and the keys of the dict that it returns are the names that a client sees:

    - `serving_default`: images -> reconstruction
    - `encode`: images -> z (the mode), or indices; where there is a Gaussian posterior also z_mean and z_log_var
    - `decode`: z, or indices -> images
    - `sample`: seed, one int32 per image wanted -> images, and their z or indices. The same seed gives the same image
      in any batch; absent where the model has no prior.

    The limits are arguments of `checked_endpoint`: the served model refuses the data that the live one refuses, images
    out of the likelihood's interval among them.

    Args:
        model: a built model of keras_vae.
        batch_size: int, or None for any. Default: None.
    """
    images_spec = keras.InputSpec(shape=(batch_size, *model.image_shape), dtype="float32", name="images")
    latent, dtype = latent_name(model), "int32" if model.is_discrete else "float32"
    latent_spec = keras.InputSpec(shape=(batch_size, *model.latent_shape), dtype=dtype, name=latent)
    seed_spec = keras.InputSpec(shape=(batch_size,), dtype="int32", name="seed")

    def serving_default(images):
        return {"reconstruction": _decoded(model, model.encode_tensors(images))}

    def encode(images):
        posterior = model.posterior(images)
        return {latent: ops.cast(posterior.mode, dtype), **gaussian_outputs(posterior)}

    def decode_indices(indices):
        return {"images": _decoded(model, indices)}

    def decode_z(z):
        return {"images": _decoded(model, z)}

    def sample(seed):
        latents = model.prior.sample_from(row_noise(model.prior.noise, model.latent_shape, seed))
        return {"images": _decoded(model, latents), latent: ops.cast(latents, dtype)}

    likelihood = model.likelihood
    of_images = {"interval": likelihood.interval, "whole": likelihood.whole, "reason": type(likelihood).__name__}
    of_latents = {"interval": (0, model.bottleneck.codebook_size - 1)} if model.is_discrete else {}
    endpoints = {
        "serving_default": (serving_default, images_spec, of_images),
        "encode": (encode, images_spec, of_images),
        "decode": (decode_indices if model.is_discrete else decode_z, latent_spec, of_latents),
    }
    if model.prior is not None:
        endpoints["sample"] = (sample, seed_spec, {})
    return endpoints


def gaussian_outputs(posterior):
    """{"z_mean", "z_log_var"}, float32 tensors, of a Gaussian posterior; nothing of another."""
    if not isinstance(posterior, Normal):
        return {}
    return {"z_mean": ops.cast(posterior.mean, "float32"), "z_log_var": ops.cast(posterior.log_var, "float32")}


def row_noise(kind, shape, seed):
    """Noise of shape (batch, *shape) whose row i depends on seed[i] alone.

    Args:
        kind: str, "normal" or "uniform".
        shape: tuple of ints, the shape of one row.
        seed: int32 tensor (batch,).
    """
    draw = {"normal": keras.random.normal, "uniform": keras.random.uniform}[kind]
    return ops.vectorized_map(lambda one: draw(shape, dtype="float32", seed=CallSeed(one)), seed)


def _decoded(model, latents):
    return ops.cast(model.decode_tensors(latents), "float32")
