"""The abstract prior: scores a posterior, and turns noise into latents."""

import keras

from keras_vae.core.registration import Configured
from keras_vae.distributions import (
    Deterministic,
    by_vector,
    elementwise_kl_divergence,
    has_closed_form,
    kl_divergence,
)
from keras_vae.ops.noise import noise_of


class Prior(Configured, keras.layers.Layer):
    """p(z), or p(z | condition): log-density, the rate of a posterior, and draws: equal noise, equal latents.

    Latents are a tensor, or a dict of tensors by level. A prior that does not depend on the condition ignores it.
    """

    values = None  # what z is made of, "binary" or "one-hot" variables or "codes"; None: continuous ones
    is_noise = False  # whether its draws know nothing of any data, so that decoding them makes no pictures
    support = None  # (low, high) outside of which its density is zero; None for all real numbers, and for codes
    fits_at_once = False  # whether `fit`, where it has one, takes all latents and no steps
    noise = "normal"  # the kind of noise that `sample_from` takes, in the shape of the latents: "normal" or "uniform"

    def attach(self, model):
        """Hook: what a prior needs of the model that it is put on; called whenever a model is built, before `build`.

        Raises:
            ValueError: where the latents of the model are none that the prior could score.
        """

    def update(self, outputs):
        """Hook: state that a training step of the model changes, of a prior that may learn; not to be differentiated.

        Args:
            outputs: dict, what the model's `call` returned.
        """

    def noise_spec(self, shape):
        """What `sample_from` takes for latents of `shape`: a `keras_vae.ops.Noise`, a nest of them, or None."""
        return noise_of(self.noise, shape)

    def distribution(self, like, condition=None):
        """p as a distribution with the event shape of the latents `like`, or None where it has no closed form."""
        return None

    def log_prob(self, z, condition=None):
        """log p(z), nats, summed over the event: (batch,)."""
        return self.distribution(z, **_given(condition)).log_prob(z)

    def sample_from(self, noise, condition=None):
        """Latents that belong to `noise`, drawn after `noise_spec(latent_shape)`."""
        raise TypeError(f"{type(self).__name__} must define `sample_from(noise, condition=None)`.")

    def drawing_controls(self, n, **controls):
        """What `sample` was given beside n, seed and condition, as inputs of `sample_from`: arrays of n rows.

        Raises:
            TypeError: for any, where a prior has nothing that they could control.
        """
        for name, value in controls.items():
            raise TypeError(
                f"`{name}` of `sample` is for priors that draw one position after the other, such as `PixelCNNPrior`. "
                f"Received: {name}={value!r} for a {type(self).__name__}."
            )
        return {}

    def rate(self, posterior, z, condition=None):
        """KL(q(z|x) || p(z)), nats, (batch,): in closed form where it is known, else the one-sample estimate at `z`.

        Of codes, a point mass, it is -log p(codes): their entropy is zero. A point mass has no finite rate under a
        density; models whose latents are such ask for none.
        """
        if isinstance(posterior, Deterministic):
            return -self.log_prob(posterior.mode, **_given(condition))
        if self.has_closed_rate(posterior, z, condition):
            return kl_divergence(posterior, self.distribution(z, **_given(condition)))
        return posterior.log_prob(z) - self.log_prob(z, **_given(condition))

    def has_closed_rate(self, posterior, z, condition=None):
        """Whether `rate` is in closed form, the same for every draw `z` of the posterior."""
        p = self.distribution(z, **_given(condition))
        return p is not None and has_closed_form(posterior, p)

    def elementwise_rate(self, posterior, z, condition=None):
        """The share of each dimension in `rate`, nats, (batch, values); where dimensions are independent in both.

        Where either is joint on the last axis, as a Dirichlet, it is the share of each vector: (batch, vectors).

        Raises:
            TypeError: where the prior, or the posterior, does not factorise over dimensions.
        """
        p = self.distribution(z, **_given(condition))
        if p is None:
            raise TypeError(f"`elementwise_rate` is not defined for {type(self).__name__}: it does not factorise.")
        if has_closed_form(posterior, p):
            return elementwise_kl_divergence(posterior, p)
        shares = [each.elementwise_log_prob(z) for each in (posterior, p)]
        if posterior.joint != p.joint:  # the one that is not joint has a share for each dimension of a vector
            parts = zip(shares, (posterior, p), strict=True)
            shares = [share if of.joint else by_vector(share, z.shape[-1]) for share, of in parts]
        return shares[0] - shares[1]


def _given(condition):
    """Arguments for what may know no condition, as a prior of a user's own."""
    return {} if condition is None else {"condition": condition}
