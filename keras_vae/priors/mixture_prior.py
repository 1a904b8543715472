"""The abstract mixture: what every prior of several components shares."""

from keras import ops

from keras_vae.ops.noise import Noise
from keras_vae.priors.prior import Prior


class MixturePrior(Prior):
    """Abstract: p(z) = sum_k w_k p_k(z), which has no closed-form rate: `rate` is the one-sample estimate at z.

    A subclass says `log_weights()`, (components,), and `pairwise_log_prob(z)`, log p_k(z) as (batch, components), and
    draws by `sample_component(k, noise)` from the component k of each row. A draw takes a uniform, which chooses the
    component by the inverse of the cumulative weights, and the noise of that component.

    Args:
        **kwargs: of keras.layers.Layer.
    """

    def attach(self, model):
        if model.has_codes or isinstance(model.latent_shape, dict):
            raise ValueError(
                f"`prior` must be one over codes, or over latents by level, for this model: {type(self).__name__} is a "
                f"density of one tensor. Received: latents of {type(model.bottleneck).__name__}."
            )

    def log_weights(self):
        """log w, (components,): they sum to one."""
        raise TypeError(f"{type(self).__name__} must define `log_weights()`.")

    def pairwise_log_prob(self, z):
        """log p_k(z) of each latent under each component, nats: (batch, components)."""
        raise TypeError(f"{type(self).__name__} must define `pairwise_log_prob(z)`.")

    def sample_component(self, component, noise):
        """Latents of the components (batch,), that belong to `noise`."""
        raise TypeError(f"{type(self).__name__} must define `sample_component(component, noise)`.")

    def component_noise_spec(self, shape):
        """What a draw of one component takes for latents of `shape`. Default: normals."""
        return Noise("normal", shape)

    def noise_spec(self, shape):
        return {"component": Noise("uniform", ()), "value": self.component_noise_spec(shape)}

    def log_prob(self, z, condition=None):
        return ops.logsumexp(self.log_weights() + self.pairwise_log_prob(z), axis=-1)

    def responsibilities(self, z):
        """p(k|z), the share of each component in the density at z: the clusters that a mixture finds.

        Args:
            z: latents (batch, ...).

        Returns:
            Tensor (batch, components), rows that sum to one.
        """
        return ops.softmax(self.log_weights() + self.pairwise_log_prob(z), axis=-1)

    def sample_from(self, noise, condition=None):
        below = ops.cumsum(ops.exp(self.log_weights()))[:-1]  # without the last, which rounding may leave under one
        passed = ops.greater_equal(ops.expand_dims(noise["component"], -1), below)  # (batch, components - 1)
        return self.sample_component(ops.sum(ops.cast(passed, "int32"), axis=-1), noise["value"])
