"""The parts that the nets of VQ-VAE and those between the levels of VQ-VAE-2 are made of, over one to three axes."""

from keras_vae.layers.chain import Chain
from keras_vae.layers.residual_stack import ResidualStack
from keras_vae.layers.spatial import CONVOLUTIONS, UPSAMPLINGS, spatial_axes


def widths(hidden, levels):
    """Channels from full resolution inwards: half the width at the first level, as in the paper's implementation."""
    return [max(1, hidden // 2)] + [hidden] * (levels - 1) if levels else []


def body_parts(axes, hidden, residual_hidden, depth, policy):
    """A convolution of 3, and residual blocks."""
    return [
        CONVOLUTIONS[axes](hidden, 3, padding="same", dtype=policy, name="body"),
        ResidualStack(hidden, residual_hidden, depth, dtype=policy, name="residual"),
    ]


def down_parts(axes, filters, hidden, residual_hidden, depth, policy):
    """Convolutions of 4 and stride 2 with these `filters`, then the body."""
    down = [
        CONVOLUTIONS[axes](n, 4, strides=2, padding="same", activation="relu", dtype=policy, name=f"down_{i}")
        for i, n in enumerate(filters)
    ]
    return [*down, *body_parts(axes, hidden, residual_hidden, depth, policy)]


def up_parts(axes, channels, hidden, residual_hidden, levels, depth, policy):
    """The body, then transposed convolutions of 4 and stride 2; the last layer is linear, and float32."""
    body = body_parts(axes, hidden, residual_hidden, depth, policy)
    if levels == 0:
        return [*body, CONVOLUTIONS[axes](channels, 3, padding="same", dtype="float32", name="output")]
    up = [
        UPSAMPLINGS[axes](n, 4, activation="relu", dtype=policy, name=f"up_{i}")
        for i, n in enumerate(widths(hidden, levels)[-2::-1])
    ]
    return [*body, *up, UPSAMPLINGS[axes](channels, 4, dtype="float32", name="output")]


class Trunk(Chain):
    """What an encoder makes of its input before it gives features of it."""

    def __init__(self, filters, hidden, residual_hidden, depth, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.hidden, self.residual_hidden, self.depth = filters, hidden, residual_hidden, depth

    def make_parts(self, input_shape):
        axes = spatial_axes("x", input_shape)
        return down_parts(axes, self.filters, self.hidden, self.residual_hidden, self.depth, self.dtype_policy)


class Upwards(Chain):
    """What is known of a level, brought to the size of the next one."""

    def __init__(self, channels, hidden, residual_hidden, levels, depth, **kwargs):
        super().__init__(**kwargs)
        self.channels, self.hidden, self.residual_hidden = channels, hidden, residual_hidden
        self.levels, self.depth = levels, depth

    def make_parts(self, input_shape):
        sizes = (self.channels, self.hidden, self.residual_hidden, self.levels, self.depth)
        return up_parts(spatial_axes("h", input_shape), *sizes, self.dtype_policy)
