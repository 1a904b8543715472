"""The residual encoder and decoder of VQ-VAE, over one, two or three spatial axes."""

from keras_vae.core.checks import integer, integers
from keras_vae.core.registration import registered
from keras_vae.layers import Chain
from keras_vae.layers.spatial import CONVOLUTIONS, check_divisible, spatial_axes
from keras_vae.layers.vq_parts import down_parts, up_parts, widths


@registered
class VQEncoder(Chain):
    """Convolutions of stride 2, a 3x3 convolution, residual blocks, a 1x1 convolution to D features per position.

    At the paper's size, 128x128x3 -> 32x32 positions with two levels (van den Oord 2017, section 4.1). The input says
    over how many axes it goes: signals, images or volumes, with kernels of the same size along each axis.

    Args:
        embedding_dim: int >= 1, D, the features of each position. Default: 64.
        hidden: int >= 1, channels of the body. Default: 128.
        residual_hidden: int >= 1, channels inside a residual block. Default: 32.
        levels: int >= 0, the number of halvings; the total stride is 2 ** levels. Default: 2.
        depth: int >= 0, the number of residual blocks. Default: 2.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, *sizes, channels), of one, two or three sizes, each divisible by the total stride.

    Output shape:
        (batch, *sizes / 2**levels, embedding_dim).

    Raises:
        ValueError: if an argument is out of range, or the input has no such shape.

    Reference:
        van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder = keras_vae.VQEncoder(embedding_dim=8, hidden=8, residual_hidden=4)
    >>> tuple(encoder(np.ones((1, 16, 24, 3), "float32")).shape)
    (1, 4, 6, 8)
    >>> signals = keras_vae.VQEncoder(embedding_dim=8, hidden=8, residual_hidden=4)
    >>> tuple(signals(np.ones((1, 32, 1), "float32")).shape)
    (1, 8, 8)
    """

    def __init__(self, embedding_dim=64, hidden=128, residual_hidden=32, levels=2, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.embedding_dim = integer("embedding_dim", embedding_dim)
        self.hidden = integer("hidden", hidden)
        self.residual_hidden = integer("residual_hidden", residual_hidden)
        self.levels = integer("levels", levels, low=0)
        self.depth = integer("depth", depth, low=0)

    def make_parts(self, input_shape):
        axes, policy = spatial_axes("x", input_shape), self.dtype_policy
        check_divisible("x", input_shape[1:-1], 2**self.levels)
        filters = widths(self.hidden, self.levels)
        return [
            *down_parts(axes, filters, self.hidden, self.residual_hidden, self.depth, policy),
            CONVOLUTIONS[axes](self.embedding_dim, 1, dtype=policy, name="features"),
        ]


@registered
class VQDecoder(Chain):
    """The mirror of `VQEncoder`: a 3x3 convolution, residual blocks, transposed convolutions up to the data's size.

    Args:
        output_shape: (*sizes, channels) of x, the channels times `likelihood.params_per_channel`; one, two or three
            sizes, each divisible by the total stride.
        hidden: int >= 1, channels of the body. Default: 128.
        residual_hidden: int >= 1, channels inside a residual block. Default: 32.
        levels: int >= 0, the number of doublings. Default: 2.
        depth: int >= 0, the number of residual blocks. Default: 2.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, *sizes / 2**levels, embedding_dim), quantized features.

    Output shape:
        (batch, *sizes, channels), linear.

    Raises:
        ValueError: if an argument is out of range, a size is not divisible by the total stride, or the input has no
            such shape.

    Reference:
        van den Oord, Vinyals & Kavukcuoglu 2017, arXiv:1711.00937.

    Example:

    >>> import numpy as np, keras_vae
    >>> decoder = keras_vae.VQDecoder((16, 24, 3), hidden=8, residual_hidden=4)
    >>> tuple(decoder(np.ones((1, 4, 6, 8), "float32")).shape)
    (1, 16, 24, 3)
    """

    def __init__(self, output_shape, hidden=128, residual_hidden=32, levels=2, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.output_shape = integers("output_shape", output_shape)
        self.hidden = integer("hidden", hidden)
        self.residual_hidden = integer("residual_hidden", residual_hidden)
        self.levels = integer("levels", levels, low=0)
        self.depth = integer("depth", depth, low=0)
        if len(self.output_shape) - 1 not in CONVOLUTIONS:
            raise ValueError(
                "`output_shape` must be (*sizes, channels) of one, two or three sizes. "
                f"Received: output_shape={self.output_shape}."
            )
        check_divisible("output_shape", self.output_shape[:-1], 2**self.levels)

    def make_parts(self, input_shape):
        sizes = tuple(size // 2**self.levels for size in self.output_shape[:-1])
        if tuple(input_shape[1:-1]) != sizes:
            accepted = ", ".join(map(str, sizes))
            raise ValueError(
                f"`z` must have shape (batch, {accepted}, features) for output_shape={self.output_shape} and "
                f"levels={self.levels}. Received: shape={tuple(input_shape)}."
            )
        parts = (self.output_shape[-1], self.hidden, self.residual_hidden, self.levels, self.depth)
        return up_parts(len(sizes), *parts, self.dtype_policy)
