"""The InfoVAE."""

from keras import ops

from keras_vae.core.checks import finite, non_negative, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.layers import ReplicaSeedGenerator
from keras_vae.models.parts import prior_discrepancy
from keras_vae.models.variational import Variational


@registered
class InfoVAE(Variational):
    """VAE that prefers informative latents: loss = distortion + (1 - alpha) rate + (alpha + mmd_weight - 1) MMD.

    After Zhao, Song & Ermon 2017, whose lambda is `mmd_weight`: alpha > 0 takes pressure off each posterior, and MMD,
    between the latents of a batch and draws of the prior, keeps their mixture at the prior. alpha = 0, mmd_weight = 1
    is the VAE, alpha = 1 the WAE with a Gaussian encoder, or MMD-VAE. MMD is the unbiased estimate of
    `keras_vae.losses.mmd`, a number of the batch, and may be negative; batches should be of a hundred and more. `rate`
    and `elbo` stay those of the plain bound.

    Args:
        encoder: keras layer or model, x -> features; the head of the posterior is the bottleneck's.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        alpha: float <= 1; a weight of the model, which callbacks may schedule. Default: 0.0.
        mmd_weight: float >= 0, the lambda of the paper, 1 - alpha at least; a weight of the model too. Default: 1000.0.
        seed: int >= 0 or None, of the draws of the prior. Default: None (drawn from Keras's global seed).
        **kwargs: `bottleneck`, `likelihood`, `prior` and `num_samples`, as of VAE; `condition`; and of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict as of VAE.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if a number is out of range, the weight of MMD would be negative, or as VAE.

    Reference:
        Zhao, Song & Ermon 2017, InfoVAE, arXiv:1706.02262.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.InfoVAE(encoder, decoder, latent_dim=2, alpha=0.5, mmd_weight=20.0)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'mmd', 'rate']
    """

    through_z = True

    def __init__(self, encoder, decoder, latent_dim=None, alpha=0.0, mmd_weight=1000.0, seed=None, **kwargs):
        super().__init__(encoder, decoder, latent_dim, **kwargs)
        self.alpha = self.coefficient("alpha", alpha, _at_most_one)
        self.mmd_weight = self.coefficient("mmd_weight", mmd_weight, non_negative)
        if alpha + mmd_weight < 1.0:
            raise ValueError(
                f"`mmd_weight` must be at least 1 - alpha, {1.0 - alpha:g}, or MMD would be made large. "
                f"Received: mmd_weight={mmd_weight}."
            )
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.track("mmd")

    @property
    def loss_weights(self):
        return {"rate": 1.0 - self.alpha, "mmd": self.alpha + self.mmd_weight - 1.0}

    def loss_terms(self, x, y, outputs, training):
        terms = super().loss_terms(x, y, outputs, training)
        discrepancy = prior_discrepancy(self, outputs, self.seed_generator)
        return {**terms, "mmd": ops.broadcast_to(discrepancy, ops.shape(terms["distortion"]))}


def _at_most_one(name, value):
    number = finite(name, value)
    if number > 1.0:
        raise ValueError(f"`{name}` must be a finite number <= 1. Received: {name}={value!r}.")
    return number
