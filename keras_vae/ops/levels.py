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


def order_of(nest):
    """The names of a nest of dicts, lists and tuples in their order, for `in_order`.

    Args:
        nest: anything.

    Returns:
        The nest with None for what is in it.

    Example:

    >>> from keras_vae.ops.levels import order_of
    >>> order_of({"top": (1, 2), "bottom": 3})
    {'top': (None, None), 'bottom': None}
    """
    if isinstance(nest, dict):
        return {key: order_of(part) for key, part in nest.items()}
    return type(nest)(map(order_of, nest)) if type(nest) in (list, tuple) else None


def in_order(nest, order):
    """A nest with its dicts in the order that `order_of` found.

    Args:
        nest: nest of the same names.
        order: what `order_of` returned.

    Returns:
        The nest, of plain dicts.

    Example:

    >>> from keras_vae.ops.levels import in_order
    >>> in_order({"bottom": 3, "top": 1}, {"top": None, "bottom": None})
    {'top': 1, 'bottom': 3}
    """
    if isinstance(order, dict):
        return {key: in_order(nest[key], part) for key, part in order.items()}
    if isinstance(order, (list, tuple)):
        return type(order)(in_order(part, each) for part, each in zip(nest, order, strict=True))
    return nest
