"""The VAE with discrete latents."""

from keras_vae.core.registration import registered
from keras_vae.models.variational import Variational
from keras_vae.priors import BernoulliPrior, CategoricalPrior

FACTORISED = {"binary": BernoulliPrior, "one-hot": CategoricalPrior}


@registered
class DiscreteVAE(Variational):
    """VAE with binary or categorical latents: loss = distortion + rate, its gradient by the bottleneck's estimator.

    Posterior and default prior are of independent variables, and the rate KL(q(z|x) || p(z)) exact (Jang et al. 2017,
    section 4). What z the decoder sees in training, and how the gradient gets back, is the estimator's: discrete draws
    for the score function, straight-through, ReinMax and MuProp, relaxed ones for Gumbel-softmax and the smoothing
    transformations, whose logged bound is that of a relaxed model. In evaluation z is discrete, and distortion, rate
    and elbo are the true ones; `log_likelihood` weighs discrete draws.

    Args:
        encoder: keras layer or model, x -> features; the logits are the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        bottleneck: Bottleneck of discrete latents, such as `BernoulliBottleneck(200, estimator=GumbelSoftmax())` or
            `CategoricalBottleneck(20, 10)`.
        prior: Prior over them, such as `BoltzmannMachine()` of binary ones. Default: None, the uniform one,
            `BernoulliPrior()` or `CategoricalPrior()`.
        **kwargs: `likelihood`, default BernoulliLikelihood(), and `num_samples`, as of VAE; `condition`; and of
            keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z" and "z_logits": (batch, latent_dim), or (batch, latent_dim, num_classes); "params": the decoder's
        output; "reconstruction": E[x|z], the shape of x.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if the bottleneck is of no discrete latents, or the prior not over such as it draws.

    Reference:
        Jang, Gu & Poole 2017, arXiv:1611.01144. Mnih & Gregor 2014, arXiv:1402.0030.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> bottleneck = keras_vae.CategoricalBottleneck(3, num_classes=5, estimator=keras_vae.GumbelSoftmax(0.5))
    >>> model = keras_vae.DiscreteVAE(encoder, decoder, bottleneck)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'rate']
    >>> model.encode(x).shape, model.log_likelihood(x, num_samples=10).shape
    ((8, 3, 5), (8,))
    """

    fixed = ("latent_dim",)

    def __init__(self, encoder, decoder, bottleneck, prior=None, **kwargs):
        values = getattr(bottleneck, "values", None)
        if prior is None and values in FACTORISED:
            prior = FACTORISED[values]()
        super().__init__(encoder, decoder, bottleneck=bottleneck, prior=prior, **kwargs)
        if values not in FACTORISED:
            raise ValueError(
                "`bottleneck` must be of discrete latents, as BernoulliBottleneck or CategoricalBottleneck. "
                f"Received: bottleneck={type(bottleneck).__name__}."
            )
