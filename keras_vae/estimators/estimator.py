"""The abstract estimator of a gradient through draws."""

import keras

from keras_vae.core.registration import Configured


class Estimator(Configured, keras.layers.Layer):
    """How the gradient of E_q[f(z)] gets to the parameters of q: a part that a bottleneck is given.

    A bottleneck draws through it, and asks it in training what goes `beside` the draw in its outputs. A model hands it
    each quantity that is an expectation over the draw, which it returns with the gradient that z itself does not carry.
    """

    carried = True  # whether z carries the gradient: models that look at z itself can then do without `through`

    def draw(self, posterior, seed):
        """A draw of `posterior`, as the decoder is to see it.

        Args:
            posterior: Distribution.
            seed: keras.random.SeedGenerator.
        """
        raise TypeError(f"{type(self).__name__} must define `draw(posterior, seed)`.")

    def beside(self, features):
        """Outputs of a bottleneck in training beside z, per example, which `through` and `update` get back.

        Args:
            features: what the encoder returned, (batch, ...).
        """
        return {}

    def through(self, name, value, outputs, log_prob):
        """`value` with all of its gradient. Default: as it is, where z carries it.

        Args:
            name: "distortion" or "rate", or another.
            value: float tensor (batch, ...), a function of the draw.
            outputs: dict of what `beside` returned.
            log_prob: function without arguments that gives log q(z|x) of the draw, nats, (batch,).
        """
        return value

    def update(self, terms, outputs, weights=None):
        """State that a training step changes.

        Args:
            terms: dict with "distortion" and "rate", (batch,), nats.
            outputs: dict of what `beside` returned.
            weights: float tensor (batch,), how much each example counts, or None. Default: None.
        """
