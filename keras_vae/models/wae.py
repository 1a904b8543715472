"""The Wasserstein autoencoder."""

from keras import ops

from keras_vae.core.checks import non_negative, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.layers import ReplicaSeedGenerator
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.parts import not_codes, prior_discrepancy
from keras_vae.priors import StandardNormal


@registered
class WAE(Autoencoder):
    """Wasserstein autoencoder: loss = distortion + mmd_weight * MMD(q(z), p(z)), q(z) the latents of all examples.

    Where a VAE presses each posterior to the prior, here only their mixture is (Tolstikhin et al. 2018, eq. 4 and
    algorithm 2): examples keep apart, and draws of the prior are still decoded to something. MMD is the unbiased
    estimate of `keras_vae.losses.mmd` with sums of inverse multiquadratic kernels, between the latents of a batch and
    as many draws of the prior, so that batches should be of a hundred and more; several replicas have one each. It is a
    number of the batch, and may be negative. The encoder may be deterministic, as by default, or a GaussianBottleneck;
    of the latter `rate`, and `elbo` for a density, are logged too.

    Args:
        encoder: keras layer or model, x -> features; without a bottleneck they are the latents: linear at the end.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        mmd_weight: float >= 0, the lambda of the paper; a weight of the model, which callbacks may schedule. Default:
            10.0.
        bottleneck: Bottleneck, a continuous one. Default: IdentityBottleneck().
        likelihood: Likelihood. Default: SquaredError().
        prior: Prior. Default: StandardNormal().
        seed: int >= 0 or None, of the draws of the prior. Default: None (drawn from Keras's global seed).
        **kwargs: `condition`, and of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z": (batch, ...); "params": the decoder's output; "reconstruction": the shape of x; and what the
        bottleneck returns.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if a number is out of range, the bottleneck has codes, or the shapes of the parts do not fit.

    Reference:
        Tolstikhin, Bousquet, Gelly & Schoelkopf 2018, Wasserstein Auto-Encoders, arXiv:1711.01558.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder((2,), "linear"), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.WAE(encoder, decoder, mmd_weight=5.0)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).random((8, 4, 4, 1), dtype="float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'loss', 'mmd']
    >>> model.sample(3, seed=0).shape
    (3, 4, 4, 1)
    """

    def __init__(
        self, encoder, decoder, mmd_weight=10.0, bottleneck=None, likelihood=None, prior=None, seed=None, **kwargs
    ):
        prior = StandardNormal() if prior is None else prior
        super().__init__(encoder, decoder, bottleneck=bottleneck, likelihood=likelihood, prior=prior, **kwargs)
        not_codes(self.bottleneck, self)
        self.mmd_weight = self.coefficient("mmd_weight", mmd_weight, non_negative)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.track("mmd")

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        discrepancy = prior_discrepancy(self, outputs, self.seed_generator)
        terms["mmd"] = ops.broadcast_to(discrepancy, ops.shape(terms["distortion"]))
        return self.total(terms, mmd=self.mmd_weight)
