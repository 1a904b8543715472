"""The beta-VAE."""

from keras_vae.core.checks import non_negative
from keras_vae.core.registration import registered
from keras_vae.models.variational import Variational


@registered
class BetaVAE(Variational):
    """VAE with a weighted rate: loss = distortion + beta * rate (Higgins et al. 2017, eq. 4).

    beta > 1 presses the latents towards independent factors at the cost of reconstruction. Distortion and rate are
    summed over the event, so that beta means the same for every image size. `elbo` stays the plain bound, -(distortion
    + rate). `beta` is a scalar weight of the model: `keras_vae.callbacks.CoefficientSchedule` or
    `model.beta.assign(...)` change it in a compiled `fit`.

    Args:
        encoder: keras layer or model, x -> features; the Gaussian head is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        beta: float >= 0, weight of the rate. Default: 4.0.
        **kwargs: `bottleneck` with a posterior, default GaussianBottleneck(latent_dim); `likelihood`, default
            BernoulliLikelihood(); `prior`, default StandardNormal(); `num_samples`, default 1; `condition`; and of
            keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z", "z_mean", "z_log_var": (batch, ..., latent_dim); "params": the decoder's output;
        "reconstruction": E[x|z], the shape of x.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if `beta` is negative, neither or contradicting `latent_dim` and `bottleneck` are given, or the
            decoder's output does not fit the data.

    Reference:
        Higgins et al. 2017, beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework, ICLR.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.BetaVAE(encoder, decoder, latent_dim=2, beta=4.0)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'rate']
    """

    def __init__(self, encoder, decoder, latent_dim=None, beta=4.0, **kwargs):
        super().__init__(encoder, decoder, latent_dim, **kwargs)
        self.beta = self.coefficient("beta", beta, non_negative)

    @property
    def loss_weights(self):
        return {"rate": self.beta}
