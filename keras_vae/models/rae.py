"""The regularised autoencoder."""

from keras import ops

from keras_vae import _backend
from keras_vae.core.checks import integer, non_negative, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.layers import ReplicaSeedGenerator
from keras_vae.losses import hutchinson_squared_jacobian
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.parts import not_codes, seen_by
from keras_vae.ops.numerics import float32, sum_event
from keras_vae.training import pure


@registered
class RAE(Autoencoder):
    """Regularised autoencoder: loss = distortion + embedding_weight * 1/2 ||z||^2 + a smooth decoder's penalty.

    A VAE without its noise (Ghosh et al. 2020, section 3): latents are held near zero, and what the noise did for the
    decoder is done by a regulariser. With `l2_weight` it is ||theta||^2, the squares of all weights of the decoder
    (RAE-L2); with `gradient_weight` ||J||_F^2, J = d decoder(z) / dz (RAE-GP), estimated from `probes` random
    directions, which is unbiased; both may be on. For their third, RAE-SN, wrap the layers of the decoder in
    `keras.layers.SpectralNormalization`, and leave the two at zero and None. It has no density over z until one is
    fitted: `with_prior` puts it on, and `sample` draws from it.

    Args:
        encoder: keras layer or model, x -> features; without a bottleneck they are the latents: linear at the end.
        decoder: keras layer or model, z -> raw parameters of the likelihood, linear at the end; batch statistics and
            dropout are off where it is differentiated.
        embedding_weight: float >= 0, the beta of the paper; a weight of the model, which callbacks may schedule.
            Default: 1e-2.
        l2_weight: float >= 0, of ||theta||^2; a weight of the model too. Default: 1e-6.
        gradient_weight: float >= 0, of ||J||_F^2; a weight of the model too, or None, which computes and logs none.
            Default: None.
        probes: int >= 1, random directions per example. Default: 1.
        seed: int >= 0 or None, of the directions. Default: None (drawn from Keras's global seed).
        **kwargs: `bottleneck`, a continuous one, default IdentityBottleneck(); `likelihood`, default SquaredError();
            `prior`, of a second stage; `condition`; and of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z": the features; "params": the decoder's output; "reconstruction": the shape of x.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if a number is out of range, the bottleneck has codes, or the shapes of the parts do not fit.

    Reference:
        Ghosh, Sajjadi, Vergari, Black & Schoelkopf 2020, From Variational to Deterministic Autoencoders,
        arXiv:1903.12436.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder((2,), "linear"), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.RAE(encoder, decoder, gradient_weight=1e-3)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).random((8, 4, 4, 1), dtype="float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'embedding', 'gradient', 'l2', 'loss']
    """

    def __init__(
        self,
        encoder,
        decoder,
        embedding_weight=1e-2,
        l2_weight=1e-6,
        gradient_weight=None,
        probes=1,
        seed=None,
        **kwargs,
    ):
        super().__init__(encoder, decoder, **kwargs)
        not_codes(self.bottleneck, self)
        self.embedding_weight = self.coefficient("embedding_weight", embedding_weight, non_negative)
        self.l2_weight = self.coefficient("l2_weight", l2_weight, non_negative)
        self.gradient_weight = None
        self.probes = integer("probes", probes)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.track("embedding", "l2")
        if gradient_weight is not None:
            self.gradient_weight = self.coefficient("gradient_weight", gradient_weight, non_negative)
            self.track("gradient")
            self.supports_jit = _backend.JVP_COMPILES

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        z, shape = float32(outputs["z"]), ops.shape(terms["distortion"])
        terms["embedding"] = 0.5 * sum_event(ops.square(z))
        squares = sum(ops.sum(ops.square(ops.convert_to_tensor(v))) for v in self.decoder.trainable_variables)
        terms["l2"] = ops.broadcast_to(squares, shape)
        weights = {"embedding": self.embedding_weight, "l2": self.l2_weight}
        if self.gradient_weight is not None:
            terms["gradient"] = self.gradient(x, z, outputs)
            weights["gradient"] = self.gradient_weight
        return self.total(terms, **weights)

    def gradient(self, x, z, outputs):
        """||J||_F^2 of the decoder at z, (batch,), estimated."""
        seen = {"target": x, **self.net_inputs({name: outputs[name] for name in self.extra_inputs})}
        seen = seen_by(self.decoder, seen)
        return hutchinson_squared_jacobian(pure(self.decoder), z, self.probes, self.seed_generator, **seen)
