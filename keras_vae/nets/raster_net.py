"""The abstract net in raster order: all positions at once to train, one after the other to draw."""

from keras import layers, ops

from keras_vae.core.registration import Configured


class RasterNet(Configured, layers.Layer):
    """Abstract: features of each position from what comes before it, row by row, left to right.

    `call` computes them at every position at once. The other methods are the same function one position after
    the other, for a sampler that knows a position only when it has drawn it; what they hand on are nests of tensors:

        memory = net.start(batch, (height, width), channels, condition)
        for i in rows:
            memory, given, state = net.start_row(memory, i)
            for j in columns:
                features, state = net.at(given, state, window, j)      # window: x at j - reach, ..., j
                state = net.know(given, state, x, j)                   # x: what is there, drawn now
            memory = net.end_row(memory, state, row)                   # row: x of the whole row

    At the position itself the window holds zeros, or, where channels follow each other, those that are known already.
    """

    filters = None  # channels of the features
    reach = 0  # positions to the left that the first layer sees
    channel_groups = 1  # channels that follow each other at one position

    conditional = False  # whether it was built for a condition

    def build(self, x_shape, condition_shape=None):
        self.conditional = condition_shape is not None
        if self.conditional:
            condition_shape = tuple(condition_shape)
            check_map(condition_shape, x_shape[1:3])
            if len(condition_shape) == 2:
                condition_shape = (condition_shape[0], 1, 1, condition_shape[1])
        self.build_parts(tuple(x_shape), condition_shape)

    def build_parts(self, x_shape, condition_shape):
        """Builds the layers; the condition, if there is one, as `features` sees it."""
        raise TypeError(f"{type(self).__name__} must define `build_parts(x_shape, condition_shape)`.")

    def call(self, x, condition=None, training=False):
        """Features (batch, height, width, filters) of x (batch, height, width, channels).

        Args:
            x: tensor, the data as features.
            condition: tensor (batch, features), or a map of them (batch, h, w, features) whose sizes divide those of
                x. Default: None.
            training: bool. Default: False.
        """
        return self.features(x, spread(condition, x.shape[1:3]), training)

    def features(self, x, condition, training):
        """As `call`, the condition (batch, height or 1, width or 1, features)."""
        raise TypeError(f"{type(self).__name__} must define `features(x, condition, training)`.")

    def start(self, batch, grid, channels, condition=None):
        """What is known before the first row."""
        raise TypeError(f"{type(self).__name__} must define `start(batch, grid, channels, condition)`.")

    def start_row(self, memory, i):
        """(memory, what the rows above give to row i, the state before its first position)."""
        raise TypeError(f"{type(self).__name__} must define `start_row(memory, i)`.")

    def at(self, given, state, window, j):
        """(features (batch, filters) at column j, the state behind it)."""
        raise TypeError(f"{type(self).__name__} must define `at(given, state, window, j)`.")

    def know(self, given, state, x, j):
        """The state with x (batch, channels) known at column j, for nets that look at it later."""
        return state

    def end_row(self, memory, state, row):
        """The memory behind a row whose x is `row` (batch, width, channels)."""
        raise TypeError(f"{type(self).__name__} must define `end_row(memory, state, row)`.")

    def compute_output_shape(self, x_shape, condition_shape=None):
        return (*x_shape[:-1], self.filters)


def spread(condition, grid):
    """A condition as every position sees it: (batch, 1, 1, features), or a map repeated up to the grid of any axes.

    Args:
        condition: tensor (batch, features) or (batch, h, w, features), or None.
        grid: (height, width) of the data, or as many sizes as it has.

    Raises:
        ValueError: for a map whose sizes do not divide those of the data.
    """
    if condition is None:
        return None
    condition = ops.convert_to_tensor(condition)
    shape = condition.shape
    check_map(shape, grid)
    if len(shape) == 2:
        return ops.reshape(condition, (-1, *(1,) * len(grid), shape[-1]))
    for axis, size in enumerate(grid, 1):  # stacked: of `repeat`'s gradient TensorFlow complains, on some processors
        condition = ops.stack([condition] * (size // shape[axis]), axis=axis + 1)
        condition = ops.reshape(condition, (-1, *grid[:axis], *shape[axis + 1 :]))
    return condition


def check_map(shape, grid):
    """Raises unless a condition of this shape can be spread over the grid."""
    if len(shape) == 2:
        return
    if len(shape) != len(grid) + 2 or any(size % of for size, of in zip(grid, shape[1:-1], strict=True)):
        raise ValueError(
            f"`condition` must be features (batch, c), or a map (batch, h, w, c) whose sizes divide the data's, "
            f"{tuple(grid)}. Received: shape={tuple(shape)}."
        )


def row_of(condition, i):
    """Row i of a condition that `spread` made: (batch, 1, width or 1, features)."""
    if condition is None or condition.shape[1] == 1:
        return condition
    return ops.slice(condition, (0, i, 0, 0), (ops.shape(condition)[0], 1, *condition.shape[2:]))


def pushed(past, value):
    """The last values of a register: the first left out, `value` (batch, channels) behind them."""
    return ops.concatenate([past[:, 1:], value[:, None]], axis=1)
