"""The importance-weighted autoencoder."""

import contextlib

from keras import ops, tree

from keras_vae.core.checks import one_of
from keras_vae.core.registration import registered
from keras_vae.models.variational import Variational
from keras_vae.ops.numerics import log_mean_exp
from keras_vae.training import held

ESTIMATORS = ("iwae", "stl", "dreg")


@registered
class IWAE(Variational):
    """VAE trained on the bound of k draws: loss = -log (1/k) sum_i w_i, w_i = p(x, z_i) / q(z_i|x), z_i ~ q(z|x).

    Burda et al. 2016, eq. 8, logged as `iwae_bound`: nats, higher is better, on average no less than the elbo, and
    log p(x) for k without end; for k = 1 it is the elbo, its rate estimated at the draw. `distortion`, `rate` and
    `elbo` are those of a VAE, means over the k draws. The encoder runs once for each example, the decoder k times.

    The gradient of the bound for the encoder gets lost in noise as k grows. With v_i = w_i / sum_j w_j, constants, and
    log w_i differentiated through z_i, and where it says so through the parameters of q in it:

    - "iwae": sum_i v_i grad log w_i, through both: the gradient of the bound itself.
    - "stl": sum_i v_i grad log w_i, through z_i alone: the score of q, whose mean is zero for k = 1, is left out
      (Roeder et al. 2017). Its variance vanishes with the true posterior; for k > 1 it is biased.
    - "dreg": sum_i v_i^2 grad log w_i, through z_i alone: unbiased for every k (Tucker et al. 2019). In training
      the decoder runs a second time, for v_i is known only after the first; one with dropout is another then.

    Decoder and prior get the same gradient from all three.

    Args:
        encoder: keras layer or model, x -> features; the head of the posterior is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        num_samples: int >= 1, k, in training and evaluation. Default: 5.
        estimator: "iwae", "stl" or "dreg", of the gradient. Default: "iwae".
        **kwargs: `bottleneck`, `likelihood`, a density, and `prior`, as of VAE; `condition`; and of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict as of VAE, of the first draw; and for more than one "draws": a dict with "z" and "params" of all of them,
        (batch, num_samples, ...).

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if an argument is out of range, the likelihood is no density, or as VAE.

    Reference:
        Burda, Grosse & Salakhutdinov 2016, arXiv:1509.00519. Roeder, Wu & Duvenaud 2017, arXiv:1703.09194. Tucker,
        Lawson, Gu & Maddison 2019, arXiv:1810.04152.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.IWAE(encoder, decoder, latent_dim=2, num_samples=5, estimator="dreg")
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'iwae_bound', 'loss', 'rate']
    """

    of_bound = True

    def __init__(self, encoder, decoder, latent_dim=None, num_samples=5, estimator="iwae", **kwargs):
        super().__init__(encoder, decoder, latent_dim, num_samples=num_samples, **kwargs)
        self.estimator = one_of("estimator", estimator, ESTIMATORS)
        if not self.likelihood.has_density:
            raise ValueError(
                "`likelihood` must be a density, for the weights of draws are densities. "
                f"Received: likelihood={type(self.likelihood).__name__}."
            )
        self.track("iwae_bound")
        _check_gradient(self.bottleneck, estimator, self.num_samples)

    def terms(self, x, y, outputs, training):
        rows = self.rows(outputs)  # (batch * num_samples, ...)
        each = self.terms_of_rows(x, y, rows, training)
        log_weights = self.log_weights(rows, each["distortion"])  # (batch, num_samples)
        if training and self.estimator == "dreg":
            shares = ops.stop_gradient(ops.softmax(log_weights, axis=1))
            rows = self.decoded_again(rows, self.repeated(x), ops.reshape(shares, (-1,)))
            log_weights = self.log_weights(rows, self.distortion(self.repeated(y), rows))
        if self.bottleneck.carries_gradient:
            bound = log_mean_exp(log_weights, axis=1)
        else:
            bound = self.bottleneck.estimator.bound(log_weights, self.by_draw(self.log_posterior(rows)))
        return {**self.mean_of_draws(each), "iwae_bound": bound, "loss": -bound}

    def log_weights(self, rows, distortion):
        """log p(x, z) - log q(z|x) of each draw, nats, (batch, num_samples)."""
        parameters, scope = rows, contextlib.nullcontext()
        if self.estimator != "iwae":  # q is a function of z alone: of its parameters nothing is learnt here
            parameters, scope = tree.map_structure(ops.stop_gradient, rows), held(self.bottleneck)
        with scope:
            log_posterior = self.log_prob_of_latents(self.bottleneck.posterior(parameters), rows)
        log_prior = self.log_prior_of_latents(rows)
        return self.by_draw(log_prior - log_posterior - distortion)

    def decoded_again(self, rows, x, shares):
        """`rows` decoded anew from the same z, whose gradient is multiplied by `shares`, (batch * num_samples,)."""

        def scaled(z):
            share = ops.reshape(shares, (-1, *(1,) * (len(z.shape) - 1)))
            return ops.stop_gradient(z) + share * (z - ops.stop_gradient(z))

        z = tree.map_structure(scaled, rows["z"])
        seen = self.net_inputs({name: rows[name] for name in self.extra_inputs})
        return {**rows, "z": z, "params": self.decode_params(z, target=x, training=True, **seen)}


def _check_gradient(bottleneck, estimator, num_samples):
    """Raises where z does not carry the gradient, but for an estimator that has one of the bound."""
    if bottleneck.carries_gradient or (bottleneck.estimator.has_bound and estimator == "iwae" and num_samples > 1):
        return
    raise ValueError(
        "`bottleneck` must draw z that carries the gradient, or by VIMCO, with estimator='iwae' and two draws or more. "
        f"Received: a {type(bottleneck).__name__} with estimator={type(bottleneck.estimator).__name__}, "
        f"estimator={estimator!r}, num_samples={num_samples}."
    )
