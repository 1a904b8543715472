"""What the vector quantizers share: a codebook, the nearest code, the gradient through it, a start from data."""

import keras
import numpy as np
from keras import ops

from keras_vae import _backend
from keras_vae.bottlenecks.first_codes import first_codes
from keras_vae.bottlenecks.quantizer import Quantizer
from keras_vae.core.checks import integer, one_of, seed_or_none
from keras_vae.ops.directions import rotate_through, unit
from keras_vae.ops.numerics import straight_through, sum_event
from keras_vae.training import check_values

METRICS = ("euclidean", "cosine")
GRADIENTS = {"straight-through": straight_through, "rotation": rotate_through}


class Codebook(Quantizer):
    """Abstract: replaces each feature vector by its nearest row of a codebook of K rows of D numbers.

    Only the indices of the nearest rows are kept: neither one-hot vectors nor the distances to all K rows.

    With metric="cosine" features and codes are taken by their direction, h / |h| and e / |e|, and all the rest is as it
    was: the nearest code is that of the largest cosine, z and `lookup` are unit vectors, the commitment is 2 - 2 cos
    (Yu et al. 2022, section 3.2).

    Args:
        codebook_size: int >= 2, K, the number of codes.
        embedding_dim: int >= 1, D, the length of a code: the encoder's number of features.
        seed: int or None, of the first codebook. Default: None.
        metric: str, "euclidean" or "cosine". Default: "euclidean".
        gradient: str, what passes through z: "straight-through", as if nothing were quantized, or "rotation", by
            `keras_vae.ops.rotate_through`. Default: "straight-through".
        **kwargs: of keras.layers.Layer; the dtype is float32 always.
    """

    learned_by_gradient = True
    adapts = True
    frozen = False  # whether the rows of the codebook stay as they were drawn

    def __init__(
        self,
        codebook_size,
        embedding_dim,
        seed=None,
        metric="euclidean",
        gradient="straight-through",
        **kwargs,
    ):
        super().__init__(integer("codebook_size", codebook_size, low=2), **kwargs)
        self.embedding_dim = integer("embedding_dim", embedding_dim)
        self.metric = one_of("metric", metric, METRICS)
        self.gradient = one_of("gradient", gradient, tuple(GRADIENTS))
        self.seed = seed = seed_or_none("seed", seed)
        # One for all weights of `codebook_weight`: without a seed it draws one, and keeps to it.
        self.initializer = keras.initializers.RandomNormal(stddev=self.embedding_dim**-0.5, seed=seed)

    def build(self, input_shape):
        self.require_features(input_shape, "embedding_dim", self.embedding_dim)
        self.codebook = self.codebook_weight("codebook", self.learned_by_gradient and not self.frozen)

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

    def vectors(self, rows):
        """Rows of the codebook, (..., D) -> the vectors that stand for features."""
        return unit(rows) if self.metric == "cosine" else rows

    def compared(self, h):
        """Features (..., D) -> what is compared with the vectors of the codes, float32."""
        z_e = ops.cast(h, "float32")
        return unit(z_e) if self.metric == "cosine" else z_e

    def nearest(self, h):
        """Features (batch, ..., D) -> (what is compared of them, the vectors of their nearest codes, outputs dict)."""
        z_e = self.compared(h)
        flat = ops.reshape(ops.stop_gradient(z_e), (-1, self.embedding_dim))
        codes = ops.stop_gradient(self.vectors(ops.convert_to_tensor(self.codebook)))
        indices = ops.reshape(_backend.nearest_codes(flat, codes), ops.shape(z_e)[:-1])
        e = self.lookup(indices)
        outputs = {
            "z": GRADIENTS[self.gradient](z_e, e),
            "indices": indices,
            "commitment": sum_event(ops.square(z_e - ops.stop_gradient(e))),  # (batch,): summed over positions and D
        }
        return z_e, e, outputs

    def call(self, h, training=False):
        z_e, e, outputs = self.nearest(h)
        return {**outputs, "codebook": sum_event(ops.square(ops.stop_gradient(z_e) - e))}

    def lookup(self, latents):
        return self.vectors(ops.take(self.codebook, ops.cast(latents, "int32"), axis=0))

    def adapt(self, features, method="k-means", seed=0):
        """Starts the codes at features of data: dead codes are rare from the first step on.

        Args:
            features: array (n, ..., D), what the encoder makes of data: n and positions together at least K different
                vectors.
            method: str: "k-means", centres of clusters of at most 64 K vectors of them, by scikit-learn; "sample", K
                different vectors drawn at random. k-means of many thousand codes takes long. Default: "k-means".
            seed: int >= 0. Default: 0.

        Raises:
            ValueError: for bad features, fewer different vectors than codes, or an unknown method.
            ImportError: for k-means without scikit-learn.
        """
        features = check_values("features", features)
        self.require_features(features.shape, "embedding_dim", self.embedding_dim)
        if not self.built:
            self.build((None, self.embedding_dim))
        rows = np.asarray(features, "float32").reshape(-1, self.embedding_dim)
        rows = ops.convert_to_numpy(self.compared(ops.convert_to_tensor(rows)))
        self.start_at(first_codes(rows, self.codebook_size, method, seed))

    def start_at(self, rows):
        """Sets the codebook, and what belongs to it, to `rows` (K, D)."""
        self.codebook.assign(rows)
