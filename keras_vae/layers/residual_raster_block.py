"""The residual block of PixelSNAIL."""

from keras import layers, ops

from keras_vae.core.checks import in_half_open_interval, integer, odd
from keras_vae.core.registration import Configured, registered
from keras_vae.layers.masked_conv2d import MaskedConv2D


@registered
class ResidualRasterBlock(Configured, layers.Layer):
    """x + a sigmoid(b), (a, b) = conv(dropout(elu2(conv(elu2(x)) + W c))): the gated residual block of PixelSNAIL.

    elu2(x) is elu of x and of -x, side by side; both convolutions see only what comes before and the position itself
    (Salimans et al. 2017, section 2.5; Chen et al. 2018, figure 3, with masked 3x3 kernels for their shifted 2x2).

    Args:
        filters: int >= 1, channels.
        kernel_size: int, odd. Default: 3.
        dropout: float in [0, 1). Default: 0.0.
        **kwargs: of keras.layers.Layer.

    Input shape:
        x: (batch, height, width, filters); condition: (batch, height or 1, width or 1, features), or none.

    Output shape:
        (batch, height, width, filters).

    Raises:
        ValueError: if an argument is out of range.

    Reference:
        Chen, Mishra, Rohaninejad & Abbeel 2018, arXiv:1712.09763; Salimans et al. 2017, arXiv:1701.05517.

    Example:

    >>> import numpy as np, keras_vae
    >>> tuple(keras_vae.ResidualRasterBlock(4)(np.ones((1, 5, 6, 4), "float32")).shape)
    (1, 5, 6, 4)
    """

    def __init__(self, filters, kernel_size=3, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.filters = integer("filters", filters)
        self.kernel_size = odd("kernel_size", kernel_size)
        self.dropout = in_half_open_interval("dropout", dropout, 0.0, 1.0)
        policy = self.dtype_policy
        self.convs = [
            MaskedConv2D(self.filters, self.kernel_size, dtype=policy, name="first"),
            MaskedConv2D(2 * self.filters, self.kernel_size, dtype=policy, name="second"),
        ]
        self.reach = self.above = self.kernel_size // 2
        self.given = None
        self.drop = layers.Dropout(self.dropout, dtype=policy)

    def build(self, x_shape, condition_shape=None):
        for conv in self.convs:
            conv.build((*x_shape[:-1], 2 * self.filters))
        if condition_shape is not None:
            self.given = layers.Dense(self.filters, use_bias=False, dtype=self.dtype_policy, name="given")
            self.given.build(condition_shape)

    def call(self, x, condition=None, training=False):
        """Values at every position at once."""
        y = self.convs[0](elu2(x))
        y = y if condition is None else y + self.given(condition)
        return x + _gated(self.convs[1](self.drop(elu2(y), training=training)))

    def start(self, batch, width):
        """The last rows of the input of each convolution before the first row: zeros."""
        return [self._zeros(batch, self.above, width) for _ in self.convs]

    def start_row(self, rows, condition=None):
        """What the rows above, and the condition, give to a row in each convolution, and the row before it begins."""
        first, second = (conv.from_above(part) for conv, part in zip(self.convs, rows, strict=True))
        batch, width = ops.shape(first)[0], first.shape[1]
        first = first if condition is None else first + self.given(condition)[:, 0]
        return [first, second], [self._zeros(batch, self.reach + width) for _ in self.convs]

    def at(self, above, row, x, j):
        """The value at one position.

        Args:
            above: what `start_row` gave.
            row: the input of each convolution in this row so far, as `start_row` gave it or `at` left it.
            x: tensor (batch, filters).
            j: int scalar, the column.

        Returns:
            Tensor (batch, filters), and `row` with this position.
        """
        first, row_1 = self.convs[0].write(above[0], row[0], elu2(x), j)
        second, row_2 = self.convs[1].write(above[1], row[1], elu2(first), j)
        return x + _gated(second), [row_1, row_2]

    def end_row(self, rows, row):
        """`rows` moved on by the row that is done."""
        return [
            ops.concatenate([old[:, 1:], new[:, None, self.reach :]], axis=1)
            for old, new in zip(rows, row, strict=True)
        ]

    def _zeros(self, *shape):
        return ops.zeros((*shape, 2 * self.filters), dtype=self.compute_dtype)

    def compute_output_shape(self, x_shape, condition_shape=None):
        return tuple(x_shape)


def elu2(x):
    """elu of x and of -x, side by side on the last axis: (..., 2 channels)."""
    return ops.elu(ops.concatenate([x, -x], axis=-1))


def _gated(x):
    a, b = ops.split(x, 2, axis=-1)
    return a * ops.sigmoid(b)
