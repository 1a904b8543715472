"""The ReinMax estimator."""

from keras import ops

from keras_vae.core.checks import positive
from keras_vae.core.registration import registered
from keras_vae.estimators.estimator import Estimator
from keras_vae.ops.numerics import straight_through


@registered
class ReinMax(Estimator):
    """A discrete draw D, with a gradient that is right to the second order: dz = 2 dp' - dp / 2, p' = (D + p) / 2.

    Liu et al. 2023, algorithm 2: where straight-through takes a difference of values for the slope at one end, this
    takes the mean of the slopes at both, Heun's method. For decoders that are quadratic in each z it is unbiased. Of
    binary variables it is the estimator of DARN.

    Args:
        temperature: float > 0, of p in p', 1 for the rule above; a weight, which callbacks may schedule. Default: 1.0.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `temperature` is not > 0.

    Reference:
        Liu, Dong, Liu, Yu & Gao 2023, arXiv:2304.08612.

    Example:

    >>> import keras_vae
    >>> keras_vae.CategoricalBottleneck(2, 5, estimator=keras_vae.ReinMax()).is_discrete
    True
    """

    values = ("binary", "one-hot")

    def __init__(self, temperature=1.0, **kwargs):
        super().__init__(**kwargs)
        self.temperature = self.scalar("temperature", temperature, positive)

    def draw(self, posterior, seed):
        family, logits, hard = type(posterior), posterior.logits, posterior.sample(seed)
        flatter = family(logits / ops.convert_to_tensor(self.temperature))
        between = family.from_mean(0.5 * (hard + flatter.mean)).logits
        moved = family(logits + ops.stop_gradient(between - logits))  # the value of `between`, the slope of the logits
        return straight_through(2.0 * moved.mean - 0.5 * posterior.mean, hard)
