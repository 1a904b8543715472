"""The first PixelCNN."""

from keras import layers, ops

from keras_vae.core.checks import integer, odd
from keras_vae.core.registration import registered
from keras_vae.layers import MaskedConv2D
from keras_vae.nets.raster_net import RasterNet, row_of, spread


@registered
class PlainPixelCNN(RasterNet):
    """The first PixelCNN: features of each position from positions before it, by masked convolutions alone.

    h = conv_A(x), then `depth` times h <- h + conv_B(relu(h)), and relu(h) (van den Oord, Kalchbrenner & Kavukcuoglu
    2016, section 3, with one convolution in each residual block). It is quicker than `PixelCNN`, and has a blind spot
    that the gated one mends: a part of what comes before, to the upper right, that no depth of such masks ever sees.

    Args:
        filters: int >= 1, channels; divisible by `channel_groups`. Default: 64.
        depth: int >= 0, convolutions behind the first. Default: 7.
        kernel_size: int, odd, 3 or more. Default: 3.
        stem_size: int, odd, 3 or more, kernel of the first convolution. Default: 7.
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
        van den Oord, Kalchbrenner & Kavukcuoglu 2016, Pixel Recurrent Neural Networks, arXiv:1601.06759.

    Example:

    >>> import keras, keras_vae, numpy as np
    >>> net = keras_vae.PlainPixelCNN(filters=16, depth=1)
    >>> x = np.ones((1, 6, 6, 1), "float32")
    >>> changed = x.copy()
    >>> changed[0, 3, 2] = 9.0
    >>> difference = np.abs(keras.ops.convert_to_numpy(net(x) - net(changed))).sum(axis=-1)[0]
    >>> bool(difference[:3].any()), bool(difference[3, :3].any()), bool(difference[3:].any())
    (False, False, True)
    """

    def __init__(self, filters=64, depth=7, kernel_size=3, stem_size=7, channel_groups=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = integer("filters", filters)
        self.depth = integer("depth", depth, low=0)
        self.kernel_size = odd("kernel_size", kernel_size, low=3)
        self.stem_size = odd("stem_size", stem_size, low=3)
        self.channel_groups = integer("channel_groups", channel_groups)
        self.reach = self.stem_size // 2
        options = {"channel_groups": self.channel_groups, "dtype": self.dtype_policy}
        self.stem = MaskedConv2D(filters, self.stem_size, "A", name="stem", **options)
        self.convs = [
            MaskedConv2D(filters, self.kernel_size, "B", name=f"conv_{n}", **options) for n in range(self.depth)
        ]
        self.given = None

    def build_parts(self, x_shape, condition_shape):
        self.stem.build(x_shape)
        for conv in self.convs:
            conv.build((*x_shape[:-1], self.filters))
        if condition_shape is not None:
            self.given = layers.Dense(self.filters, use_bias=False, dtype=self.dtype_policy, name="given")
            self.given.build(condition_shape)

    def features(self, x, condition, training):
        h = self.stem(x)
        h = h if condition is None else h + self.given(condition)
        for conv in self.convs:
            h = h + conv(ops.relu(h))
        return ops.relu(h)

    def start(self, batch, grid, channels, condition=None):
        return {
            "x": self._zeros(batch, self.stem.above, grid[1], channels),
            "rows": [self._zeros(batch, conv.above, grid[1], self.filters) for conv in self.convs],
            **({} if condition is None else {"condition": self.given(spread(condition, grid))}),
        }

    def start_row(self, memory, i):
        stem = self.stem.from_above(memory["x"])
        if "condition" in memory:
            stem = stem + row_of(memory["condition"], i)[:, 0]
        above = [conv.from_above(rows) for conv, rows in zip(self.convs, memory["rows"], strict=True)]
        batch, width = ops.shape(stem)[0], stem.shape[1]
        return memory, [stem, *above], [self._zeros(batch, conv.reach + width, self.filters) for conv in self.convs]

    def at(self, given, state, window, j):
        h, rows = self.stem.at(given[0][:, j], window), []
        for conv, above, row in zip(self.convs, given[1:], state, strict=True):
            y, row = conv.write(above, row, ops.relu(h), j)
            h = h + y
            rows.append(row)
        return ops.relu(h), rows

    def end_row(self, memory, state, row):
        rows = [
            ops.concatenate([old[:, 1:], new[:, None, conv.reach :]], axis=1)
            for conv, old, new in zip(self.convs, memory["rows"], state, strict=True)
        ]
        return {**memory, "x": ops.concatenate([memory["x"][:, 1:], row[:, None]], axis=1), "rows": rows}

    def _zeros(self, *shape):
        return ops.zeros(shape, dtype=self.compute_dtype)
