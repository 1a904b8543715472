"""Mixtures of discretised logistic distributions: grey levels and colours, whose neighbours in value are alike."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae._backend import counted_loop
from keras_vae.distributions.categorical import Categorical
from keras_vae.distributions.controls import checked_temperature
from keras_vae.distributions.distribution import Distribution
from keras_vae.ops.noise import Noise, open_uniform
from keras_vae.ops.numerics import flat, float32

LEAST_LOG_SCALE = -50.0  # of what is tempered: already a point, and exp(50) does not overflow
AT_ONCE = 16  # levels whose probabilities are held in memory together
NEVER = -1e30  # log P of what is no level: exp(x) x is zero of it, not undefined
MOST = 64  # values of the channels before the last over which the entropy is averaged: all of them, or so many draws


class DiscretizedLogisticMixture(Distribution):
    """Pixels of grey levels k / (levels - 1), each a mixture of M logistic distributions rounded to the levels.

    P(x) = sum_i pi_i prod_c [sigmoid((x_c + h - mu_ci) / s_ci) - sigmoid((x_c - h - mu_ci) / s_ci)], on the axis from
    -1 to 1, with h half the distance of two levels; all below the first level and above the last one counts as them.
    The channels of a pixel are drawn from one component, and its means depend on the channels before:
    mu_ci = means_ci + sum_{b<c} coefficients_cbi x_b. Salimans et al. 2017, eqs. 1 to 3.

    Draws are of this density. A value between two levels counts as the nearer one. `mean` is for display: the weighted
    means of the components, each channel's from the means of those before it. It is the expectation up to what is
    rounded and cut off at the first and last level, which has no closed form.

    `mode` is the likeliest level of a pixel of one channel. Of several it is found one channel after another: the
    likeliest level of the first, with the components summed out, then that of the second where the first has this
    level, and so on. It need not be the likeliest of the levels^channels values together, 17 million for an 8-bit
    colour, which is out of reach; it is where there is one component without coefficients.

    `entropy` is the exact sum over all values where the channels before the last have at most 64 values together, as
    for greys. Elsewhere, as for colours, it is an estimate, the same on every backend: the entropy of each channel
    given those before it is exact, and is averaged over 64 draws of those, spread evenly, other ones for each pixel.
    Its error at one pixel, an eighth of the standard deviation of what is averaged, is far smaller over an image. Draws
    are rounded: the gradient of the estimate leaves out how they would move.

    Args:
        logits: float tensor (batch, ..., M), of the components of each pixel.
        means: float tensor (batch, ..., channels, M), -1 for the first level, 1 for the last.
        log_scales: float tensor (batch, ..., channels, M), log s on the same axis.
        coefficients: float tensor (batch, ..., channels (channels - 1) / 2, M): of channel 1 on 0, 2 on 0, 2 on 1, ...
        levels: int >= 2. Default: 256.

    Reference:
        Salimans, Karpathy, Chen & Kingma 2017, PixelCNN++, arXiv:1701.05517, sections 2.1 and 2.2.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import DiscretizedLogisticMixture
    >>> grey, none = np.zeros((1, 1, 1, 1), "float32"), np.zeros((1, 1, 0, 1), "float32")
    >>> p = DiscretizedLogisticMixture(grey[0], grey, grey, none, levels=2)
    >>> round(float(p.log_prob(np.array([[[1.0]]]))[0]), 4)  # log(1/2): two levels, and the mean between them
    -0.6931
    """

    def __init__(self, logits, means, log_scales, coefficients, levels=256):
        self.logits, self.means = float32(ops.convert_to_tensor(logits)), float32(ops.convert_to_tensor(means))
        self.log_scales = float32(ops.convert_to_tensor(log_scales))
        self.coefficients = float32(ops.convert_to_tensor(coefficients))
        self.levels = levels

    def noise_spec(self, shape):
        """{"mixture": one uniform for each pixel, "logistic": one for each channel of it}, for events of `shape`."""
        return {"mixture": Noise("uniform", shape[:-1]), "logistic": Noise("uniform", shape)}

    def sample_from(self, noise):
        """The component by the first noise, the channels by the second, each given the rounded ones before it."""
        component = ops.expand_dims(Categorical(self.logits).sample_from(noise["mixture"]), -1)
        chosen = ops.equal(component, ops.arange(self.logits.shape[-1], dtype="int32"))
        means, log_scales, coefficients = (
            [ops.sum(ops.where(chosen, each, 0.0), axis=-1) for each in part] for part in self._by_channel()
        )
        uniform = open_uniform(noise["logistic"])
        logistic = ops.log(uniform) - ops.log1p(-uniform)
        drawn, before = [], []
        for channel, log_scale in enumerate(log_scales):
            value = _location(channel, means, coefficients, before) + ops.exp(log_scale) * logistic[..., channel]
            drawn.append(self._level((value + 1.0) / 2.0))
            before.append(self._position(drawn[-1]))
        return ops.stack(drawn, axis=-1) / (self.levels - 1.0)

    def sample(self, seed=None):
        shape = ops.shape(self.logits)[:-1]
        uniforms = keras.random.uniform((*shape, 1 + self.means.shape[-2]), dtype="float32", seed=seed)
        return self.sample_from({"mixture": uniforms[..., 0], "logistic": uniforms[..., 1:]})

    def log_prob(self, value):
        return ops.sum(self.elementwise_log_prob(value), axis=-1)

    def elementwise_log_prob(self, value):
        """The share of each pixel, all of its channels together: (batch, pixels)."""
        levels = self._level(ops.cast(value, "float32"))
        return flat(self._log_prob_of_first([levels[..., channel] for channel in range(self.means.shape[-2])]))

    @property
    def mean(self):
        weights, (means, _, coefficients) = ops.softmax(self.logits, axis=-1), self._by_channel()
        before = []
        for channel in range(len(means)):
            before.append(ops.clip(_location(channel, means, coefficients, before), -1.0, 1.0))
        mean = ops.stack([ops.sum(weights * each, axis=-1) for each in before], axis=-1)
        return ops.clip((mean + 1.0) / 2.0, 0.0, 1.0)  # again: the sum of the weights is rounded

    @property
    def mode(self):
        """The likeliest level of each channel, given those of the channels before it; the first of several."""
        levels = []
        for _ in range(self.means.shape[-2]):
            given, nothing = self._given(levels), ops.zeros_like(self.logits[..., 0])

            def better(i, best, given=given):
                level, log_p = self._some_levels(i, given)
                here = ops.cast(ops.argmax(log_p, axis=-1), "float32") + level[0]
                highest = ops.max(log_p, axis=-1)
                return ops.where(highest > best[1], here, best[0]), ops.maximum(highest, best[1])

            levels.append(counted_loop(self._passes(), better, (nothing, nothing + float("-inf")))[0])
        return ops.stack(levels, axis=-1) / (self.levels - 1.0)

    def entropy(self):
        return ops.sum(self.elementwise_entropy(), axis=-1)

    def elementwise_entropy(self):
        """The share of each pixel, all of its channels together: (batch, pixels)."""
        before_last = self.means.shape[-2] - 1
        exact = self.levels**before_last <= MOST

        def add(i, total):
            levels = (self._value_of_first if exact else self._draw_of_first)(i, before_last)
            weight = ops.exp(self._log_prob_of_first(levels)) if exact else 1.0 / MOST
            return total + weight * sum(self._entropy_of_next(levels[:n]) for n in range(before_last + 1))

        count = self.levels**before_last if exact else MOST
        return flat(counted_loop(count, add, ops.zeros_like(self.logits[..., 0])))

    def tempered(self, temperature):
        """Not the power of the density, which is no such mixture: weights^(1 / T), and scales times T."""
        log_t = ops.log(ops.cast(checked_temperature(temperature, self.log_scales), "float32"))
        logits = Categorical(self.logits).tempered(temperature).logits
        return self._with(logits=logits, log_scales=ops.maximum(self.log_scales + log_t, LEAST_LOG_SCALE))

    def repeat(self, n):
        parts = ("logits", "means", "log_scales", "coefficients")
        return self._with(**{part: ops.repeat(getattr(self, part), n, axis=0) for part in parts})

    def _with(self, **parts):
        own = {part: getattr(self, part) for part in ("logits", "means", "log_scales", "coefficients", "levels")}
        return DiscretizedLogisticMixture(**{**own, **parts})

    def _by_channel(self):
        """Means and log-scales by channel, coefficients by pair of channels: lists of (batch, ..., M)."""
        parts = (self.means, self.log_scales, self.coefficients)
        return [[part[..., i, :] for i in range(part.shape[-2])] for part in parts]

    def _of_first(self, levels):
        """Of these levels of the first channels: log P with each component, and their places on the axis."""
        means, log_scales, coefficients = self._by_channel()
        joint, before = ops.log_softmax(self.logits, axis=-1), []  # (batch, ..., M)
        for channel, level in enumerate(levels):
            location, level = _location(channel, means, coefficients, before), ops.expand_dims(level, -1)
            joint = joint + self._log_prob_of_level(level, location, log_scales[channel])
            before.append(self._position(level))
        return joint, before

    def _log_prob_of_first(self, levels):
        """log P of the levels of the first channels, or of all."""
        return ops.logsumexp(self._of_first(levels)[0], axis=-1)

    def _given(self, levels):
        """Of the channel after those of these levels: log-weights, locations and log-scales of the components."""
        means, log_scales, coefficients = self._by_channel()
        joint, before = self._of_first(levels)
        location = _location(len(levels), means, coefficients, before)
        return ops.log_softmax(joint, axis=-1), location, log_scales[len(levels)]

    def _value_of_first(self, i, channels):
        """The levels of the i-th value of the first channels."""
        digits = [i // self.levels**channel % self.levels for channel in range(channels)]
        return [ops.zeros_like(self.logits[..., 0]) + ops.cast(digit, "float32") for digit in digits]

    def _draw_of_first(self, i, channels):
        """The levels of the i-th of the even draws: of a sequence of low discrepancy that goes on from pixel to pixel.

        That of Roberts 2018, "The unreasonable effectiveness of quasirandom sequences": multiples of 1 / phi^k modulo
        one, for d dimensions with phi^(d + 1) = phi + 1.
        """
        d = 2 + channels
        phi = np.roots([1.0, *[0.0] * (d - 1), -1.0, -1.0]).real.max()
        step = phi ** -np.arange(1.0, d + 1.0)
        shape = ops.shape(self.logits)[1:-1]
        pixel = ops.reshape(ops.arange(math.prod(shape), dtype="float32"), (1, *shape, 1))
        start = pixel * ops.cast(MOST * step % 1.0, "float32")
        uniform = ops.mod(start + (0.5 + ops.cast(i, "float32") * ops.cast(step, "float32")), 1.0)
        draw = self.sample_from({"mixture": uniform[..., 0], "logistic": uniform[..., 1:]})
        return [self._level(draw[..., channel]) for channel in range(channels)]

    def _passes(self):
        return -(-self.levels // AT_ONCE)

    def _some_levels(self, i, given):
        """The i-th 16 levels, and log P of each of them, (..., 16): the last ones may lie above the last level."""
        level = ops.cast(i * AT_ONCE + ops.arange(AT_ONCE, dtype="int32"), "float32")
        log_weights, location, log_scale = (ops.expand_dims(part, -1) for part in given)  # (..., M, 1)
        log_p = ops.logsumexp(log_weights + self._log_prob_of_level(level, location, log_scale), axis=-2)
        return level, ops.where(level < self.levels - 0.5, ops.maximum(log_p, NEVER), NEVER)

    def _entropy_of_next(self, levels):
        """-sum p log p of the channel after those of these levels."""
        given = self._given(levels)

        def add(i, total):
            log_p = self._some_levels(i, given)[1]
            return total - ops.sum(ops.exp(log_p) * log_p, axis=-1)

        return counted_loop(self._passes(), add, ops.zeros_like(self.logits[..., 0]))

    def _level(self, x):
        """[0, 1] -> 0, 1, ..., levels - 1, as floats; what is outside goes to the first and the last."""
        return ops.clip(ops.round(x * (self.levels - 1.0)), 0.0, self.levels - 1.0)

    def _position(self, level):
        """0, 1, ..., levels - 1 -> [-1, 1]."""
        return (2.0 * level - (self.levels - 1.0)) / (self.levels - 1.0)

    def _log_prob_of_level(self, level, location, log_scale):
        """log(sigmoid(a) - sigmoid(b)) = -softplus(-a) - softplus(b) + log(1 - exp(b - a)), without a cancellation."""
        inverse = ops.exp(-log_scale)
        upper, lower = (inverse * (self._position(level + side) - location) for side in (0.5, -0.5))
        width = inverse * (2.0 / (self.levels - 1.0))
        first, last = level < 0.5, level > self.levels - 1.5
        below = ops.where(last, 0.0, -ops.softplus(-upper))
        above = ops.where(first, 0.0, -ops.softplus(lower))
        # Of a large width the logarithm is off by 1e-7 at most, and it is a summand: nothing is lost.
        return below + above + ops.where(ops.logical_or(first, last), 0.0, ops.log(-ops.expm1(-width)))


def _location(channel, means, coefficients, before):
    """mu of a channel, given those before it on the axis from -1 to 1."""
    first = channel * (channel - 1) // 2
    return means[channel] + sum(coefficients[first + i] * x for i, x in enumerate(before))
