"""PixelSNAIL: residual blocks of masked convolutions, and attention to everything before."""

import numpy as np
from keras import layers, ops

from keras_vae.core.checks import in_half_open_interval, integer, odd
from keras_vae.core.registration import registered
from keras_vae.layers import MaskedConv2D, RasterAttention, ResidualRasterBlock
from keras_vae.layers.residual_raster_block import elu2
from keras_vae.nets.raster_net import RasterNet, row_of, spread


@registered
class PixelSNAIL(RasterNet):
    """PixelSNAIL: features of each position from all positions before it, in raster order, by attention too.

    A masked convolution of type "A", then `blocks` times: `depth` residual blocks of masked convolutions; attention,
    whose keys and values see these, the data and where they stand, and whose queries the first and the last of these;
    and a 1x1 merger of both (Chen et al. 2018, figure 3). Slower than `PixelCNN`, and better where far positions
    matter.

    Args:
        filters: int >= 1, channels. Default: 64.
        blocks: int >= 1, attentions. Default: 2.
        depth: int >= 1, residual blocks before each. Default: 3.
        stem_size: int, odd, 3 or more, kernel of the first convolution. Default: 7.
        key_dim: int >= 1, of queries and keys. Default: 16.
        heads: int >= 1, of the attention, a divisor of `filters`. Default: 1.
        dropout: float in [0, 1), in each residual block. Default: 0.0.
        **kwargs: of keras.layers.Layer.

    Input shape:
        x: (batch, height, width, channels), features of the data; condition: (batch, c) or (batch, h, w, c), or none.

    Output shape:
        (batch, height, width, filters), those at a position independent of x there and behind.

    Raises:
        ValueError: if an argument is out of range.

    Reference:
        Chen, Mishra, Rohaninejad & Abbeel 2018, PixelSNAIL: An Improved Autoregressive Generative Model,
        arXiv:1712.09763.

    Example:

    >>> import keras, keras_vae, numpy as np
    >>> net = keras_vae.PixelSNAIL(filters=4, blocks=1, depth=1, key_dim=2)
    >>> x = np.ones((1, 6, 6, 1), "float32")
    >>> changed = x.copy()
    >>> changed[0, 3, 2] = 9.0
    >>> difference = np.abs(keras.ops.convert_to_numpy(net(x) - net(changed))).sum(axis=-1)[0]
    >>> bool(difference[:3].any()), bool(difference[3, :3].any()), bool(difference[3, 3:].all())
    (False, False, True)
    """

    def __init__(self, filters=64, blocks=2, depth=3, stem_size=7, key_dim=16, heads=1, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.filters = integer("filters", filters)
        self.blocks = integer("blocks", blocks)
        self.depth = integer("depth", depth)
        self.stem_size = odd("stem_size", stem_size, low=3)
        self.key_dim = integer("key_dim", key_dim)
        self.heads = integer("heads", heads)
        self.dropout = in_half_open_interval("dropout", dropout, 0.0, 1.0)
        if self.filters % self.heads:
            raise ValueError(f"`heads` must be a divisor of filters={filters}. Received: heads={heads}.")
        self.reach = self.stem_size // 2
        policy = self.dtype_policy
        self.stem = MaskedConv2D(self.filters, self.stem_size, "A", dtype=policy, name="stem")
        self.residual = [
            [
                ResidualRasterBlock(self.filters, dropout=self.dropout, dtype=policy, name=f"residual_{b}_{n}")
                for n in range(self.depth)
            ]
            for b in range(self.blocks)
        ]
        value_dim = self.filters // self.heads
        self.attention = [
            RasterAttention(self.key_dim, value_dim, self.heads, dtype=policy, name=f"attention_{b}")
            for b in range(self.blocks)
        ]
        self.merge = [layers.Dense(self.filters, dtype=policy, name=f"merge_{b}") for b in range(self.blocks)]
        self.last = layers.Dense(self.filters, dtype=policy, name="last")

    def build_parts(self, x_shape, condition_shape):
        self.stem.build(x_shape)
        shape, channels = tuple(x_shape[:-1]), x_shape[-1]
        for blocks, attention, merge in zip(self.residual, self.attention, self.merge, strict=True):
            for block in blocks:
                block.build((*shape, self.filters), condition_shape)
            attention.build((*shape, self.filters + 2), (*shape, self.filters + channels + 2))
            merge.build((*shape, 4 * self.filters))
        self.last.build((*shape, 2 * self.filters))

    def features(self, x, condition, training):
        h = self.stem(x)
        places = ops.convert_to_tensor(_places(*x.shape[1:3]), dtype=h.dtype)[None]
        places = ops.broadcast_to(places, (*ops.shape(h)[:-1], 2))
        for blocks, attention, merge in zip(self.residual, self.attention, self.merge, strict=True):
            for block in blocks:
                h = block(h, condition, training=training)
            seen = attention(*_attended(h, ops.cast(x, h.dtype), places))
            h = h + merge(elu2(ops.concatenate([h, seen], axis=-1)))
        return ops.elu(self.last(elu2(h)))

    def start(self, batch, grid, channels, condition=None):
        return {
            "x": ops.zeros((batch, self.stem.above, grid[1], channels), dtype=self.compute_dtype),
            "rows": [[block.start(batch, grid[1]) for block in blocks] for blocks in self.residual],
            "kept": [attention.empty(batch, grid[0] * grid[1]) for attention in self.attention],
            "places": ops.convert_to_tensor(_places(*grid), dtype=self.compute_dtype)[None],
            **({} if condition is None else {"condition": spread(condition, grid)}),
        }

    def start_row(self, memory, i):
        condition = row_of(memory.get("condition"), i)
        stem = self.stem.from_above(memory["x"])
        above, begun = [], []
        for blocks, rows in zip(self.residual, memory["rows"], strict=True):
            pairs = [block.start_row(part, condition) for block, part in zip(blocks, rows, strict=True)]
            above.append([pair[0] for pair in pairs])
            begun.append([pair[1] for pair in pairs])
        batch, width = ops.shape(stem)[0], stem.shape[1]
        pending = [ops.zeros((batch, self.filters), dtype=self.compute_dtype) for _ in self.attention]
        places = ops.broadcast_to(row_of(memory["places"], i)[:, 0], (batch, width, 2))
        given = {"stem": stem, "above": above, "places": places, "first": i * width}
        return memory, given, {"rows": begun, "kept": memory["kept"], "pending": pending}

    def at(self, given, state, window, j):
        h, places = self.stem.at(given["stem"][:, j], window), given["places"][:, j]
        rows, pending = [], []
        for n, (blocks, attention, merge) in enumerate(zip(self.residual, self.attention, self.merge, strict=True)):
            rows.append([])
            for block, above, row in zip(blocks, given["above"][n], state["rows"][n], strict=True):
                h, row = block.at(above, row, h, j)
                rows[-1].append(row)
            pending.append(h)
            query = ops.concatenate([h, places], axis=-1)
            seen = attention.at(query, state["kept"][n], given["first"] + j)
            h = h + merge(elu2(ops.concatenate([h, seen], axis=-1)))
        return ops.elu(self.last(elu2(h))), {**state, "rows": rows, "pending": pending}

    def know(self, given, state, x, j):
        places, kept = given["places"][:, j], []
        for attention, before, h in zip(self.attention, state["kept"], state["pending"], strict=True):
            kept.append(attention.keep(before, _attended(h, x, places)[1], given["first"] + j))
        return {**state, "kept": kept}

    def end_row(self, memory, state, row):
        rows = [
            [block.end_row(old, new) for block, old, new in zip(blocks, past, begun, strict=True)]
            for blocks, past, begun in zip(self.residual, memory["rows"], state["rows"], strict=True)
        ]
        x = ops.concatenate([memory["x"][:, 1:], row[:, None]], axis=1)
        return {**memory, "x": x, "rows": rows, "kept": state["kept"]}


def _attended(h, x, places):
    """What asks, and what is asked: features with their place, and the data beside them."""
    return ops.concatenate([h, places], axis=-1), ops.concatenate([h, x, places], axis=-1)


def _places(height, width):
    """Where each position stands, from -1/2 to 1/2 in both directions: (height, width, 2)."""
    rows, columns = (np.arange(size, dtype="float32") / max(1, size - 1) - 0.5 for size in (height, width))
    return np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
