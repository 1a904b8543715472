"""The denoising autoencoder."""

import keras
from keras import ops

from keras_vae.core.checks import instance, non_negative
from keras_vae.core.registration import registered
from keras_vae.layers import Corruption, MaskingNoise
from keras_vae.layers.corruption import build_corruption
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.parts import call_part, not_codes
from keras_vae.ops.numerics import flat


@registered
class DenoisingAutoencoder(Autoencoder):
    """Reconstructs x from a corrupted x~: loss = -log p(x | decoder(encoder(x~))), the target being the clean x.

    Vincent et al. 2008. The corruption is active while training only: evaluation, `encode` and `reconstruct` see
    the clean x. With `emphasis` = (alpha, beta) the entries that were destroyed weigh alpha and the others beta
    (Vincent et al. 2010; "full emphasis" is (1, 0)); `distortion` stays unweighted in the logs, and so does `val_loss`,
    the error on clean data, which is not to be compared with such a `loss`.

    The paper's single layer is `MLPEncoder((1000,), "sigmoid")` with tied weights, `decoder=None`, and a
    BernoulliLikelihood (cross-entropy).

    Args:
        encoder: keras layer or model, x -> features, which are the latent.
        decoder: keras layer or model, z -> raw parameters of the likelihood; None for tied weights. Default: None.
        corruption: Corruption, such as `MaskingNoise` or `AdditiveGaussianNoise`, or any other Keras layer x -> x~,
            called with training=True; of those, entries that changed count as destroyed. Default: MaskingNoise(0.25).
        emphasis: pair of floats >= 0, weights of destroyed and of untouched entries, or None for (1, 1). Default: None.
        likelihood: Likelihood. Default: SquaredError().
        **kwargs: of keras.Model, and `bottleneck`, a continuous one.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict with "z": the features; "params": the decoder's output; "reconstruction": the shape of x; and, while
        training with emphasis, "destroyed": bool, the shape of x.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if `emphasis` is not a pair of numbers >= 0, or the shapes of the parts do not fit.

    Reference:
        Vincent, Larochelle, Bengio & Manzagol 2008, ICML; Vincent et al. 2010, JMLR 11:3371.

    Example:

    >>> import numpy as np, keras_vae
    >>> model = keras_vae.DenoisingAutoencoder(keras_vae.MLPEncoder((8,), "sigmoid"), emphasis=(1.0, 0.5))
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).random((8, 4, 4, 1), dtype="float32")
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'loss']
    """

    def __init__(self, encoder, decoder=None, corruption=None, emphasis=None, likelihood=None, **kwargs):
        super().__init__(encoder, decoder, likelihood=likelihood, **kwargs)
        not_codes(self.bottleneck, self)
        corruption = MaskingNoise() if corruption is None else corruption
        self.corruption = instance("corruption", corruption, keras.layers.Layer)
        self.emphasis = emphasis if emphasis is None else _pair(emphasis)

    def build(self, input_shape):
        build_corruption(self.corruption, input_shape)
        super().build(input_shape)

    def features(self, x, training, **seen):
        if not training:
            return super().features(x, training, **seen)
        if isinstance(self.corruption, Corruption):
            corrupted, destroyed = self.corruption.corrupt(x)
        else:
            corrupted = self.corruption(x, training=True)
            destroyed = ops.not_equal(corrupted, x)
        h = call_part(self.encoder, corrupted, training=True, **seen)
        return h, {} if self.emphasis is None else {"destroyed": destroyed}

    def terms(self, x, y, outputs, training):
        terms = super().terms(x, y, outputs, training)
        if "destroyed" not in outputs:
            return self.total(terms)
        destroyed = outputs["destroyed"]
        if self.likelihood.joint_channels:
            destroyed = ops.any(destroyed, axis=-1)
        weights = ops.where(flat(destroyed), *self.emphasis)
        errors = -self.likelihood.elementwise_log_prob(outputs["params"], y)  # (batch, values)
        return {**terms, "loss": ops.sum(weights * errors, axis=-1)}


def _pair(emphasis):
    values = tuple(emphasis) if isinstance(emphasis, (tuple, list)) else ()
    if len(values) != 2:
        raise ValueError(
            f"`emphasis` must be a pair of numbers >= 0, for destroyed and untouched entries. Received: {emphasis!r}."
        )
    values = tuple(non_negative(f"emphasis[{i}]", value) for i, value in enumerate(values))
    if not any(values):
        raise ValueError("`emphasis` must have a number > 0, or nothing would be learnt. Received: (0, 0).")
    return values
