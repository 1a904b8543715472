"""The conditional VAE."""

from keras_vae.core.checks import instance
from keras_vae.core.registration import registered
from keras_vae.layers import Condition
from keras_vae.models.parts import takes
from keras_vae.models.variational import Variational


@registered
class ConditionalVAE(Variational):
    """VAE of x given a condition c: loss = E_q(z|x,c)[-log p(x|z,c)] + KL(q(z|x,c) || p(z|c)).

    The conditional bound of Sohn, Lee & Yan 2015, eq. 4, and of M2's labelled half (Kingma et al. 2014, eq. 6, where
    p(z|c) = p(z)). Encoder, decoder and prior each see the condition or do not: a net that has `condition` among the
    arguments of its `call` does, and `Conditioned(net)` makes any net such a one; `ConditionalNormal` is a prior that
    does. What the decoder is told, z need not say: it is left with the style.

    Args:
        encoder: keras layer or model, x (and condition) -> features; the Gaussian head is the bottleneck's.
        decoder: keras layer or model, z (and condition) -> raw parameters of the likelihood, linear at the end.
        condition: Condition: `ClassCondition(num_classes)` or `VectorCondition(size)`.
        latent_dim: int >= 1, latents of a Gaussian bottleneck; may be left out if `bottleneck` is given. Default: None.
        **kwargs: `bottleneck`, `likelihood`, `prior` and `num_samples`, as of VAE, and of keras.Model.

    Input shape:
        dict with "x": (batch, ...), as the encoder takes; "condition": (batch,) labels, or (batch, size).

    Output shape:
        dict as of VAE, with "condition" as given.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if neither encoder nor decoder nor prior sees the condition, or as VAE.

    Reference:
        Sohn, Lee & Yan 2015, NeurIPS. Kingma, Rezende, Mohamed & Welling 2014, arXiv:1406.5298.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder = keras_vae.Conditioned(keras_vae.MLPEncoder((8,)), flatten=True)
    >>> decoder = keras_vae.Conditioned(keras_vae.MLPDecoder((4, 4, 1), (8,)))
    >>> model = keras_vae.ConditionalVAE(encoder, decoder, keras_vae.ClassCondition(3), latent_dim=2)
    >>> model.compile("adam")
    >>> rng = np.random.default_rng(0)
    >>> x, labels = rng.integers(0, 2, (8, 4, 4, 1)).astype("float32"), rng.integers(0, 3, 8)
    >>> sorted(model.fit({"x": x, "condition": labels}, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'rate']
    >>> model.sample(6, seed=0, condition=2).shape, model.encode(x, condition=labels).shape
    ((6, 4, 4, 1), (8, 2))
    """

    def __init__(self, encoder, decoder, condition, latent_dim=None, **kwargs):
        super().__init__(encoder, decoder, latent_dim, condition=instance("condition", condition, Condition), **kwargs)
        parts = (self.encoder.call, self.decoder.call, self.prior.build)
        if not any(takes(part, name) for part in parts for name in ("condition", "condition_shape")):
            raise ValueError(
                "`encoder`, `decoder` or `prior` must see the condition: wrap a net in `Conditioned`. "
                f"Received: {type(encoder).__name__}, {type(decoder).__name__}, {type(self.prior).__name__}."
            )
