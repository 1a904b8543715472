"""Public names that have moved to another room: found for one more release, with a warning."""

import importlib
import warnings


def moved(module, names):
    """The `__getattr__` of a module for names that live elsewhere now.

    Args:
        module: str, the module's `__name__`.
        names: dict, old name -> the module that has it now, with the new name behind a colon where that is another.

    Returns:
        Function (name) -> the object, which warns; AttributeError for a name that never was there.

    Example:

    >>> import warnings
    >>> from keras_vae.core.moved import moved
    >>> find = moved("here", {"root": "math:sqrt"})
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     find("root")(4.0), str(caught[0].message)
    (2.0, '`here.root` is `math.sqrt` now: the old name goes with the next release.')
    """

    def find(name):
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        place, _, renamed = names[name].partition(":")
        renamed = renamed or name
        warnings.warn(
            f"`{module}.{name}` is `{place}.{renamed}` now: the old name goes with the next release.",
            DeprecationWarning,
            stacklevel=2,
        )
        return getattr(importlib.import_module(place), renamed)

    return find
