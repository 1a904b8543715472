"""What a model answers about itself: what it serves, and what a preset says of it."""

from keras import ops

from keras_vae.ops.levels import by_level
from keras_vae.ops.noise import noise_from_seeds
from keras_vae.training.signature import (
    Served,
    Signature,
    condition_input,
    data_input,
    seed_input,
    served_levels,
    unserved_levels,
)


class ServedModel:
    """Mixin: `signatures` and `preset_facts`, so that no room asks for a model's class."""

    @property
    def latent_name(self):
        """What latents are called where they are served: "indices" where they are codes, else "z"."""
        return "indices" if self.has_codes else "z"

    def signatures(self):
        """The functions that a served model offers, name -> `keras_vae.training.Signature`.

        - `serving_default`: images -> reconstruction
        - `encode`: images -> z (the mode), or indices; and what the posterior's `served()` names, as z_mean and
          z_log_var of a Gaussian
        - `decode`: z, or indices -> images
        - `sample`: seed, one int32 per image wanted -> images, and their z or indices. The same seed gives the same
          image in any batch; absent where the model has no prior.

        Latents by level are served as z_top, z_bottom and so on. A conditional model takes `condition` everywhere, a
        masked one `mask` beside the data, which is called "x" there.
        """
        data = "x" if self.masked else "images"
        of_data = {data: self._data_input(), **self._extra_inputs_served()}
        of_condition = {name: given for name, given in of_data.items() if name == "condition"}
        of_latents = served_levels(self.latent_name, by_level(self._latent_input, self.latent_shape, self._limits()))

        def as_called(given):
            return {"x": given[data], **{n: given[n] for n in self.extra_inputs}} if self.extra_inputs else given[data]

        def serving_default(**given):
            x = as_called(given)
            _, extras = self.split(x)
            latents = self.encode_tensors(x)
            rows = ops.shape(given[data])[0]
            noise = noise_from_seeds(self._decoder_spec(), ops.zeros((rows,), "int32"))  # one answer to one request
            return {"reconstruction": self._decoded_float(latents, noise, **extras)}

        def encode(**given):
            posterior = self.posterior(as_called(given))
            return {**self._named_latents(posterior.mode), **posterior_outputs(posterior)}

        def decode(**given):
            latents = unserved_levels(self.latent_name, given, self.latent_shape)
            return {data: self._decoded_float(latents, None, given.get("condition"))}

        def sample(**given):
            latents_noise, decoder_noise = noise_from_seeds(
                (self.prior.noise_spec(self.latent_shape), self._decoder_spec()), given["seed"]
            )
            latents = self.prior_tensors(latents_noise, given.get("condition"))
            decoded = self._decoded_float(latents, decoder_noise, given.get("condition"))
            return {data: decoded, **self._named_latents(latents)}

        endpoints = {
            "serving_default": Signature(serving_default, of_data, draws=self._decoder_spec() is not None),
            "encode": Signature(encode, of_data),
        }
        if not hasattr(self.decoder, "noise_spec"):  # what draws needs a seed
            endpoints["decode"] = Signature(decode, {**of_latents, **of_condition})
        if self.prior is not None and self.latent_shape_is_known:  # of a sequence nobody says how long it is to be
            endpoints["sample"] = Signature(sample, {"seed": seed_input(), **of_condition}, draws=True)
        return endpoints

    @property
    def latent_shape_is_known(self):
        """Whether every size of the latents is known, so that they can be drawn without data."""
        shapes = self.latent_shape.values() if isinstance(self.latent_shape, dict) else [self.latent_shape]
        return all(None not in shape for shape in shapes)

    @property
    def previews(self):
        """Which pictures say something of this model: of "reconstructions", "samples" and "traversal" those it has."""
        samples = self.prior is not None and not self.prior.is_noise and self.latent_shape_is_known
        kinds = {"reconstructions": True, "samples": samples, "traversal": not (self.has_codes or self.extra_inputs)}
        return tuple(kind for kind, has in kinds.items() if has)

    def preset_facts(self):
        """What the metadata of a preset says of this model: "data_shape" and "latent_shape", as JSON has them."""
        facts = {"data_shape": list(self.data_shape), "latent_shape": by_level(list, self.latent_shape)}
        if self.condition is not None:
            facts["condition"] = type(self.condition).__name__
        return facts

    def _data_input(self):
        likelihood = self.likelihood
        limits = {"interval": likelihood.interval, "whole": likelihood.whole, "reason": type(likelihood).__name__}
        return data_input(self.data_shape, self.input_dtype, **limits)

    def _extra_inputs_served(self):
        served = {}
        if self.condition is not None:
            served["condition"] = condition_input(self.condition)
        if self.masked:
            ones = data_input(self.data_shape[:1], "float32", (1.0, 1.0))
            served["mask"] = Served(ones.shape, "float32", ones.example, {"interval": (0.0, 1.0), "whole": True})
        return served

    def _limits(self):
        """The number of codes, of each level; None for latents without limits."""
        return self.bottleneck.codebook_size if self.has_codes else by_level(lambda _: None, self.latent_shape)

    def _latent_input(self, shape, codes):
        if codes is not None:
            return data_input(shape, "int32", (0, codes - 1))
        sizes = [4 if size is None else size for size in shape]
        return Served(shape, "float32", lambda rows, rng: rng.standard_normal((rows, *sizes), dtype="float32"))

    def _named_latents(self, latents):
        dtype = "int32" if self.has_codes else "float32"
        return served_levels(self.latent_name, by_level(lambda part: ops.cast(part, dtype), latents))

    def _decoder_spec(self):
        """What the decoder draws from; None for one that does not draw."""
        return self.decoder.noise_spec(self.data_shape) if hasattr(self.decoder, "noise_spec") else None

    def _decoded_float(self, latents, noise, condition=None, **extras):
        return ops.cast(self.decode_tensors(latents, condition, noise, **extras), "float32")


def posterior_outputs(posterior):
    """The parameters of a posterior that a client sees beside its mode, by name: a family says which."""
    return {name: ops.cast(value, "float32") for name, value in posterior.served().items()}
