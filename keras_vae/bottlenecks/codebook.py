"""What the vector quantizers share: a codebook, the nearest code, the straight-through output."""

import keras
from keras import ops

from keras_vae import _backend
from keras_vae.bottlenecks.quantizer import Quantizer
from keras_vae.core.checks import integer, seed_or_none
from keras_vae.ops.numerics import straight_through, sum_event


class Codebook(Quantizer):
    """Abstract: replaces each feature vector by its nearest row of a codebook of K rows of D numbers.

    The codebook and the search are float32 under any dtype policy: in bfloat16 one code in a hundred would be another.
    Only the indices of the nearest rows are kept: neither one-hot vectors nor the distances to all K rows.

    Args:
        codebook_size: int >= 2, K, the number of codes.
        embedding_dim: int >= 1, D, the length of a code: the encoder's number of features.
        seed: int or None, of the first codebook. Default: None.
        **kwargs: of keras.layers.Layer; the dtype is float32 always.
    """

    learned_by_gradient = True

    def __init__(self, codebook_size, embedding_dim, seed=None, **kwargs):
        super().__init__(integer("codebook_size", codebook_size, low=2), **{**kwargs, "dtype": "float32"})
        self.embedding_dim = integer("embedding_dim", embedding_dim)
        self.seed = seed = seed_or_none("seed", seed)
        # One for all weights of `codebook_weight`: without a seed it draws one, and keeps to it.
        self.initializer = keras.initializers.RandomNormal(stddev=self.embedding_dim**-0.5, seed=seed)

    def build(self, input_shape):
        if input_shape[-1] != self.embedding_dim:
            raise ValueError(
                f"`embedding_dim` must be the number of features of the encoder, here {input_shape[-1]}. "
                f"Received: embedding_dim={self.embedding_dim}."
            )
        self.codebook = self.codebook_weight("codebook", self.learned_by_gradient)

    def codebook_weight(self, name, trainable):
        """A weight of shape (K, D), rows of about unit length; the same values whatever its name."""
        return self.add_weight(
            shape=(self.codebook_size, self.embedding_dim),
            initializer=self.initializer,
            trainable=trainable,
            name=name,
            autocast=False,
            aggregation="none" if trainable else "mean",
        )

    def nearest(self, h):
        """Features (batch, ..., D) -> (the same as float32, their nearest codes, outputs dict)."""
        z_e = ops.cast(h, "float32")
        flat = ops.reshape(ops.stop_gradient(z_e), (-1, self.embedding_dim))
        indices = _backend.nearest_codes(flat, ops.stop_gradient(ops.convert_to_tensor(self.codebook)))
        indices = ops.reshape(indices, ops.shape(z_e)[:-1])
        e = ops.take(self.codebook, indices, axis=0)
        outputs = {
            "z": straight_through(z_e, e),
            "indices": indices,
            "commitment": sum_event(ops.square(z_e - ops.stop_gradient(e))),  # (batch,): summed over positions and D
        }
        return z_e, e, outputs

    def lookup(self, latents):
        return ops.take(self.codebook, ops.cast(latents, "int32"), axis=0)
