"""What is measured of a trained autoencoder by more than its terms: its likelihood, and how far its code moves."""

import math

import numpy as np
from keras import ops, tree

from keras_vae import _backend
from keras_vae.core.checks import integer
from keras_vae.losses.encoder_jacobian import encoder_squared_jacobian, is_one_sigmoid_layer
from keras_vae.models.parts import call_part, seen_by
from keras_vae.ops.noise import draw_noise
from keras_vae.training.sampler import padded_to

# Of one importance-weighting step, so that memory does not grow with the number of samples:
ROWS = 5000  # decoded images, at most
VALUES = 5000 * 784  # numbers in them: fewer rows of larger images, whose decoders hold wide feature maps


class MeasuringMethods:
    """Mixin: `log_likelihood` and `jacobian_norm`, numpy in and out."""

    def log_likelihood(self, x, num_samples=5000, batch_size=100, seed=0, condition=None):
        """log p(x) by importance weighting: log (1/S) sum_s p(x, z_s) / q(z_s|x), z_s ~ q (Burda et al. 2016, eq. 8).

        A lower bound in expectation that rises to log p(x) with `num_samples`. Memory does not depend on `num_samples`.

        Args:
            x: array of shape (batch, *data_shape), or a dict with the further inputs.
            num_samples: int >= 1, S. Default: 5000.
            batch_size: int, examples at a time. Default: 100.
            seed: int >= 0, of the draws. Default: 0.
            condition: of a conditional model: log p(x | condition). Default: None.

        Returns:
            numpy float64 array (batch,), nats.

        Raises:
            ValueError: for bad data, or a model without a density over latents that it draws.
        """
        num_samples, batch_size = integer("num_samples", num_samples), integer("batch_size", batch_size)
        seed = integer("seed", seed, low=0)
        x = self._given(x, condition)["x"]
        if not self.has_density or not self.bottleneck.is_random:
            raise ValueError(
                f"`log_likelihood` needs a likelihood that is a density, a prior, and continuous latents. Received: "
                f"{type(self).__name__} with {type(self.likelihood).__name__}."
            )
        count = count_of(x)
        batch_size = min(batch_size, count)
        values = math.prod(self.target(x).shape[1:])
        chunk = max(1, min(num_samples, min(ROWS, VALUES // values) // batch_size))
        spec = self.bottleneck.noise_spec(self._latent_shape_of(x))
        sampler = self._samplers.get("log_weights", self, lambda i: self.log_weights_tensors(i["x"], i["noise"]))
        bounds = []
        for start in range(0, count, batch_size):
            batch = tree.map_structure(lambda part, start=start: part[start : start + batch_size], x)
            size = count_of(batch)
            padded = tree.map_structure(lambda part: padded_to(part, batch_size), batch)
            rng = np.random.default_rng([seed, start])
            total = np.full(size, -np.inf)
            for done in range(0, num_samples, chunk):
                # The last chunk is drawn whole and cut, so that one shape is traced whatever `num_samples` is.
                noise = draw_noise(spec, rng, (batch_size, chunk))
                log_weights = sampler.run({"x": padded, "noise": noise}, batch_size).astype("float64")
                log_weights = log_weights[:size, : num_samples - done]
                total = np.logaddexp(total, np.logaddexp.reduce(log_weights, axis=1))
            bounds.append(total - math.log(num_samples))
        return np.concatenate(bounds)

    def jacobian_norm(self, x, batch_size=128, condition=None):
        """||dh/dx||_F of the encoder at each x, exact: how far the code moves when the image does (Rifai et al. 2011).

        Args:
            x: array of shape (batch, *data_shape), or a dict with the further inputs.
            batch_size: int, examples at a time; memory grows with it times the values of an image. Default: 128.
            condition: of a conditional model, which is held. Default: None.

        Returns:
            numpy float32 array (batch,), units of h per unit of x.

        Raises:
            ValueError: for bad data, or images too large for the exact norm in batches of that size.
        """
        supports_jit = _backend.JVP_COMPILES or is_one_sigmoid_layer(self.encoder)
        inputs = self._given(x, condition)
        return self._run("jacobian", self._jacobian_norm, inputs, batch_size, supports_jit=supports_jit)

    def _jacobian_norm(self, inputs):
        x, extras = self.split(inputs["x"])
        seen = self.net_inputs(extras)
        h = call_part(self.encoder, x, training=False, **seen)
        return ops.sqrt(encoder_squared_jacobian(self.encoder, x, h, **seen_by(self.encoder, seen)))


def count_of(x):
    """The number of examples in an array, or in a dict of them."""
    return len(tree.flatten(x)[0])
