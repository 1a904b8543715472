"""The abstract corruption x -> x~ of denoising autoencoders."""

import math

import keras
from keras import ops

from keras_vae.core.checks import seed_or_none
from keras_vae.core.registration import Configured
from keras_vae.layers.replica_seed_generator import ReplicaSeedGenerator
from keras_vae.ops.selection import top_k_mask


class Corruption(Configured, keras.layers.Layer):
    """Abstract: destroys a part of x while training, and passes x on otherwise.

    Subclasses define `corrupt(x) -> (x~, chosen)`, `chosen` being a bool tensor of the shape of x that tells which
    entries were destroyed: a loss may weigh them, and a masked entry that was zero before cannot be told from x~.

    Args:
        seed: int >= 0 or None, of the noise. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.
    """

    def __init__(self, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)

    def build(self, input_shape):
        pass

    def corrupt(self, x):
        """x -> (x~, which entries were destroyed)."""
        raise TypeError(f"{type(self).__name__} must define `corrupt(x)`.")

    def call(self, x, training=False):
        if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype)):
            raise TypeError(f"`x` must be floating point. Received: dtype={x.dtype}.")
        return self.corrupt(x)[0] if training else x

    def compute_output_shape(self, input_shape):
        return input_shape

    def choose(self, x, level):
        """Exactly round(level * values) entries of each example, at random: bool, the shape of x."""
        values = math.prod(x.shape[1:])
        count = math.floor(level * values + 0.5)
        uniform = keras.random.uniform((ops.shape(x)[0], values), seed=self.seed_generator)
        chosen = top_k_mask(uniform, count) if count else ops.zeros_like(uniform, dtype="bool")
        return ops.reshape(chosen, (-1, *x.shape[1:]))

    def flip(self, x, probability):
        """Each entry on its own with a probability: bool, the shape of x."""
        return keras.random.uniform(ops.shape(x), seed=self.seed_generator) < probability


def build_corruption(corruption, input_shape):
    """Builds a `Corruption`, or another layer taken for one, and refuses it where it changes the shape."""
    if not corruption.built:
        corruption.build(input_shape)
    corrupted = corruption.compute_output_spec(keras.KerasTensor(input_shape, dtype="float32"))
    if tuple(corrupted.shape[1:]) != tuple(input_shape[1:]):
        raise ValueError(
            f"`corruption` must keep the shape of x, {tuple(input_shape[1:])}. Received: a "
            f"{type(corruption).__name__}, which gives {tuple(corrupted.shape[1:])}."
        )
