"""The gated PixelCNN."""

from keras import ops

from keras_vae.core.checks import in_half_open_interval, integer, odd
from keras_vae.core.registration import registered
from keras_vae.layers import GatedRasterBlock, MaskedConv2D
from keras_vae.nets.raster_net import RasterNet, row_of, spread


@registered
class PixelCNN(RasterNet):
    """Gated PixelCNN without a blind spot: features of each position from all positions before it, in raster order.

    A block of type "A" with a wide kernel, `depth` blocks of type "B", then a 1x1 convolution (van den Oord et al.
    2016, section 2). Drawing computes the vertical stack once a row and the horizontal one once a position, so that a
    position costs the same however large the image is.

    Args:
        filters: int >= 1, channels; divisible by `channel_groups`. Default: 64.
        depth: int >= 0, blocks behind the first. Default: 7.
        kernel_size: int, odd, 3 or more. Default: 3.
        stem_size: int, odd, 3 or more, kernel of the first block. Default: 7.
        dropout: float in [0, 1), in each block. Default: 0.0.
        channel_groups: int >= 1, for data whose channels are drawn one after the other, such as binary images of three
            channels: their number. Default: 1.
        **kwargs: of keras.layers.Layer.

    Input shape:
        x: (batch, height, width, channels), features of the data; condition: (batch, c) or (batch, h, w, c), or none.

    Output shape:
        (batch, height, width, filters), those at a position independent of x there and behind.

    Raises:
        ValueError: if an argument is out of range.

    Reference:
        van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves & Kavukcuoglu 2016, Conditional Image Generation with
        PixelCNN Decoders, arXiv:1606.05328.

    Example:

    >>> import keras, keras_vae, numpy as np
    >>> net = keras_vae.PixelCNN(filters=4, depth=1)
    >>> x = np.ones((1, 6, 6, 1), "float32")
    >>> changed = x.copy()
    >>> changed[0, 3, 2] = 9.0
    >>> difference = np.abs(keras.ops.convert_to_numpy(net(x) - net(changed))).sum(axis=-1)[0]
    >>> bool(difference[:3].any()), bool(difference[3, :3].any()), bool(difference[3, 3:].all())
    (False, False, True)
    """

    def __init__(self, filters=64, depth=7, kernel_size=3, stem_size=7, dropout=0.0, channel_groups=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = integer("filters", filters)
        self.depth = integer("depth", depth, low=0)
        self.kernel_size = odd("kernel_size", kernel_size, low=3)
        self.stem_size = odd("stem_size", stem_size, low=3)
        self.dropout = in_half_open_interval("dropout", dropout, 0.0, 1.0)
        self.channel_groups = integer("channel_groups", channel_groups)
        self.reach = self.stem_size // 2
        options = {"channel_groups": self.channel_groups, "dtype": self.dtype_policy}
        self.stem = GatedRasterBlock(filters, self.stem_size, "A", dropout=self.dropout, name="stem", **options)
        self.blocks = [
            GatedRasterBlock(filters, self.kernel_size, "B", dropout=self.dropout, name=f"block_{n}", **options)
            for n in range(self.depth)
        ]
        self.last = MaskedConv2D(filters, 1, "B", name="last", **options)

    def build_parts(self, x_shape, condition_shape):
        self.stem.build(x_shape, x_shape, condition_shape)
        shape = (*x_shape[:-1], self.filters)
        for block in self.blocks:
            block.build(shape, shape, condition_shape)
        self.last.build(shape)

    def features(self, x, condition, training):
        vertical, horizontal = self.stem(x, x, condition, training=training)
        for block in self.blocks:
            vertical, horizontal = block(vertical, horizontal, condition, training=training)
        return ops.relu(self.last(ops.relu(horizontal)))

    def start(self, batch, grid, channels, condition=None):
        width, rows = grid[1], self.kernel_size // 2
        return {
            "x": ops.zeros((batch, self.reach, width, channels), dtype=self.compute_dtype),
            "vertical": [self._zeros(batch, rows, width) for _ in self.blocks],
            **({} if condition is None else {"condition": spread(condition, grid)}),
        }

    def start_row(self, memory, i):
        condition = row_of(memory.get("condition"), i)
        vertical, offset = self.stem.of_row(memory["x"], condition)
        offsets, kept = [offset], []
        for block, rows in zip(self.blocks, memory["vertical"], strict=True):
            rows = ops.concatenate([rows, vertical[:, None]], axis=1)
            vertical, offset = block.of_row(rows, condition)
            offsets.append(offset)
            kept.append(rows[:, 1:])
        batch = ops.shape(offset)[0]
        state = [self._zeros(batch, self.kernel_size // 2) for _ in self.blocks]
        return {**memory, "vertical": kept}, offsets, state

    def at(self, given, state, window, j):
        horizontal, registers = self.stem.at(given[0], window, j), []
        for block, offset, past in zip(self.blocks, given[1:], state, strict=True):
            window = ops.concatenate([past, horizontal[:, None]], axis=1)
            horizontal = block.at(offset, window, j)
            registers.append(window[:, 1:])
        return ops.relu(self.last.at(0.0, ops.relu(horizontal)[:, None])), registers

    def end_row(self, memory, state, row):
        return {**memory, "x": ops.concatenate([memory["x"][:, 1:], row[:, None]], axis=1)}

    def _zeros(self, *shape):
        return ops.zeros((*shape, self.filters), dtype=self.compute_dtype)
