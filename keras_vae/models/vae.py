"""The variational autoencoder."""

from keras_vae.core.registration import registered
from keras_vae.models.variational import Variational


@registered
class VAE(Variational):
    """Variational autoencoder: loss = distortion + rate = E_q[-log p(x|z)] + KL(q(z|x) || p(z)).

    The negative bound of Kingma & Welling 2014, eq. 3. Both terms are in nats, summed over the event; the bound is
    estimated with `num_samples` draws of z, in training and evaluation alike. `log_likelihood` gives the
    importance-weighted figure that papers report.

    Args:
        encoder: keras layer or model, x -> features; the Gaussian head is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        bottleneck: Bottleneck with a posterior. Default: GaussianBottleneck(latent_dim).
        likelihood: Likelihood. Default: BernoulliLikelihood().
        prior: Prior. Default: StandardNormal().
        num_samples: int >= 1, draws of z per example, whose terms are averaged. Default: 1.
        **kwargs: `condition`, and of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z", "z_mean", "z_log_var": (batch, ..., latent_dim); "params": the decoder's output;
        "reconstruction": E[x|z], the shape of x.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if neither or contradicting `latent_dim` and `bottleneck` are given, or the decoder's output does
            not fit the data.

    Reference:
        Kingma & Welling 2014, arXiv:1312.6114. Rezende, Mohamed & Wierstra 2014, arXiv:1401.4082.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.VAE(encoder, decoder, latent_dim=2)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'rate']
    >>> model.sample(3, seed=0).shape, model.log_likelihood(x, num_samples=10).shape
    ((3, 4, 4, 1), (8,))
    """
