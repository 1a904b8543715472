"""The distribution of a draw that was transformed by a flow."""

import numpy as np
from keras import ops

from keras_vae.distributions.distribution import Distribution

DRAWS = 32  # and their mirror images, of which `mean` is the mean


class Flow(Distribution):
    """Of value = T(z0) with z0 from a base: log q(value) = log q0(z0) - log|det dT/dz0|.

    The density of its own last draw costs nothing: the z0 that it came from is remembered, and told from others by
    being the same tensor. Any other value is taken back through the inverse, one pass of the nets for each dimension,
    and its density is as exact.

    A flow has neither mean nor mode in closed form. `mean` is the average of 64 draws in 32 mirrored pairs, the same
    noise for all examples and on every backend: an estimate, whose standard error is an eighth of the standard
    deviation or less, and zero where the transformation is linear. `mode` is the draw of zero noise, the transformed
    mode of the base: a point in the middle, which need not be the densest.

    Args:
        base: Distribution of vectors (batch, dimensions), with `repeat`, whose mode is that of zero noise.
        flow: keras_vae.layers.AutoregressiveFlow, built, or what has its `transform` and `inverse`.
        context: float tensor (batch, features) that the flow sees, or None. Default: None.
        known: (value, z0), a draw and what it is the transformation of, or None. Default: None.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.distributions import Flow, Normal
    >>> flow = keras_vae.AutoregressiveFlow(num_steps=1, units=(8,))
    >>> flow.build((None, 2))
    >>> q = Flow(Normal(np.zeros((1, 2), "float32"), 0.0), flow)
    >>> tuple(q.sample_from(np.ones((1, 2), "float32")).shape), tuple(q.log_prob(np.zeros((1, 2), "float32")).shape)
    ((1, 2), (1,))
    """

    def __init__(self, base, flow, context=None, known=None):
        self.base, self.flow, self.known = base, flow, known
        self.context = None if context is None else ops.convert_to_tensor(context)

    def noise_spec(self, shape):
        return self.base.noise_spec(shape)

    def sample_from(self, noise):
        return self._of(self.base.sample_from(noise))

    def sample(self, seed=None):
        return self._of(self.base.sample(seed))

    def log_prob(self, value):
        if self.known is not None and value is self.known[0]:
            start = self.known[1]
        else:
            start = self.flow.inverse(value, self.context)
        return self.base.log_prob(start) - self.flow.transform(start, self.context)[1]

    def pairwise_log_prob(self, value):
        value = ops.convert_to_tensor(value)
        rows = ops.shape(value)[0]
        members = ops.shape(self.base.mean)[0]
        each = self.repeat(rows).log_prob(ops.tile(value, (members, 1)))  # member 0 of every value, then member 1, ...
        return ops.transpose(ops.reshape(each, (members, rows)))

    @property
    def mean(self):
        size = self.base.mean.shape[-1]
        noise = np.random.default_rng(0).standard_normal((DRAWS, size), dtype="float32")
        noise = ops.tile(ops.convert_to_tensor(np.concatenate([noise, -noise])), (ops.shape(self.base.mean)[0], 1))
        return ops.mean(ops.reshape(self.repeat(2 * DRAWS).sample_from(noise), (-1, 2 * DRAWS, size)), axis=1)

    @property
    def mode(self):
        return self.flow.transform(self.base.mode, self.context)[0]

    def repeat(self, n):
        context = None if self.context is None else ops.repeat(self.context, n, axis=0)
        return Flow(self.base.repeat(n), self.flow, context)

    def _of(self, start):
        value = self.flow.transform(start, self.context)[0]
        self.known = value, start
        return value
