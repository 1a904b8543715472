"""The Gumbel-softmax estimator."""

from keras import ops

from keras_vae.core.checks import one_of, positive
from keras_vae.core.registration import registered
from keras_vae.estimators.estimator import Estimator
from keras_vae.ops.numerics import straight_through


@registered
class GumbelSoftmax(Estimator):
    """A relaxed draw: softmax((logits + Gumbel noise) / temperature), for binary variables its two-class form.

    Jang et al. 2017, eq. 2; the concrete distribution of Maddison et al. 2017. A differentiable function of noise and
    logits: its gradient varies little, and is that of another model, the nearer to the discrete one the lower the
    temperature, while the variance rises; `CoefficientSchedule("bottleneck.estimator.temperature", ...)` lowers it. The
    bound that training logs is of relaxed draws, and no bound of log p(x); evaluation draws discrete ones.

    With `hard` the decoder sees the class of the relaxed draw, one-hot, and the gradient is that of the relaxed draw.

    Args:
        temperature: float > 0; a weight, which callbacks may schedule. Default: 1.0.
        hard: bool, whether the draw is discrete, the straight-through form. Default: False.
        **kwargs: of keras.layers.Layer.

    Raises:
        ValueError: if `temperature` is not > 0, or `hard` neither True nor False.

    Reference:
        Jang, Gu & Poole 2017, arXiv:1611.01144. Maddison, Mnih & Teh 2017, arXiv:1611.00712.

    Example:

    >>> import keras, numpy as np, keras_vae
    >>> bottleneck = keras_vae.CategoricalBottleneck(2, 5, estimator=keras_vae.GumbelSoftmax(0.5), seed=0)
    >>> z = keras.ops.convert_to_numpy(bottleneck(np.ones((3, 4), "float32"), training=True)["z"])
    >>> z.shape, bool(np.allclose(z.sum(axis=-1), 1.0))
    ((3, 2, 5), True)
    """

    values = ("binary", "one-hot")

    def __init__(self, temperature=1.0, hard=False, **kwargs):
        super().__init__(**kwargs)
        self.temperature = self.scalar("temperature", temperature, positive)
        self.hard = one_of("hard", hard, (False, True))

    def draw(self, posterior, seed):
        relaxed = posterior.relaxed(ops.convert_to_tensor(self.temperature)).sample(seed)
        return straight_through(relaxed, posterior.nearest(relaxed)) if self.hard else relaxed
