"""The convolution of the vertical stack: the rows above, and nothing of the row itself that is data."""

import math

import keras
from keras import ops

from keras_vae.core.checks import integer, odd, one_of
from keras_vae.core.registration import Configured, registered


@registered
class VerticalConv2D(Configured, keras.layers.Layer):
    """Convolution over whole rows: what keeps PixelCNNs from a blind spot (van den Oord et al. 2016, section 2.2).

    Row i of type "A" sees the rows above it, from column j - k // 2 to j + k // 2. Type "B", for features of type "A",
    sees row i too: they know nothing of the data in it.

    Args:
        filters: int >= 1, output channels.
        kernel_size: int, odd, k: the width; k // 2 rows above are seen.
        mask_type: "A" or "B". Default: "B".
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, height, width, channels).

    Output shape:
        (batch, height, width, filters).

    Raises:
        ValueError: if an argument is out of range.

    Reference:
        van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves & Kavukcuoglu 2016, Conditional Image Generation with
        PixelCNN Decoders, arXiv:1606.05328.

    Example:

    >>> import keras, keras_vae, numpy as np
    >>> layer = keras_vae.VerticalConv2D(1, 3, mask_type="A")
    >>> layer.build((None, 2, 3, 1))
    >>> layer.set_weights([np.ones((1, 3, 1, 1)), np.zeros(1)])
    >>> keras.ops.convert_to_numpy(layer(np.ones((1, 2, 3, 1), "float32")))[0, :, :, 0].tolist()
    [[0.0, 0.0, 0.0], [2.0, 3.0, 2.0]]
    """

    def __init__(self, filters, kernel_size, mask_type="B", **kwargs):
        super().__init__(**kwargs)
        self.filters = integer("filters", filters)
        self.kernel_size = odd("kernel_size", kernel_size)
        self.mask_type = one_of("mask_type", mask_type, ("A", "B"))
        self.above = self.reach = self.kernel_size // 2
        self.rows = self.above + (mask_type == "B")
        if not self.rows:
            raise ValueError('`kernel_size` must be 3 or more for mask_type="A". Received: kernel_size=1.')

    def build(self, input_shape):
        channels = input_shape[-1]
        limit = math.sqrt(6.0 / (self.rows * self.kernel_size * (channels + self.filters)))
        self.kernel = self.add_weight(
            shape=(self.rows, self.kernel_size, channels, self.filters),
            initializer=keras.initializers.RandomUniform(-limit, limit),
            name="kernel",
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x):
        """Values at every position at once."""
        height = ops.shape(x)[1]
        x = ops.pad(x, ((0, 0), (self.above, 0), (self.reach, self.reach), (0, 0)))
        y = ops.conv(x, ops.cast(self.kernel, self.compute_dtype), padding="valid")
        return y[:, :height] + ops.cast(self.bias, self.compute_dtype)  # type "A" has a row more, below the last

    def of_row(self, rows):
        """The values of one row.

        Args:
            rows: tensor (batch, rows seen, width, channels): k // 2 rows above, and for type "B" the row itself.

        Returns:
            Tensor (batch, width, filters).
        """
        width = rows.shape[2]
        rows = ops.pad(rows, ((0, 0), (0, 0), (self.reach, self.reach), (0, 0)))
        taps = [rows[:, r, d : d + width] for r in range(self.rows) for d in range(self.kernel_size)]
        kernel = ops.reshape(ops.cast(self.kernel, self.compute_dtype), (-1, self.filters))
        return ops.matmul(ops.concatenate(taps, axis=-1), kernel) + ops.cast(self.bias, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.filters)
