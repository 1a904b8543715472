"""What a user does with a trained autoencoder: numpy in, numpy out, compiled once, the same noise on every backend."""

import numpy as np
from keras import ops, tree

from keras_vae.core.checks import integer, one_of, seed_or_none
from keras_vae.models.measuring_methods import MeasuringMethods, count_of
from keras_vae.ops.levels import by_level, paths
from keras_vae.ops.noise import draw_noise
from keras_vae.training import SamplerCache, check_values

OUTPUTS = ("mean", "mode", "sample", "distribution")


class HostMethods(MeasuringMethods):
    """Mixin: `encode`, `decode`, `reconstruct`, `sample`, `variations`, and those of `MeasuringMethods`.

    Noise is drawn on the host by numpy from `seed` and handed to the compiled function, so that one seed gives the same
    samples on TensorFlow, JAX and torch. Data is checked where it enters. Any number of threads may use one model while
    none runs its `fit`, `evaluate` or `predict`. A conditional model takes `condition`, one for all examples or one for
    each, here or inside of a dict `x`, which is also how a masked model takes its mask.
    """

    def encode(self, x, output="mode", seed=None, batch_size=128, condition=None):
        """The latents of x.

        Args:
            x: array of shape (batch, *data_shape), or a dict with the further inputs.
            output: "mode" or "mean" of q(z|x), one "sample", or the "distribution" itself. A model with codes returns
                integer codes for the first three: its posterior is a point mass. Default: "mode".
            seed: int or None, of a sample. Default: None.
            batch_size: int, examples at a time. Default: 128.
            condition: of a conditional model. Default: None.

        Returns:
            numpy array (batch, *latent_shape), a dict of them by level, or a Distribution.

        Raises:
            ValueError: for bad data or an unknown `output`.
        """
        one_of("output", output, OUTPUTS)
        inputs = self._given(x, condition)
        if output == "sample" and self.bottleneck.is_random:
            noise = self._noise(self.bottleneck, inputs["x"], seed)
            return self._run("encode_sample", self._encoded, {**inputs, "noise": noise}, batch_size)
        if output == "distribution":
            parameters = self._run("parameters", lambda i: self.encode_parameters(i["x"]), inputs, batch_size)
            return self.bottleneck.posterior(parameters)
        if output == "mean" and not self.has_codes:
            return self._run("encode_mean", lambda i: self.posterior(i["x"]).mean, inputs, batch_size)
        return self._run("encode", self._encoded, inputs, batch_size)

    def decode(self, z, batch_size=128, condition=None, seed=None):
        """E[x|z]: data of latents, or of integer codes; from an autoregressive decoder one draw.

        Args:
            z: array of shape (batch, *latent_shape): floats, or integer codes in [0, codebook_size); or a dict of them
                by level.
            batch_size: int, examples at a time. Default: 128.
            condition: of a conditional model. Default: None.
            seed: int or None, of a decoder that draws. Default: None.

        Returns:
            numpy float32 array (batch, *data_shape).

        Raises:
            ValueError: for a wrong shape, empty data, NaN or infinite values, or codes out of range.
            TypeError: for what is not numbers, or codes that are not integers.
        """
        self._require_built()
        z = z if isinstance(z, dict) else np.asarray(z)
        z = by_level(lambda part, shape: check_values("z", part, shape=shape), self._latents(z), self.latent_shape)
        z = z if self.has_codes else by_level(lambda part: part.astype("float32"), z)
        count = len(tree.flatten(z)[0])
        inputs = {"z": z, **self._decoding(count, np.random.default_rng(seed_or_none("seed", seed)), condition)}
        return self._run("decode", lambda i: self._decoded(i["z"], i), inputs, batch_size)

    def reconstruct(self, x, batch_size=128, condition=None, seed=None):
        """decode(encode(x)): x through the mode of its posterior.

        Args:
            x: array of shape (batch, *data_shape), or a dict with the further inputs.
            batch_size: int, examples at a time. Default: 128.
            condition: of a conditional model. Default: None.
            seed: int or None, of a decoder that draws. Default: None.

        Returns:
            numpy float32 array of the shape of the data.

        Raises:
            ValueError: for bad data.
        """
        inputs = self._given(x, condition)
        inputs.update(self._decoder_noise(count_of(inputs["x"]), np.random.default_rng(seed_or_none("seed", seed))))
        return self._run("reconstruct", self._reconstructed, inputs, batch_size)

    def sample(self, n=1, seed=None, batch_size=128, condition=None, **controls):
        """E[x|z] for z from the prior. A VQ-VAE without a learned prior decodes uniform codes, and warns.

        Args:
            n: int >= 1, the number of samples. Default: 1.
            seed: int or None. The same seed gives the same samples on every backend. Default: None.
            batch_size: int, examples at a time. Default: 128.
            condition: of a conditional model, one for all samples or one for each. Default: None.
            **controls: of a learned prior: what its own `sample` takes beside these, such as `temperature`, `top_p`,
                or `known` codes and their `mask` of a `PixelCNNPrior`.

        Returns:
            numpy float32 array (n, *data_shape).

        Raises:
            ValueError: if `n` is not >= 1, or the model has no prior, or one that was never trained.
            TypeError: for controls that the prior does not have.
        """
        self._require_built()
        n, rng = integer("n", n), np.random.default_rng(seed_or_none("seed", seed))
        if self.prior is None:
            raise ValueError(f"`sample` needs a prior over the latents, and {type(self).__name__} has none.")
        if not self.latent_shape_is_known:
            raise ValueError(f"`sample` needs latents of a known size. Received: latent_shape={self.latent_shape}.")
        learned = hasattr(self.prior, "require_trained")
        if learned:
            self.prior.require_trained()
        inputs = {"controls": self.prior.drawing_controls(n, **controls)}
        inputs["noise"] = draw_noise(self.prior.noise_spec(self.latent_shape), rng, (n,))
        inputs.update(self._decoding(n, rng, condition))
        key, jit = "_".join(("sample", *paths(inputs["controls"]))), learned and self.prior.jit_sampler
        return self._run(key, self._sampled, inputs, batch_size, progress=learned, jit=jit)

    def variations(self, x, n=8, seed=None, batch_size=128, condition=None):
        """E[x|z] for n draws z ~ q(z|x) of each example. A deterministic encoder gives n equal copies.

        Args:
            x: array of shape (batch, *data_shape), or a dict with the further inputs.
            n: int >= 1, draws per example. Default: 8.
            seed: int or None. Default: None.
            batch_size: int, decoded examples at a time, n at least. Default: 128.
            condition: of a conditional model. Default: None.

        Returns:
            numpy float32 array (batch, n, *data_shape).

        Raises:
            ValueError: for bad data, or if `n` is not >= 1.
        """
        inputs, n, batch_size = self._given(x, condition), integer("n", n), integer("batch_size", batch_size)
        if not self.bottleneck.is_random:
            return np.repeat(self.reconstruct(x, batch_size, condition, seed)[:, None], n, axis=1)
        inputs["noise"] = self._noise(self.bottleneck, inputs["x"], seed, n)
        return self._run("variations", self._varied, inputs, max(1, batch_size // n))

    # What is compiled: nests of tensors in, tensors out.

    def _encoded(self, inputs):
        return self.encode_tensors(inputs["x"], inputs.get("noise"))

    def _decoded(self, z, inputs):
        return self.decode_tensors(z, inputs.get("condition"), inputs.get("decoder_noise"))

    def _reconstructed(self, inputs):
        _, extras = self.split(inputs["x"])
        z = self.encode_tensors(inputs["x"])
        return self.decode_tensors(z, noise=inputs.get("decoder_noise"), **extras)

    def _sampled(self, inputs):
        z = self.prior_tensors(inputs["noise"], inputs.get("condition"), **inputs["controls"])
        return self._decoded(z, inputs)

    def _varied(self, inputs):
        n = ops.shape(tree.flatten(inputs["noise"])[0])[1]  # TensorFlow relaxes it to an unknown size
        noise = tree.map_structure(lambda part: ops.reshape(part, (-1, *part.shape[2:])), inputs["noise"])
        z = self.posterior(inputs["x"]).repeat(n).sample_from(noise)
        _, extras = self.split(inputs["x"])
        images = self.decode_tensors(z, **{name: ops.repeat(part, n, axis=0) for name, part in extras.items()})
        return ops.reshape(images, (-1, n, *images.shape[1:]))

    # Arrays and noise for them.

    @property
    def _samplers(self):
        return self.__dict__.setdefault("_sampler_cache", SamplerCache())

    def _run(self, key, function, inputs, batch_size, progress=False, **options):
        sampler = self._samplers.get(key, self, function, **options)
        return sampler.run(inputs, integer("batch_size", batch_size), progress)

    def _require_built(self):
        if self.data_shape is None:
            raise ValueError(f"{type(self).__name__} must be built first: call `fit`, or `build((None, *data_shape))`.")

    def _given(self, x, condition):
        self._require_built()
        return {"x": self.host_inputs(x, condition)}

    def _latents(self, z):
        return self.bottleneck.check_latents(z)

    def _decoding(self, count, rng, condition):
        """What `_decoded` asks for beside the latents."""
        condition = self.host_condition(condition, count)
        given = {} if condition is None else {"condition": condition}
        return {**given, **self._decoder_noise(count, rng)}

    def _decoder_noise(self, count, rng):
        spec = self._decoder_spec()
        return {} if spec is None else {"decoder_noise": draw_noise(spec, rng, (count,))}

    def _noise(self, source, x, seed, *draws):
        """Noise for latents of x, `draws` of them for each example."""
        spec = source.noise_spec(self._latent_shape_of(x))
        return draw_noise(spec, np.random.default_rng(seed_or_none("seed", seed)), (count_of(x), *draws))

    def _latent_shape_of(self, x):
        """`latent_shape`, of the sequences of x where it depends on their length."""
        if self.latent_shape_is_known:
            return self.latent_shape
        outputs = self.trace({name: (None, *part.shape[1:]) for name, part in x.items()})
        return by_level(lambda part: tuple(part.shape[1:]), outputs["z"])
