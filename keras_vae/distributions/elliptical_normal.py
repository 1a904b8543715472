"""The normal distribution with correlated dimensions."""

from keras import ops

from keras_vae.distributions.elliptical import Elliptical
from keras_vae.distributions.families import family
from keras_vae.ops.special import HALF_LOG_2_PI


@family
class EllipticalNormal(Elliptical):
    """Normal vectors N(loc, S S^T) on the last axis, with a full scale or one of low rank.

    As a posterior it takes d + d (d + 1) / 2 numbers for d latents, or d (rank + 2) with options={"rank": rank}.

    Args:
        loc: float tensor of shape (batch, ..., d), mean and mode.
        scale_tril: float tensor (batch, ..., d, d), S, lower triangular with a positive diagonal, or None. Default:
            None.
        diagonal: float tensor > 0 (batch, ..., d), or None. Default: None.
        factor: float tensor (batch, ..., d, rank), or None: S S^T = diagonal^2 + factor factor^T. Default: None.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import EllipticalNormal
    >>> q = EllipticalNormal(np.zeros((1, 2), "float32"), np.eye(2, dtype="float32")[None])
    >>> round(float(q.log_prob(np.zeros((1, 2), "float32"))[0]), 4)  # -log(2 pi)
    -1.8379
    """

    spread = 1.0

    def __init__(self, loc, scale_tril=None, diagonal=None, factor=None):
        super().__init__(loc, scale_tril, diagonal, factor)

    def noise_spec(self, shape):
        return self.scale.noise_spec(shape)

    def sample_from(self, noise):
        return self.loc + self.scale.times(noise)

    def log_radial(self, square):
        return -0.5 * square - self.loc.shape[-1] * HALF_LOG_2_PI

    def radial_entropy(self):
        return self.loc.shape[-1] * (0.5 + HALF_LOG_2_PI) + ops.zeros_like(self.loc[..., 0])
