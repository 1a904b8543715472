"""The encoder of VQ-VAE-2: features of each level."""

import itertools

import keras

from keras_vae.core.checks import integer
from keras_vae.core.registration import Configured, registered
from keras_vae.layers.spatial import CONVOLUTIONS, check_divisible, spatial_axes
from keras_vae.layers.vq_parts import Trunk, widths


@registered
class HierarchicalEncoder(Configured, keras.layers.Layer):
    """Features by level, from coarse to fine: what a `HierarchicalQuantizer` takes.

    The trunk of the finest level is that of `VQEncoder`; the trunk of each level above goes on from the one below it. A
    1x1 convolution gives the features of each. With one level it is a `VQEncoder` (Razavi et al. 2019, section 3.1).

    Args:
        levels: dict of ints >= 0, name -> the number of halvings of x in all, the top level first, each coarser than
            the next. Default: {"top": 3, "bottom": 2}, as for 8x8 and 16x16 codes of 64x64 images.
        embedding_dim: int >= 1, the features of each position, of every level. Default: 64.
        hidden: int >= 1, channels of the bodies. Default: 128.
        residual_hidden: int >= 1, channels inside a residual block. Default: 32.
        depth: int >= 0, the number of residual blocks of each trunk. Default: 2.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, *sizes, channels), of one, two or three sizes, each divisible by the total stride of the top level.

    Output shape:
        dict, name of a level -> (batch, *sizes / 2**levels[name], embedding_dim).

    Raises:
        TypeError: if `levels` is no dict.
        ValueError: if an argument is out of range, a level is not coarser than the next, or the input has no such
            shape.

    Reference:
        Razavi, van den Oord & Vinyals 2019, arXiv:1906.00446.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder = keras_vae.HierarchicalEncoder(embedding_dim=4, hidden=8, residual_hidden=4)
    >>> {name: tuple(h.shape) for name, h in sorted(encoder(np.ones((1, 16, 16, 3), "float32")).items())}
    {'bottom': (1, 4, 4, 4), 'top': (1, 2, 2, 4)}
    """

    def __init__(self, levels=None, embedding_dim=64, hidden=128, residual_hidden=32, depth=2, **kwargs):
        super().__init__(**kwargs)
        self.levels = _halvings({"top": 3, "bottom": 2} if levels is None else levels)
        self.embedding_dim = integer("embedding_dim", embedding_dim)
        self.hidden = integer("hidden", hidden)
        self.residual_hidden = integer("residual_hidden", residual_hidden)
        self.depth = integer("depth", depth, low=0)

    def build(self, input_shape):
        axes, policy = spatial_axes("x", input_shape), self.dtype_policy
        names = list(self.levels)[::-1]  # the bottom one first
        check_divisible("x", input_shape[1:-1], 2 ** self.levels[names[-1]])
        self.trunks, self.heads = {}, {}
        filters, shape = widths(self.hidden, self.levels[names[0]]), tuple(input_shape)
        for name, above in itertools.zip_longest(names, names[1:]):
            trunk = Trunk(filters, self.hidden, self.residual_hidden, self.depth, dtype=policy, name=f"trunk_{name}")
            trunk.build(shape)
            shape = trunk.compute_output_shape(shape)
            head = CONVOLUTIONS[axes](self.embedding_dim, 1, dtype=policy, name=f"features_{name}")
            head.build(shape)
            self.trunks[name], self.heads[name] = trunk, head
            filters = [self.hidden] * (self.levels[above] - self.levels[name]) if above else None

    def call(self, x, training=False):
        features = {}
        for name, trunk in self.trunks.items():
            x = trunk(x)
            features[name] = self.heads[name](x)
        return features

    def compute_output_shape(self, input_shape):
        batch, *sizes, _ = input_shape
        return {
            name: (batch, *(size // 2**halvings for size in sizes), self.embedding_dim)
            for name, halvings in self.levels.items()
        }


def _halvings(levels):
    if not isinstance(levels, dict) or not levels:
        raise TypeError(f"`levels` must be a dict of halvings by level. Received: levels={levels!r}.")
    levels = {str(name): integer(f"levels[{name!r}]", halvings, low=0) for name, halvings in levels.items()}
    if any(one <= other for one, other in itertools.pairwise(levels.values())):
        raise ValueError(f"`levels` must go from coarse to fine, each with fewer halvings. Received: levels={levels}.")
    return levels
