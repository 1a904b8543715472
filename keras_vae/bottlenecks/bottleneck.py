"""The abstract bottleneck: features -> latent, and the posterior it came from."""

import keras

from keras_vae.core.registration import Configured


class Bottleneck(Configured, keras.layers.Layer):
    """Features h -> a dict with the latent "z" and whatever `posterior` needs; pure, for every backend to compile."""

    is_discrete = False  # whether the latents are integer codes
    noise = None  # what a draw of its posterior takes: "normal", "uniform", or None for a point mass

    def parameters(self, h):
        """What `posterior` needs, without a draw: encoding touches no random state. Default: what `call` returns."""
        return self(h, training=False)

    def update(self, outputs):
        """State that a training step changes, from what `call` returned; models call it after the loss."""

    def posterior(self, outputs):
        """q(z|x) as a distribution, from the dict that `call` or `parameters` returned."""
        raise TypeError(f"{type(self).__name__} must define `posterior(outputs)`.")

    def lookup(self, latents):
        """Latents as a user holds them -> what the decoder takes: codes are looked up, all else passes."""
        return latents

    def check_latents(self, latents, name="z"):
        """Raises if the array `latents` is not what `decode` takes; returns it."""
        return latents
