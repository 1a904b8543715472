"""Latents, their shapes and what belongs to them, by level."""


def by_level(function, first, *others):
    """`function` of latents, or of each level of a dict of them.

    Unlike `keras.tree.map_structure` it takes a shape, a tuple, as one thing, and Keras's own kind of dict.

    Args:
        function: of as many arguments as follow.
        first: latents, a shape, a number; or a dict of them by level.
        *others: the same for further arguments.

    Returns:
        What the function returns, or a dict of it by level.

    Example:

    >>> from keras_vae.ops.levels import by_level
    >>> by_level(lambda shape: len(shape), {"top": (4, 4), "bottom": (8, 8)})
    {'top': 2, 'bottom': 2}
    """
    if isinstance(first, dict):
        return {level: function(first[level], *(other[level] for other in others)) for level in first}
    return function(first, *others)
