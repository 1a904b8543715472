"""The likelihood of any family."""

import math

from keras import ops

from keras_vae.core.checks import positive
from keras_vae.core.registration import registered
from keras_vae.distributions import Parameterised
from keras_vae.likelihoods.likelihood import Likelihood
from keras_vae.ops.numerics import float32


@registered
class FamilyLikelihood(Likelihood):
    """p(x|z) of any family whose parameters the decoder predicts for each value of x: Laplace errors, Beta greys, ...

    The decoder returns the real numbers of the first parameter for all channels, then those of the next, and the
    family's links make values of them: `params_shape(data_shape)` says how many. A density in x: it may be negative in
    nats. x must lie in the family's support; at an end of it where the density may be infinite, as 0 and 1 of a Beta,
    a value counts as one that lies `margin` inside.

    Args:
        family: str, such as "Laplace" or "Beta"; or a class of your own that is decorated with
            `keras_vae.distributions.family`.
        options: dict or None: values of parameters that are not to be predicted, such as {"scale": 0.1} of a "Laplace",
            and what tells the forms of a family apart, such as {"rank": 2} of an "Elliptical". Default: None.
        margin: float > 0, in the units of x. Default: 1 / 512, half of a level of 8-bit images.
        **kwargs: of keras.layers.Layer.

    Input shape:
        params: (batch, ..., numbers), parameter after parameter. x: (batch, ..., channels), in the support.

    Output shape:
        `log_prob`: (batch,), nats. `mean`: the shape of x; the mode, of a family that has no mean, as a Cauchy.

    Raises:
        ValueError: if `family` is no family, or has no such options; if `margin` is not > 0; for params of wrong size.

    Example:

    >>> import numpy as np, keras_vae
    >>> likelihood = keras_vae.FamilyLikelihood("Laplace")
    >>> round(float(likelihood.log_prob(np.zeros((1, 4), "float32"), np.zeros((1, 2), "float32"))[0]), 4)  # -2 log(2)
    -1.3863
    """

    def __init__(self, family, options=None, margin=1 / 512, **kwargs):
        super().__init__(**kwargs)
        self.parameterised = Parameterised(family, options).require_predicted()
        self.family, self.options = self.parameterised.name, self.parameterised.options
        self.margin = positive("margin", margin)
        self.params_per_channel = self.parameterised.size(1)
        cls = self.parameterised.cls
        self.joint_channels = cls.joint
        self.interval = None if cls.support == (-math.inf, math.inf) else cls.support

    def params_shape(self, data_shape):
        return (*data_shape[:-1], self.parameterised.size(data_shape[-1]))

    def distribution(self, params):
        channels = self.parameterised.dimensions(params.shape[-1])
        return self.parameterised.distribution(self.parameterised.values(params), channels)

    def log_prob(self, params, x, mask=None):
        return super().log_prob(params, self._inside(x), mask)

    def elementwise_log_prob(self, params, x):
        return super().elementwise_log_prob(params, self._inside(x))

    def mean(self, params):
        distribution = self.distribution(params)
        return distribution.mean if distribution.has_mean else distribution.mode

    def _inside(self, x):
        x = float32(ops.convert_to_tensor(x))
        if self.interval is None or not self.parameterised.cls.open_ends:
            return x
        low, high = self.interval
        return ops.clip(x, low + self.margin, high - self.margin)
