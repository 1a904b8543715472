"""Attention to every position that comes before."""

import keras
from keras import layers, ops

from keras_vae import _backend
from keras_vae.core.checks import integer
from keras_vae.core.registration import Configured, registered


@registered
class RasterAttention(Configured, keras.layers.Layer):
    """Attention over positions in raster order: each sees those strictly before it, the first nothing, which is zero.

    softmax(Q K^T / sqrt(key_dim)) V, with queries of one map, keys and values of another, by heads (Chen et al. 2018,
    section 2). It reaches as far as the image does, where convolutions reach a few positions.

    Args:
        key_dim: int >= 1, of each head. Default: 16.
        value_dim: int >= 1, of each head. Default: 64.
        heads: int >= 1. Default: 1.
        **kwargs: of keras.layers.Layer.

    Input shape:
        query: (batch, height, width, channels); source: (batch, height, width, other channels).

    Output shape:
        (batch, height, width, heads * value_dim).

    Raises:
        ValueError: if an argument is out of range.

    Reference:
        Chen, Mishra, Rohaninejad & Abbeel 2018, PixelSNAIL: An Improved Autoregressive Generative Model,
        arXiv:1712.09763.

    Example:

    >>> import keras, keras_vae, numpy as np
    >>> layer = keras_vae.RasterAttention(key_dim=2, value_dim=3)
    >>> y = keras.ops.convert_to_numpy(layer(np.ones((1, 2, 2, 4), "float32"), np.ones((1, 2, 2, 5), "float32")))
    >>> y.shape, bool(np.all(y[0, 0, 0] == 0))
    ((1, 2, 2, 3), True)
    """

    def __init__(self, key_dim=16, value_dim=64, heads=1, **kwargs):
        super().__init__(**kwargs)
        self.key_dim = integer("key_dim", key_dim)
        self.value_dim = integer("value_dim", value_dim)
        self.heads = integer("heads", heads)
        policy = self.dtype_policy
        self.to_query = layers.Dense(self.heads * self.key_dim, dtype=policy, name="query")
        self.to_source = layers.Dense(self.heads * (self.key_dim + self.value_dim), dtype=policy, name="source")

    def build(self, query_shape, source_shape):
        self.to_query.build(query_shape)
        self.to_source.build(source_shape)

    def call(self, query, source):
        """Values at every position at once."""
        height, width = query.shape[1:3]
        total = height * width
        query = self._by_head(ops.reshape(self.to_query(query), (-1, total, self.heads * self.key_dim)))
        keys, values = self._keys_and_values(ops.reshape(self.to_source(source), (-1, total, self.to_source.units)))
        index = ops.arange(total)
        values = self._attend(query, keys, values, index[None, :] < index[:, None])
        values = ops.reshape(ops.transpose(values, (0, 2, 1, 3)), (-1, height, width, self.heads * self.value_dim))
        return values

    def empty(self, batch, total):
        """What `at` keeps of `total` positions, nothing yet: keys (batch, heads, key_dim, total), and values."""
        keys = ops.zeros((batch, self.heads, self.key_dim, total), dtype=self.compute_dtype)
        return keys, ops.zeros((batch, self.heads, total, self.value_dim), dtype=self.compute_dtype)

    def at(self, query, kept, t):
        """Values at one position.

        Args:
            query: tensor (batch, channels).
            kept: what `empty` made and `keep` filled, of the positions before.
            t: int scalar, the position: row * width + column.

        Returns:
            Tensor (batch, heads * value_dim).
        """
        query = self._by_head(self.to_query(query)[:, None])
        keys, values = kept
        seen = ops.arange(keys.shape[-1])[None, :] < t
        return ops.reshape(self._attend(query, keys, values, seen), (-1, self.heads * self.value_dim))

    def keep(self, kept, source, t):
        """`kept` with position t, of which `source` (batch, channels) is known now."""
        key, value = self._keys_and_values(self.to_source(source)[:, None])
        return _backend.write_slice(kept[0], (0, 0, 0, t), key), _backend.write_slice(kept[1], (0, 0, t, 0), value)

    def _by_head(self, x):
        """(batch, positions, heads * n) -> (batch, heads, positions, n)."""
        x = ops.reshape(x, (-1, x.shape[1], self.heads, x.shape[2] // self.heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def _keys_and_values(self, source):
        """(batch, heads, key_dim, positions), as a product takes them, and (batch, heads, positions, value_dim)."""
        source = self._by_head(source)
        return ops.transpose(source[..., : self.key_dim], (0, 1, 3, 2)), source[..., self.key_dim :]

    def _attend(self, query, keys, values, seen):
        scores = ops.matmul(query, keys)  # (batch, heads, queries, positions)
        scores = ops.cast(scores, "float32") / self.key_dim**0.5
        weights = ops.softmax(ops.where(seen, scores, -1e9), axis=-1)
        weights = ops.where(seen, weights, 0.0)  # the first position sees nothing
        return ops.matmul(ops.cast(weights, values.dtype), values)

    def compute_output_shape(self, query_shape, source_shape):
        return (*query_shape[:-1], self.heads * self.value_dim)
