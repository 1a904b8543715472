"""The chi-squared distribution."""

from keras import ops

from keras_vae.distributions.families import family
from keras_vae.distributions.gamma import Gamma
from keras_vae.distributions.independent import Independent
from keras_vae.distributions.parameter import CONCENTRATION


@family
class ChiSquared(Gamma):
    """Independent sums of the squares of `df` standard normals: a Gamma of concentration df / 2 and scale 2.

    Args:
        df: float tensor > 0 of shape (batch, ...), degrees of freedom, the mean.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import ChiSquared
    >>> two = np.full((1, 1), 2.0, "float32")
    >>> round(float(ChiSquared(two).log_prob(two)[0]), 4)  # -log(2) - 1
    -1.6931
    """

    parameters = {"df": CONCENTRATION}

    def __init__(self, df):
        Independent.__init__(self, df=df)

    @property
    def concentration(self):
        return 0.5 * self.df

    @property
    def scale(self):
        return ops.full_like(self.df, 2.0)
