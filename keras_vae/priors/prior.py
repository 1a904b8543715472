"""The abstract prior: scores a posterior, and turns noise into latents."""

import keras

from keras_vae.core.registration import Configured
from keras_vae.distributions import Deterministic, has_closed_form, kl_divergence


class Prior(Configured, keras.layers.Layer):
    """p(z): log-density, the rate of a posterior, and draws: equal noise, equal latents on every backend."""

    noise = "normal"  # the kind of noise that `sample_from` takes: "normal" or "uniform" in [0, 1)

    def distribution(self, like):
        """p as a distribution with the event shape of the latents `like`, or None where it has no closed form."""
        return None

    def log_prob(self, z):
        """log p(z), nats, summed over the event: (batch,)."""
        return self.distribution(z).log_prob(z)

    def sample_from(self, noise):
        """Latents that belong to `noise` of shape (batch, *latent_shape)."""
        raise TypeError(f"{type(self).__name__} must define `sample_from(noise)`.")

    def rate(self, posterior, z):
        """KL(q(z|x) || p(z)), nats, (batch,): in closed form where it is known, else the one-sample estimate at `z`."""
        if isinstance(posterior, Deterministic):
            return -self.log_prob(posterior.mode)  # a point mass, on the codes of a quantizer: its entropy is zero
        p = self.distribution(z)
        if p is not None and has_closed_form(posterior, p):
            return kl_divergence(posterior, p)
        return posterior.log_prob(z) - self.log_prob(z)
