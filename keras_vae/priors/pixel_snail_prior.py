"""The PixelSNAIL prior."""

from keras_vae.core.checks import instance
from keras_vae.core.registration import registered
from keras_vae.nets import PixelSNAIL
from keras_vae.priors.raster_prior import RasterPrior


@registered
class PixelSNAILPrior(RasterPrior):
    """p(x) = prod_ij p(x_ij | every position before (i, j)) by a PixelSNAIL: over codes, or over pixels.

    As `PixelCNNPrior`, with attention to every position before, at more time for each: it is better where far positions
    matter, such as on codes of large images.

    Args:
        likelihood: Likelihood of one position: `CategoricalLikelihood(K)` for codes or 8-bit values,
            `BernoulliLikelihood()` for binary pixels, `DiscretizedLogisticMixtureLikelihood()` for 8-bit ones, as
            k / 255.
        net: PixelSNAIL. Default: PixelSNAIL(), of 64 channels and two attentions.
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
        Chen, Mishra, Rohaninejad & Abbeel 2018, arXiv:1712.09763.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.PixelSNAILPrior(keras_vae.CategoricalLikelihood(3), keras_vae.PixelSNAIL(8, 1, 1))
    >>> prior.compile("adam")
    >>> codes = np.arange(32).reshape(2, 4, 4) % 3
    >>> sorted(prior.fit(codes, verbose=0).history)
    ['bits_per_dim', 'loss', 'rate']
    >>> prior.sample(2, seed=0).shape
    (2, 4, 4)
    """

    def __init__(self, likelihood, net=None, condition=None, **kwargs):
        net = PixelSNAIL() if net is None else instance("net", net, PixelSNAIL)
        super().__init__(likelihood, net, condition=condition, **kwargs)
