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


def paths(nest):
    """The names of everything in a nest of dicts, those of an inner dict behind that of the outer one.

    Args:
        nest: dict of anything, or of dicts of it.

    Returns:
        list of str.

    Example:

    >>> from keras_vae.ops.levels import paths
    >>> paths({"given": {"top": 1}, "seed": 2})
    ['given.top', 'seed']
    """
    names = []
    for name, part in nest.items():
        names += [f"{name}.{inner}" for inner in paths(part)] if isinstance(part, dict) else [name]
    return names


def mapped(function, nest):
    """`function` of everything in a nest of dicts, lists and tuples, dicts in the order of their keys.

    `keras.tree.map_structure` takes ten times as long, and dicts in another order on torch than elsewhere.

    Args:
        function: of one argument.
        nest: anything.

    Returns:
        The nest with what the function returned.

    Example:

    >>> from keras_vae.ops.levels import mapped
    >>> mapped(len, {"b": ("xx", "y"), "a": "zzz"})
    {'a': 3, 'b': (2, 1)}
    """
    if isinstance(nest, dict):
        return {key: mapped(function, nest[key]) for key in sorted(nest)}
    if isinstance(nest, (list, tuple)):
        return type(nest)(mapped(function, part) for part in nest)
    return function(nest)
