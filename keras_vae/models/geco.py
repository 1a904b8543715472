"""The VAE under a constraint on its distortion."""

from keras import ops

from keras_vae.core.checks import finite, in_half_open_interval, positive
from keras_vae.core.registration import registered
from keras_vae.models.variational import Variational
from keras_vae.ops import batch_mean

LIMITS = (1e-6, 1e6)  # of the multiplier: a constraint that cannot be met, or always is, would send it off


@registered
class GECO(Variational):
    """VAE of least rate among those with distortion <= tolerance: loss = rate + multiplier * (distortion - tolerance).

    The multiplier of the constraint is learnt by dual ascent beside the nets (Rezende & Viola 2018, algorithm 1). After
    each step of training, with C the mean of distortion - tolerance over the batch of all replicas, from C_0 = that of
    the first step on:

        C_t = decay C_{t-1} + (1 - decay) C,    multiplier <- multiplier * exp(multiplier_rate * C_t).

    So the weight of reconstruction grows until the tolerance is met, and falls until it is only just met: it takes the
    place of the beta that would have had to be found by hand. While the nets are untrained C is large and winds the
    multiplier up: let `multiplier_rate` be small, or raise it when the distortion has come down. Multiplier and average
    are weights that no optimizer owns, saved with the model; evaluation leaves them. With sample weights C is the
    weighted mean.

    Args:
        encoder: keras layer or model, x -> features; the head of the posterior is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        tolerance: float, distortion that is good enough, in its own units: nats, or squared units of x for
            `likelihood=SquaredError()`, summed over the event; a weight of the model, which callbacks may schedule.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        decay: float in [0, 1), of the moving average. Default: 0.99.
        multiplier_rate: float > 0, the change of log(multiplier) in one step for each unit of distortion beyond the
            tolerance; a weight of the model too. Default: 1e-3.
        **kwargs: `bottleneck`, `likelihood`, `prior` and `num_samples`, as of VAE; `condition`; and of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict as of VAE.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if a number is out of range, or as VAE.

    Reference:
        Rezende & Viola 2018, Taming VAEs, arXiv:1810.00597.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.GECO(encoder, decoder, tolerance=5.0, latent_dim=2)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'multiplier', 'rate']
    >>> float(model.multiplier) > 1  # the distortion is still above the tolerance
    True
    """

    def __init__(self, encoder, decoder, tolerance, latent_dim=None, decay=0.99, multiplier_rate=1e-3, **kwargs):
        super().__init__(encoder, decoder, latent_dim, **kwargs)
        self.tolerance = self.coefficient("tolerance", tolerance, finite)
        self.decay = in_half_open_interval("decay", decay, 0.0, 1.0)
        self.multiplier_rate = self.coefficient("multiplier_rate", multiplier_rate, positive)
        self.multiplier = self._state("multiplier", "ones")
        self.excess = self._state("excess", "zeros")  # C_t
        self.track("multiplier")

    def _state(self, name, initializer):
        options = {"trainable": False, "autocast": False, "aggregation": "mean"}
        return self.add_weight(shape=(), initializer=initializer, name=name, **options)

    def terms(self, x, y, outputs, training):
        terms = self.loss_terms(x, y, outputs, training)
        multiplier = ops.copy(self.multiplier)  # torch would miss, in the backward pass, what `update_state` assigned
        loss = terms["rate"] + multiplier * (terms["distortion"] - self.tolerance)
        return {**terms, "multiplier": ops.broadcast_to(multiplier, ops.shape(loss)), "loss": loss}

    def update_state(self, outputs, terms):
        super().update_state(outputs, terms)
        now = ops.stop_gradient(terms["distortion"])
        now = batch_mean(now, outputs.get("sample_weight")) - self.tolerance
        first = ops.convert_to_tensor(self.step) <= 1
        excess = ops.where(first, now, self.decay * self.excess + (1.0 - self.decay) * now)
        multiplier = self.multiplier * ops.exp(self.multiplier_rate * excess)
        self.excess.assign(excess)
        self.multiplier.assign(ops.clip(multiplier, *LIMITS))
