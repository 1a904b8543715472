"""The VAE with free bits."""

from keras import ops

from keras_vae.core.checks import non_negative, one_of
from keras_vae.core.registration import registered
from keras_vae.losses import free_bits
from keras_vae.models.variational import Variational
from keras_vae.ops import batch_mean


@registered
class FreeBitsVAE(Variational):
    """VAE whose latents say something for nothing: loss = distortion + sum_j max(free_bits, rate_j).

    rate_j is the share of latent j in the rate, its mean over the batch (Kingma et al. 2016, appendix C.8, for groups
    of latents) or its value for each example. A latent below `free_bits` has no gradient of its rate: that is what
    keeps the decoder from doing without it. `rate` and `elbo` stay those of the plain bound; what is paid instead of
    the rate is logged as `floored_rate`. It needs a prior and a posterior whose latents are independent.

    Args:
        encoder: keras layer or model, x -> features; the head of the posterior is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        free_bits: float >= 0, lambda, nats of each latent, in spite of the name; a weight of the model, which callbacks
            may schedule. Default: 0.25.
        average: "batch", for the mean of the batch, or "example", for each example by itself. Default: "batch".
        **kwargs: `bottleneck`, `likelihood`, `prior` and `num_samples`, as of VAE; `condition`; and of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict as of VAE.

    Raises:
        TypeError: if a part is of the wrong kind, or latents are not independent.
        ValueError: if an argument is out of range, or as VAE.

    Reference:
        Kingma, Salimans, Jozefowicz, Chen, Sutskever & Welling 2016, arXiv:1606.04934.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.FreeBitsVAE(encoder, decoder, latent_dim=2, free_bits=0.5)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'floored_rate', 'loss', 'rate']
    """

    def __init__(self, encoder, decoder, latent_dim=None, free_bits=0.25, average="batch", **kwargs):
        super().__init__(encoder, decoder, latent_dim, **kwargs)
        self.free_bits = self.coefficient("free_bits", free_bits, non_negative)
        self.average = one_of("average", average, ("batch", "example"))
        self.track("floored_rate")

    @property
    def loss_weights(self):
        return {"floored_rate": 1.0}

    def loss_terms(self, x, y, outputs, training):
        terms = super().loss_terms(x, y, outputs, training)
        rates = self.mean_of_draws(self.elementwise_rate(self.rows(outputs)))  # (batch, latents)
        if self.average == "batch":
            rates = batch_mean(rates, outputs.get("sample_weight"))
        paid = free_bits(rates, self.free_bits)
        return {**terms, "floored_rate": ops.broadcast_to(paid, ops.shape(terms["distortion"]))}
