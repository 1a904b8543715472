"""The gated residual block of PixelCNN."""

from keras import layers, ops

from keras_vae.core.checks import in_half_open_interval, integer, one_of
from keras_vae.core.registration import Configured, registered
from keras_vae.layers.masked_conv2d import MaskedConv2D
from keras_vae.layers.vertical_conv2d import VerticalConv2D, odd


@registered
class GatedRasterBlock(Configured, layers.Layer):
    """One layer of the gated PixelCNN: a vertical stack of the rows above feeds a horizontal stack of the row itself.

    v' = gate(conv(v) + V c), h' = h + W gate(conv(h) + L conv(v) + H c), gate(a, b) = tanh(a) sigmoid(b), figure 2 and
    equation 4 of van den Oord et al. 2016; v is added to v' too. The first block, of type "A", takes data as both v and
    h, and adds neither. Between the two stacks there is no blind spot.

    Args:
        filters: int >= 1, channels of both stacks; divisible by `channel_groups`.
        kernel_size: int, odd. Default: 3.
        mask_type: "A" for data, "B" for features. Default: "B".
        channel_groups: int >= 1, channels that follow each other at one position. Default: 1.
        dropout: float in [0, 1), the share of gated features that are dropped while training. Default: 0.0.
        **kwargs: of keras.layers.Layer.

    Input shape:
        vertical, horizontal: (batch, height, width, channels); condition: (batch, height or 1, width or 1, features).

    Output shape:
        Two tensors (batch, height, width, filters).

    Raises:
        ValueError: if an argument is out of range.

    Reference:
        van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves & Kavukcuoglu 2016, Conditional Image Generation with
        PixelCNN Decoders, arXiv:1606.05328.

    Example:

    >>> import numpy as np, keras_vae
    >>> x = np.ones((1, 4, 5, 2), "float32")
    >>> [tuple(y.shape) for y in keras_vae.GatedRasterBlock(6, mask_type="A")(x, x)]
    [(1, 4, 5, 6), (1, 4, 5, 6)]
    """

    def __init__(self, filters, kernel_size=3, mask_type="B", channel_groups=1, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.filters = integer("filters", filters)
        self.kernel_size = odd("kernel_size", kernel_size)
        self.mask_type = one_of("mask_type", mask_type, ("A", "B"))
        self.channel_groups = integer("channel_groups", channel_groups)
        self.dropout = in_half_open_interval("dropout", dropout, 0.0, 1.0)
        groups, policy, gates = self.channel_groups, self.dtype_policy, 2 * self.filters
        self.down = VerticalConv2D(gates, self.kernel_size, mask_type, dtype=policy, name="down")
        self.link = layers.Dense(gates, use_bias=False, dtype=policy, name="link")
        self.right = MaskedConv2D(gates, (1, self.kernel_size), mask_type, groups, dtype=policy, name="right")
        self.project = MaskedConv2D(self.filters, 1, "B", groups, dtype=policy, name="project")
        self.given = None
        self.drop = layers.Dropout(self.dropout, dtype=policy)

    def build(self, vertical_shape, horizontal_shape, condition_shape=None):
        self.down.build(vertical_shape)
        self.link.build((*vertical_shape[:-1], 2 * self.filters))
        self.right.build(horizontal_shape)
        self.project.build((*horizontal_shape[:-1], self.filters))
        if condition_shape is not None:
            self.given = layers.Dense(4 * self.filters, use_bias=False, dtype=self.dtype_policy, name="given")
            self.given.build(condition_shape)

    def call(self, vertical, horizontal, condition=None, training=False):
        """Both stacks at every position at once."""
        below, offset = self._vertical(self.down(vertical), condition)
        gated = self.drop(self._gate(self.right(horizontal) + offset), training=training)
        beside = self.project(gated)
        return (below, beside) if self.mask_type == "A" else (vertical + below, horizontal + beside)

    def of_row(self, rows, condition=None):
        """The vertical stack in one row.

        Args:
            rows: tensor (batch, rows, width, channels) of v, as `VerticalConv2D.of_row` takes.
            condition: tensor (batch, 1, width or 1, features), of the row, or None.

        Returns:
            v' (batch, width, filters), and what the horizontal stack adds, (batch, width, 2 filters).
        """
        below, offset = self._vertical(self.down.of_row(rows)[:, None], condition)
        return (below if self.mask_type == "A" else rows[:, -1:] + below)[:, 0], offset[:, 0]

    def at(self, offset, window, j):
        """The horizontal stack at one position.

        Args:
            offset: tensor (batch, width, 2 filters), as `of_row` gave.
            window: tensor (batch, k // 2 + 1, channels) of h: the positions before, and this one.
            j: int scalar, the column.

        Returns:
            Tensor (batch, filters).
        """
        gated = self._gate(self.right.at(offset[:, j], window))
        beside = self.project.at(0.0, gated[:, None])
        return beside if self.mask_type == "A" else window[:, -1] + beside

    def _vertical(self, features, condition):
        offset = self.link(features)
        if condition is not None:
            to_below, to_offset = ops.split(self.given(condition), 2, axis=-1)
            features, offset = features + to_below, offset + to_offset
        return _gate(*ops.split(features, 2, axis=-1)), offset

    def _gate(self, features):
        """As `_gate`, both halves of each group of channels from that group."""
        if self.channel_groups == 1:
            return _gate(*ops.split(features, 2, axis=-1))
        groups, shape = self.channel_groups, ops.shape(features)[:-1]
        features = ops.reshape(features, (*shape, groups, 2, self.filters // groups))
        return ops.reshape(_gate(features[..., 0, :], features[..., 1, :]), (*shape, self.filters))

    def compute_output_shape(self, vertical_shape, horizontal_shape, condition_shape=None):
        shape = (*horizontal_shape[:-1], self.filters)
        return shape, shape


def _gate(a, b):
    return ops.tanh(a) * ops.sigmoid(b)
