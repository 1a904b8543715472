"""The abstract estimator of a gradient through draws."""

import dataclasses

import keras

from keras_vae.core.registration import Configured


@dataclasses.dataclass(frozen=True)
class Draw:
    """One draw of each example, and what can be asked of it.

    Args:
        z: float tensor (batch, ...).
        posterior: Distribution that it was drawn from.
        beside: dict, what `Estimator.beside` returned, or empty where nothing is trained.
        log_prob: function without arguments: log q(z|x), nats, (batch,).
        at: function of latents shaped as z: the value that they have in place of z, (batch,), the model's weights held;
            or None.
    """

    z: object
    posterior: object
    beside: dict
    log_prob: callable
    at: callable = None


class Estimator(Configured, keras.layers.Layer):
    """How the gradient of E_q[f(z)] gets to the parameters of q: a part that a bottleneck is given.

    A bottleneck draws through it, and asks it in training what goes `beside` the draw in its outputs. A model hands it
    each quantity that is an expectation over the draw, which it returns with the gradient that z itself does not carry.
    """

    carried = True  # whether z carries the gradient: models that look at z itself can then do without `through`
    takes_jvp = False  # whether it differentiates forwards, which XLA on TensorFlow compiles anew at every step
    values = ("binary", "one-hot", None)  # the latents it can draw, as a bottleneck says them; None: continuous ones
    has_bound = False  # whether it has a gradient of the bound of several draws, see `bound`

    def require(self, values):
        """Raises where it cannot draw latents such as `values` says; returns itself."""
        if values not in self.values:
            accepted = " or ".join(each or "continuous" for each in self.values)
            raise ValueError(
                f"`estimator` must be for {values or 'continuous'} latents. Received: a {type(self).__name__}, for "
                f"{accepted} ones."
            )
        return self

    def steepened(self, logits):
        """The logits of a posterior where the head gave these, in training and evaluation. Default: as they are."""
        return logits

    def draw(self, posterior, seed):
        """A draw of `posterior` in training, as the decoder is to see it; in evaluation nobody asks.

        Args:
            posterior: Distribution.
            seed: keras.random.SeedGenerator.
        """
        raise TypeError(f"{type(self).__name__} must define `draw(posterior, seed)`.")

    def beside(self, features):
        """Outputs of a bottleneck in training beside z, a dict of tensors per example, which `Draw` holds.

        Args:
            features: what the encoder returned, (batch, ...).
        """
        return {}

    def through(self, name, value, draw):
        """`value` with all of its gradient. Default: as it is, where z carries it.

        Args:
            name: "distortion" or "rate", or another.
            value: float tensor (batch, ...), a function of the draw.
            draw: `Draw`.
        """
        return value

    def bound(self, log_weights, log_probs):
        """The bound of several draws with all of its gradient, (batch,), where `has_bound`.

        Args:
            log_weights: float tensor (batch, k), log p(x, z_i) - log q(z_i|x), nats.
            log_probs: float tensor (batch, k), log q(z_i|x), nats.
        """
        raise TypeError(f"`bound` is not defined for {type(self).__name__}.")

    def side_loss(self, terms, beside):
        """What weights of its own learn from, (batch,), or None where it has none: see `TermsModel.side_loss`.

        Args:
            terms: dict with "distortion" and "rate", (batch,), nats.
            beside: dict, what `beside` returned.
        """
        return None

    def update(self, terms, beside, weights=None):
        """State that a training step changes.

        Args:
            terms: dict with "distortion" and "rate", (batch,), nats.
            beside: dict, what `beside` returned, or empty where it returned nothing.
            weights: float tensor (batch,), how much each example counts, or None. Default: None.
        """
