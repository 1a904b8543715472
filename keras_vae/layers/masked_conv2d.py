"""A convolution that sees only what comes before, in raster order."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae import _backend
from keras_vae.core.checks import instance, integer, odd, one_of
from keras_vae.core.registration import Configured, registered


@registered
class MaskedConv2D(Configured, keras.layers.Layer):
    """Convolution over the rows above and the positions to the left: position (i, j) sees nothing that comes after it.

    Type "A", for data, leaves out the position itself; type "B", for features of a layer below, sees it. Where each
    position has several channels that come one after the other, as red, green and blue, `channel_groups` divides
    inputs and filters into as many equal groups: at the position itself group g sees the groups before it, and with
    type "B" itself too (van den Oord, Kalchbrenner & Kavukcuoglu 2016, section 3.4).

    There are weights for the taps that are seen, and none under the mask. `from_above` and `at` compute one row and one
    position at a time, which is what samplers are made of: together they give the values of `call`.

    Args:
        filters: int >= 1, output channels; divisible by `channel_groups`.
        kernel_size: int, or (height, width), odd; of the height the upper half is there.
        mask_type: "A" or "B". Default: "B".
        channel_groups: int >= 1, channels that follow each other at one position. Default: 1.
        use_bias: bool. Default: True.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, height, width, channels), channels divisible by `channel_groups`.

    Output shape:
        (batch, height, width, filters).

    Raises:
        ValueError: if a size is even, a number of channels is not divisible, or the mask leaves nothing to see.
        TypeError: if an argument is of another type.

    Reference:
        van den Oord, Kalchbrenner & Kavukcuoglu 2016, Pixel Recurrent Neural Networks, arXiv:1601.06759.

    Example:

    >>> import keras, keras_vae, numpy as np
    >>> layer = keras_vae.MaskedConv2D(1, 3, mask_type="A")
    >>> layer.build((None, 2, 3, 1))
    >>> layer.set_weights([np.ones(weight.shape) for weight in layer.weights[:-1]] + [np.zeros(1)])
    >>> keras.ops.convert_to_numpy(layer(np.ones((1, 2, 3, 1), "float32")))[0, :, :, 0].tolist()
    [[0.0, 1.0, 1.0], [2.0, 4.0, 3.0]]
    """

    def __init__(self, filters, kernel_size, mask_type="B", channel_groups=1, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.filters = integer("filters", filters)
        sizes = kernel_size if isinstance(kernel_size, (tuple, list)) else (kernel_size,) * 2
        self.kernel_size = tuple(odd("kernel_size", size) for size in sizes)
        if len(sizes) != 2:
            raise ValueError(
                f"`kernel_size` must be odd, or a pair of odd sizes. Received: kernel_size={kernel_size!r}."
            )
        self.mask_type = one_of("mask_type", mask_type, ("A", "B"))
        self.channel_groups = integer("channel_groups", channel_groups)
        self.use_bias = instance("use_bias", use_bias, bool)
        self.above, self.reach = (size // 2 for size in self.kernel_size)  # rows above, and positions to the left
        self.sees_itself = mask_type == "B" or self.channel_groups > 1
        if not self.above and not self.reach and not self.sees_itself:
            raise ValueError(
                '`kernel_size` must be more than 1 for mask_type="A" and one channel, which sees nothing otherwise. '
                f"Received: kernel_size={kernel_size!r}."
            )
        divisible("filters", self.filters, self.channel_groups)

    def build(self, input_shape):
        channels = input_shape[-1]
        divisible("x", channels, self.channel_groups)
        width = self.kernel_size[1]
        self.seen = self.reach + self.sees_itself  # taps in the row itself
        taps = self.above * width + self.seen
        limit = math.sqrt(6.0 / (taps * (channels + self.filters)))  # Glorot's, by the taps that are there
        options = {"initializer": keras.initializers.RandomUniform(-limit, limit)}
        shape = (channels, self.filters)
        self.upper = self.row = self.bias = None
        if self.above:
            self.upper = self.add_weight(shape=(self.above, width, *shape), name="upper", **options)
        if self.seen:
            self.row = self.add_weight(shape=(1, self.seen, *shape), name="row", **options)
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")
        self.mask = None
        if self.channel_groups > 1:
            source, target = (np.arange(size) * self.channel_groups // size for size in shape)
            itself = source[:, None] < target if self.mask_type == "A" else source[:, None] <= target
            self.mask = np.ones((1, self.seen, *shape), "float32")
            self.mask[:, -1] = itself

    def call(self, x):
        """Values at every position at once."""
        width = ops.shape(x)[2]
        x = ops.pad(x, ((0, 0), (self.above, 0), (self.reach, self.reach if self.above else 0), (0, 0)))
        kernel = self._row()
        if self.above:
            upper = self._cast(self.upper)
            zeros = ops.zeros((1, self.kernel_size[1] - self.seen, *upper.shape[2:]), dtype=upper.dtype)
            last = zeros if kernel is None else ops.concatenate([kernel, zeros], axis=1)
            kernel = ops.concatenate([upper, last], axis=0)
        y = ops.conv(x, kernel, padding="valid")[:, :, :width]  # a row that does not see itself is one value longer
        return y if self.bias is None else y + self._cast(self.bias)

    def from_above(self, rows):
        """What the rows above give to a row, without the bias.

        Args:
            rows: tensor (batch, kernel height // 2, width, channels), the last rows, the nearest last.

        Returns:
            Tensor (batch, width, filters).
        """
        width = rows.shape[2]
        if not self.above:
            return ops.zeros((ops.shape(rows)[0], width, self.filters), dtype=self.compute_dtype)
        rows = ops.pad(rows, ((0, 0), (0, 0), (self.reach, self.reach), (0, 0)))
        taps = [rows[:, r, d : d + width] for r in range(self.above) for d in range(self.kernel_size[1])]
        return ops.matmul(ops.concatenate(taps, axis=-1), ops.reshape(self._cast(self.upper), (-1, self.filters)))

    def at(self, above, window):
        """The value at one position.

        Args:
            above: tensor (batch, filters), what `from_above` gave there, or a number to add.
            window: tensor (batch, reach + 1, channels): the positions to the left, kernel width // 2 of them, and the
                position itself.

        Returns:
            Tensor (batch, filters).
        """
        return self._at(above, [window[:, tap] for tap in range(self.seen)])

    def write(self, above, row, value, j):
        """The value at a column of a row that is known up to there, and the row with that column.

        Args:
            above: tensor (batch, width, filters), what `from_above` gave.
            row: tensor (batch, reach + width, channels), the row so far, behind `reach` zeros.
            value: tensor (batch, channels), the input at the column.
            j: int scalar, the column.

        Returns:
            Tensor (batch, filters), and `row` with `value` in it.
        """
        row = _backend.write_slice(row, (0, self.reach + j, 0), value[:, None])  # first, or XLA copies what was read
        return self._at(above[:, j], [row[:, j + tap] for tap in range(self.seen)]), row

    def _at(self, above, taps):
        """The value of the taps in the row itself, (batch, channels) each, and of what is above."""
        y = above
        if taps:
            # Brackets and `@`: on torch, where each position is Python, `ops.reshape` and `ops.matmul` take ten times
            # as long. One product of all taps: XLA takes twice as long for one of each.
            row = self._row()
            kernel = _joined([row[0, tap] for tap in range(self.seen)], axis=0)
            y = self._cast(_joined(taps, axis=-1)) @ kernel + y
        return y if self.bias is None else y + self._cast(self.bias)

    def _row(self):
        """The kernel of the row itself, masked: (1, taps, channels, filters), or None."""
        row = self._cast(self.row)
        return row if self.mask is None else row * ops.cast(self.mask, row.dtype)

    def _cast(self, value):
        return None if value is None else ops.cast(value, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)


def _joined(parts, axis):
    return parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=axis)


def divisible(name, size, groups):
    """Raises unless `size` channels can be divided into `groups` equal groups."""
    if size % groups:
        raise ValueError(
            f"`{name}` must have a number of channels divisible by channel_groups={groups}. Received: {size}."
        )
