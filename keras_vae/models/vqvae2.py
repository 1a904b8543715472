"""The hierarchical vector-quantized autoencoder."""

from keras_vae.bottlenecks import HierarchicalQuantizer
from keras_vae.core.checks import instance
from keras_vae.core.registration import registered
from keras_vae.models.vqvae import VQVAE


@registered
class VQVAE2(VQVAE):
    """VQ-VAE-2: a VQ-VAE with codes of several levels, each conditioned on those above it.

    The loss is that of `VQVAE`, commitments summed over levels. Codes are a dict by level in `encode`, `decode` and
    what is served; metrics are logged by level, as `perplexity_top`. The learned prior of such codes is a
    `HierarchicalPrior`: `model.with_prior(prior).fit_prior(x)`. With it `sample(n, given={"top": codes})` keeps the
    codes of the top level and redraws those below, which shows what each level holds. Where the bottom level alone is
    learnt, and codes of the top one are all alike to the decoder, give the quantizer a `dropout` that ends in training.

    Args:
        encoder: keras layer or model, x -> features by level, such as `HierarchicalEncoder`.
        decoder: keras layer or model, the (batch, ..., features) of the quantizer -> raw parameters of the likelihood,
            such as a `VQDecoder` with the last level's halvings.
        bottleneck: HierarchicalQuantizer.
        commitment_weight: float >= 0, which holds the encoder to its codes. Default: 0.25.
        likelihood: Likelihood. Default: GaussianLikelihood(stddev=0.25), about that of images in [0, 1].
        prior: Prior over codes by level. Default: UniformCodes(codebook_size).
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        dict as of `VQVAE`; "indices": dict of codes (batch, ...) by level.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if `commitment_weight` is negative, or the shapes of the parts do not fit.

    Reference:
        Razavi, van den Oord & Vinyals 2019, arXiv:1906.00446.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder = keras_vae.HierarchicalEncoder({"top": 2, "bottom": 1}, 4, hidden=8, residual_hidden=4)
    >>> levels = {name: keras_vae.VectorQuantizerEMA(16, 4) for name in ("top", "bottom")}
    >>> quantizer = keras_vae.HierarchicalQuantizer(levels, hidden=8, residual_hidden=4)
    >>> decoder = keras_vae.VQDecoder((8, 8, 1), hidden=8, residual_hidden=4, levels=1)
    >>> model = keras_vae.VQVAE2(encoder, decoder, quantizer)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).random((8, 8, 8, 1), dtype="float32")
    >>> sorted(model.fit(x, verbose=0).history)[:4]
    ['codebook_usage_bottom', 'codebook_usage_top', 'commitment', 'distortion']
    >>> {name: codes.shape for name, codes in sorted(model.encode(x).items())}, model.bits_per_image
    ({'bottom': (8, 4, 4), 'top': (8, 2, 2)}, 80.0)
    """

    def __init__(self, encoder, decoder, bottleneck, commitment_weight=0.25, likelihood=None, prior=None, **kwargs):
        instance("bottleneck", bottleneck, HierarchicalQuantizer)
        super().__init__(encoder, decoder, bottleneck, commitment_weight, likelihood, prior, **kwargs)
