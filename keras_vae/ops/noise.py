"""Noise as a specification: who draws says what it takes, and one place draws it, from a seed or row by row."""

import dataclasses
import itertools
import numbers

import keras
from keras import ops

from keras_vae import _backend
from keras_vae.ops.levels import mapped

KINDS = ("normal", "uniform")


@dataclasses.dataclass(frozen=True)
class Noise:
    """What one draw takes for each example: numbers of one kind, in one shape.

    A mixture takes a uniform and a normal, a hierarchy a noise by level: a specification is a `Noise`, a dict, list or
    tuple of them, or None where nothing is random.

    Args:
        kind: "normal" for N(0, 1), "uniform" for [0, 1).
        shape: tuple of ints, of one example.

    Raises:
        ValueError: for another kind.

    Example:

    >>> from keras_vae.ops import Noise
    >>> Noise("normal", (3,))
    Noise(kind='normal', shape=(3,))
    """

    kind: str
    shape: tuple

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ValueError(f"`kind` must be one of 'normal', 'uniform'. Received: kind={self.kind!r}.")
        object.__setattr__(self, "shape", tuple(self.shape))


def noise_of(kind, shape):
    """The specification of one kind of noise for latents of `shape`: a tuple, or a dict of them by level.

    Args:
        kind: "normal", "uniform", or None for nothing.
        shape: tuple of ints, or dict of such.

    Returns:
        None, a `Noise`, or a dict of them.

    Example:

    >>> from keras_vae.ops import noise_of
    >>> noise_of("uniform", {"top": (2,)})
    {'top': Noise(kind='uniform', shape=(2,))}
    """
    if kind is None:
        return None
    if isinstance(shape, dict):
        return {level: noise_of(kind, size) for level, size in shape.items()}
    return Noise(kind, shape)


def draw_noise(spec, rng, batch):
    """Noise on the host, which is the same on every backend.

    Args:
        spec: `Noise`, a nest of them, or None.
        rng: numpy.random.Generator.
        batch: tuple of ints, put in front of each shape.

    Returns:
        The nest with a float32 array (*batch, *shape) for each `Noise`; None for None.

    Example:

    >>> import numpy as np
    >>> from keras_vae.ops import Noise, draw_noise
    >>> draw_noise({"z": Noise("uniform", (2,))}, np.random.default_rng(0), (3,))["z"].shape
    (3, 2)
    """

    def draw(leaf):
        if leaf is None:
            return None
        function = rng.standard_normal if leaf.kind == "normal" else rng.random
        return function((*batch, *leaf.shape), dtype="float32")

    return mapped(draw, spec)


def noise_from_seeds(spec, seeds):
    """Noise in a graph, row i of which depends on seeds[i] alone, whatever the batch; another on each backend.

    Args:
        spec: `Noise`, a nest of them, or None.
        seeds: int32 tensor (batch,).

    Returns:
        The nest with a float32 tensor (batch, *shape) for each `Noise`; None for None.
    """
    numbers = itertools.count()

    def draw(leaf):
        if leaf is None:
            return None
        function, number = getattr(keras.random, leaf.kind), next(numbers)
        return _backend.by_row(lambda one: function(leaf.shape, dtype="float32", seed=CallSeed(one, number)), seeds)

    return mapped(draw, spec)


def random_noise(spec, batch, seed=None):
    """Noise in a graph for a whole batch, another on each backend: what `sample` of a distribution draws.

    Args:
        spec: `Noise`, a nest of them, or None.
        batch: tuple of sizes, put in front of each shape.
        seed: int, `keras.random.SeedGenerator`, or None for Keras's global one. Default: None.

    Returns:
        The nest with a float32 tensor (*batch, *shape) for each `Noise`; None for None.
    """
    draws = itertools.count()

    def draw(leaf):
        if leaf is None:
            return None
        # One integer for several draws would make them the same numbers.
        one = CallSeed(seed, next(draws)) if isinstance(seed, numbers.Integral) else seed
        return getattr(keras.random, leaf.kind)((*batch, *leaf.shape), dtype="float32", seed=one)

    return mapped(draw, spec)


def open_uniform(noise):
    """Uniforms in [0, 1) as numbers in (0, 1), float32: zero counts as half of 2^-24, of which they are multiples.

    Args:
        noise: tensor.

    Returns:
        float32 tensor of the same shape, whose quantiles under any continuous distribution are finite.
    """
    return ops.clip(ops.cast(noise, "float32"), 2.0**-25, 1.0 - 2.0**-24)


class CallSeed(keras.random.SeedGenerator):
    """A seed generator without state: every draw uses the seed tensor that it was made with.

    A served model with a stateful generator repeats the same sequence after each start, and two replicas give the same
    samples. With the seed as an input, a request says which samples it wants, whatever batch it is in.

    Args:
        seed: int32 scalar tensor; negative seeds are as good as others.
        number: int >= 0, which of the draws that this seed is for. Default: 0.
    """

    def __init__(self, seed, number=0):  # without super(): the state it would create is the point
        self._words = ops.cast(seed, "uint32")
        self._number = number

    def next(self, ordered=True):
        return ops.stack([self._words, ops.full_like(self._words, self._number)])
