"""The abstract bottleneck: features -> latent, and the posterior it came from."""

import keras

from keras_vae.core.registration import Configured
from keras_vae.ops.noise import noise_of


class Bottleneck(Configured, keras.layers.Layer):
    """Features h -> a dict with the latent "z" and whatever `posterior` needs; pure, for every backend to compile."""

    has_codes = False  # whether the latents are integer codes, which are looked up for the decoder
    values = None  # what discrete z is made of, "binary" or "one-hot"; None: continuous z, or codes
    follows_time = True  # whether the first of several axes of z is that of a sequence, where it is as long
    support = None  # (low, high) that all draws of its posterior lie in; None where nobody says
    noise = None  # what a draw of its posterior takes, in the shape of z: "normal", "uniform", or None for a point mass

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.estimator = None  # here, for a class attribute would hide a layer on torch
        self.supports_masking = True  # what Keras hangs on the features of sequences passes by

    @property
    def is_random(self):
        """Whether its posterior draws; if not it is a point mass."""
        return self.noise is not None or type(self).noise_spec is not Bottleneck.noise_spec

    @property
    def is_discrete(self):
        """Whether the latents have a distribution over discrete values: codes, or binary and categorical variables."""
        return self.has_codes

    def noise_spec(self, shape):
        """What a draw of the posterior takes for latents of `shape`: a `Noise` of `ops`, a nest of them, or None."""
        return noise_of(self.noise, shape)

    def parameters(self, h):
        """What `posterior` needs, without a draw: encoding touches no random state. Default: what `call` returns."""
        return self(h, training=False)

    def update(self, outputs):
        """State that a training step changes, from what `call` returned; models call it after the loss."""

    @property
    def carries_gradient(self):
        """Whether z carries the gradient of whatever is computed of it."""
        return self.estimator is None or self.estimator.carried

    def posterior(self, outputs):
        """q(z|x) as a distribution, from the dict that `call` or `parameters` returned."""
        raise TypeError(f"{type(self).__name__} must define `posterior(outputs)`.")

    def draws(self, outputs, n, training=False):
        """n draws of the posterior of each example, those of one in a row: a dict with "z", (batch * n, ...).

        It holds whatever else `call` returned that belongs to the draw. A bottleneck that draws has its seeds as
        `seed_generator`.
        """
        return {"z": self.drawn(self.posterior(outputs).repeat(n), training)}

    def beside(self, h, training):
        """{"beside": what the estimator has for each example}, while training and where it has any."""
        found = self.estimator.beside(h) if training and self.estimator is not None else {}
        return {"beside": found} if found else {}

    def drawn(self, posterior, training=False):
        """A draw of `posterior`, in training through the estimator where there is one."""
        if self.estimator is None or not training:
            return posterior.sample(self.seed_generator)
        return self.estimator.draw(posterior, self.seed_generator)

    def lookup(self, latents):
        """Latents as a user holds them (a tensor, a dict by level) -> what the decoder takes: codes are looked up."""
        return latents

    def check_latents(self, latents, name="z"):
        """Raises if the array `latents` is not what `decode` takes; returns it."""
        return latents
