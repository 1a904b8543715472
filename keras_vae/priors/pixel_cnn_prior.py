"""The PixelCNN prior."""

from keras_vae.core.checks import instance
from keras_vae.core.registration import registered
from keras_vae.nets import PixelCNN, PlainPixelCNN
from keras_vae.priors.raster_prior import RasterPrior


@registered
class PixelCNNPrior(RasterPrior):
    """p(x) = prod_ij p(x_ij | every position before (i, j)) by a gated PixelCNN: over codes, or over pixels.

    A prior for a VQ-VAE, `vqvae.with_prior(PixelCNNPrior(CategoricalLikelihood(K)))`, or a density of images by itself:
    it has `fit`, `evaluate` in nats and bits per dimension, `log_prob`, and an exact, cached `sample`.

    Args:
        likelihood: Likelihood of one position: `CategoricalLikelihood(K)` for codes or 8-bit values,
            `BernoulliLikelihood()` for binary pixels, `DiscretizedLogisticMixtureLikelihood()` for 8-bit ones, as
            k / 255.
        net: PixelCNN. Default: PixelCNN(), of 64 channels and 8 blocks.
        condition: Condition, whose features are a vector or a map, or None. Default: None.
        **kwargs: of keras.Model.

    Input shape:
        (batch, height, width) codes in [0, K), or (batch, height, width, channels) pixels; or a dict of them, "x", with
        "condition".

    Output shape:
        dict with "log_prob": (batch,), nats.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if net and likelihood do not fit the data.

    Reference:
        van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves & Kavukcuoglu 2016, arXiv:1606.05328.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.PixelCNNPrior(keras_vae.CategoricalLikelihood(3), keras_vae.PixelCNN(filters=8, depth=1))
    >>> prior.compile("adam")
    >>> codes = np.arange(32).reshape(2, 4, 4) % 3
    >>> sorted(prior.fit(codes, verbose=0).history)
    ['bits_per_dim', 'loss', 'rate']
    >>> prior.sample(2, seed=0).shape
    (2, 4, 4)
    """

    def __init__(self, likelihood, net=None, condition=None, **kwargs):
        net = PixelCNN() if net is None else instance("net", net, (PixelCNN, PlainPixelCNN))
        super().__init__(likelihood, net, condition=condition, **kwargs)
