"""What a user does with a trained autoencoder: numpy in, numpy out, compiled once, the same noise on every backend."""

import math

import numpy as np
from keras import ops

from keras_vae import _backend
from keras_vae.core.checks import integer, one_of
from keras_vae.losses.encoder_jacobian import encoder_squared_jacobian, is_one_sigmoid_layer
from keras_vae.training import SamplerCache, check_values

OUTPUTS = ("mean", "mode", "sample", "distribution")
# Of one importance-weighting step, so that memory does not grow with the number of samples:
ROWS = 5000  # decoded images, at most
VALUES = 5000 * 784  # numbers in them: fewer rows of larger images, whose decoders hold wide feature maps


class HostMethods:
    """Mixin: `encode`, `decode`, `reconstruct`, `sample`, `variations`, `log_likelihood` and `jacobian_norm`.

    Noise is drawn on the host by numpy from `seed` and handed to the compiled function, so that one seed gives the same
    samples on TensorFlow, JAX and torch. Data is checked where it enters. Any number of threads may use one model while
    none runs its `fit`, `evaluate` or `predict`.
    """

    def encode(self, x, output="mode", seed=None, batch_size=128):
        """The latents of x.

        Args:
            x: array of shape (batch, *image_shape).
            output: "mode" or "mean" of q(z|x), one "sample", or the "distribution" itself. A model with codes returns
                integer codes for the first three: its posterior is a point mass. Default: "mode".
            seed: int or None, of a sample. Default: None.
            batch_size: int, examples at a time. Default: 128.

        Returns:
            numpy array (batch, *latent_shape), or a Distribution.

        Raises:
            ValueError: for bad data or an unknown `output`.
        """
        one_of("output", output, OUTPUTS)
        x = self._images(x)
        if output == "sample" and self.bottleneck.noise is not None:
            inputs = {"x": x, "noise": self._noise(self.bottleneck.noise, (len(x),), seed)}
            return self._run("encode_sample", lambda i: self.encode_tensors(i["x"], i["noise"]), inputs, batch_size)
        if output == "distribution":
            function = lambda i: self.bottleneck.parameters(self.encoder(i["x"]))  # noqa: E731
            return self.bottleneck.posterior(self._run("parameters", function, {"x": x}, batch_size))
        return self._run("encode", lambda i: self.encode_tensors(i["x"]), {"x": x}, batch_size)

    def decode(self, z, batch_size=128):
        """E[x|z]: images of latents, or of integer codes.

        Args:
            z: array of shape (batch, *latent_shape): floats, or integer codes in [0, codebook_size).
            batch_size: int, examples at a time. Default: 128.

        Returns:
            numpy float32 array (batch, *image_shape).

        Raises:
            ValueError: for a wrong shape, empty data, NaN or infinite values, or codes out of range.
            TypeError: for what is not numbers, or codes that are not integers.
        """
        self._require_built()
        z = check_values("z", self.bottleneck.check_latents(np.asarray(z)), shape=self.latent_shape)
        z = z if self.is_discrete else z.astype("float32")
        return self._run("decode", lambda i: self.decode_tensors(i["z"]), {"z": z}, batch_size)

    def reconstruct(self, x, batch_size=128):
        """decode(encode(x)): x through the mode of its posterior.

        Args:
            x: array of shape (batch, *image_shape).
            batch_size: int, examples at a time. Default: 128.

        Returns:
            numpy float32 array of the shape of x.

        Raises:
            ValueError: for bad data.
        """
        function = lambda i: self.decode_tensors(self.encode_tensors(i["x"]))  # noqa: E731
        return self._run("reconstruct", function, {"x": self._images(x)}, batch_size)

    def sample(self, n=1, seed=None, batch_size=128):
        """E[x|z] for z from the prior. A VQ-VAE without a learned prior decodes uniform codes, and warns.

        Args:
            n: int >= 1, the number of samples. Default: 1.
            seed: int or None. The same seed gives the same samples on every backend. Default: None.
            batch_size: int, examples at a time. Default: 128.

        Returns:
            numpy float32 array (n, *image_shape).

        Raises:
            ValueError: if `n` is not >= 1, or the model has no prior.
        """
        self._require_built()
        n = integer("n", n)
        if self.prior is None:
            raise ValueError(f"`sample` needs a prior over the latents, and {type(self).__name__} has none.")
        noise = self._noise(self.prior.noise, (n,), seed)
        function = lambda i: self.decode_tensors(self.prior.sample_from(i["noise"]))  # noqa: E731
        return self._run("sample", function, {"noise": noise}, batch_size)

    def variations(self, x, n=8, seed=None, batch_size=128):
        """E[x|z] for n draws z ~ q(z|x) of each example. A deterministic encoder gives n equal copies.

        Args:
            x: array of shape (batch, *image_shape).
            n: int >= 1, draws per example. Default: 8.
            seed: int or None. Default: None.
            batch_size: int, decoded images at a time, n at least. Default: 128.

        Returns:
            numpy float32 array (batch, n, *image_shape).

        Raises:
            ValueError: for bad data, or if `n` is not >= 1.
        """
        x, n, batch_size = self._images(x), integer("n", n), integer("batch_size", batch_size)
        if self.bottleneck.noise is None:
            return np.repeat(self.reconstruct(x, batch_size)[:, None], n, axis=1)
        inputs = {"x": x, "noise": self._noise(self.bottleneck.noise, (len(x), n), seed)}
        return self._run("variations", self._varied, inputs, max(1, batch_size // n))

    def log_likelihood(self, x, num_samples=5000, batch_size=100, seed=0):
        """log p(x) by importance weighting: log (1/S) sum_s p(x, z_s) / q(z_s|x), z_s ~ q (Burda et al. 2016, eq. 8).

        A lower bound in expectation that rises to log p(x) with `num_samples`. Memory does not depend on `num_samples`.

        Args:
            x: array of shape (batch, *image_shape).
            num_samples: int >= 1, S. Default: 5000.
            batch_size: int, examples at a time. Default: 100.
            seed: int >= 0, of the draws. Default: 0.

        Returns:
            numpy float64 array (batch,), nats.

        Raises:
            ValueError: for bad data, or a model without a density over continuous latents.
        """
        num_samples, batch_size = integer("num_samples", num_samples), integer("batch_size", batch_size)
        seed = integer("seed", seed, low=0)
        x = self._images(x)
        if not self.has_density or self.bottleneck.noise is None:
            raise ValueError(
                f"`log_likelihood` needs a likelihood that is a density, a prior, and continuous latents. Received: "
                f"{type(self).__name__} with {type(self.likelihood).__name__}."
            )
        batch_size = min(batch_size, len(x))
        rows = min(ROWS, VALUES // math.prod(self.image_shape))
        chunk = max(1, min(num_samples, rows // batch_size))
        sampler = self._samplers.get("log_weights", self, lambda i: self.log_weights_tensors(i["x"], i["noise"]))
        bounds = []
        for start in range(0, len(x), batch_size):
            batch = x[start : start + batch_size]
            padded = np.concatenate([batch, np.repeat(batch[-1:], batch_size - len(batch), axis=0)])
            rng = np.random.default_rng([seed, start])
            total = np.full(len(batch), -np.inf)
            for done in range(0, num_samples, chunk):
                # The last chunk is drawn whole and cut, so that one shape is traced whatever `num_samples` is.
                noise = _draw(rng, self.bottleneck.noise, (batch_size, chunk, *self.latent_shape))
                log_weights = sampler.run({"x": padded, "noise": noise}, batch_size).astype("float64")
                log_weights = log_weights[: len(batch), : num_samples - done]
                total = np.logaddexp(total, np.logaddexp.reduce(log_weights, axis=1))
            bounds.append(total - math.log(num_samples))
        return np.concatenate(bounds)

    def jacobian_norm(self, x, batch_size=128):
        """||dh/dx||_F of the encoder at each x, exact: how far the code moves when the image does (Rifai et al. 2011).

        Args:
            x: array of shape (batch, *image_shape).
            batch_size: int, examples at a time; memory grows with it times the values of an image. Default: 128.

        Returns:
            numpy float32 array (batch,), units of h per unit of x.

        Raises:
            ValueError: for bad data, or images too large for the exact norm in batches of that size.
        """
        x = self._images(x)
        supports_jit = _backend.JVP_COMPILES or is_one_sigmoid_layer(self.encoder)
        sampler = self._samplers.get("jacobian", self, self._jacobian_norm, supports_jit)
        return sampler.run({"x": x}, integer("batch_size", batch_size))

    def _jacobian_norm(self, inputs):
        x = ops.cast(inputs["x"], "float32")
        return ops.sqrt(encoder_squared_jacobian(self.encoder, x, self.encoder(x, training=False)))

    @property
    def _samplers(self):
        return self.__dict__.setdefault("_sampler_cache", SamplerCache())

    def _run(self, key, function, inputs, batch_size):
        return self._samplers.get(key, self, function).run(inputs, integer("batch_size", batch_size))

    def _require_built(self):
        if self.image_shape is None:
            raise ValueError(
                f"{type(self).__name__} must be built first: call `fit`, or `build((None, *image_shape))`."
            )

    def _images(self, x):
        self._require_built()
        return np.asarray(self.check_data(x), "float32")

    def _noise(self, kind, batch, seed):
        rng = np.random.default_rng(None if seed is None else integer("seed", seed, low=0))
        return _draw(rng, kind, (*batch, *self.latent_shape))

    def _varied(self, inputs):
        n = ops.shape(inputs["noise"])[1]  # TensorFlow relaxes it to an unknown size when a second one comes
        z = self.posterior(inputs["x"]).repeat(n).sample_from(ops.reshape(inputs["noise"], (-1, *self.latent_shape)))
        return ops.reshape(self.decode_tensors(z), (-1, n, *self.image_shape))


def _draw(rng, kind, shape):
    return (rng.standard_normal if kind == "normal" else rng.random)(shape, dtype="float32")
