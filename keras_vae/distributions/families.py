"""Families by name: how a bottleneck, a likelihood and a prior all read what a family says of its parameters."""

import inspect

from keras import ops

from keras_vae.distributions.distribution import Distribution
from keras_vae.ops.numerics import float32

FAMILIES = {}  # name -> class: what a configuration may name, beside a user's own


def family(cls):
    """Makes a class of distributions known by its name, also one of your own: configurations hold the name alone.

    Args:
        cls: subclass of Distribution with `parameters`.

    Returns:
        The class.

    Raises:
        TypeError: for another class.
        ValueError: if the name is taken by a family of another module.
    """
    if not (inspect.isclass(cls) and issubclass(cls, Distribution) and cls.parameters):
        raise TypeError(f"`cls` must be a subclass of Distribution with `parameters`. Received: cls={cls!r}.")
    known = FAMILIES.setdefault(cls.__name__, cls)
    if (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
        raise ValueError(
            f"`cls` must have a name of its own: {known.__module__} has a family of that name. Received: cls={cls!r}."
        )
    FAMILIES[cls.__name__] = cls  # made anew, as by running a cell of a notebook again
    return cls


class Parameterised:
    """A family with what of it is fixed: real numbers in, a distribution out.

    For vectors of d dimensions a network predicts `size(d)` real numbers: those of the first parameter, then those of
    the next. Each parameter's link makes its values of them.

    Args:
        family: str, a name such as "Laplace"; or a class of your own that is decorated with `family`.
        options: dict or None: values of parameters that are not predicted, such as {"df": 5.0} of a StudentT, and what
            tells the forms of a family apart, such as {"rank": 2} of an Elliptical. Default: None.

    Raises:
        ValueError: for what is no family, or options that it does not have.

    Example:

    >>> import numpy as np
    >>> from keras_vae.distributions import Parameterised
    >>> laplace = Parameterised("Laplace", {"scale": 2.0})
    >>> q = laplace.distribution(laplace.values(np.ones((1, 3), "float32")), 3)
    >>> np.asarray(q.loc).tolist(), np.asarray(q.scale).tolist()
    ([[1.0, 1.0, 1.0]], [[2.0, 2.0, 2.0]])
    """

    def __init__(self, family, options=None):
        self.cls = _class_of(family)
        self.name = self.cls.__name__
        self.options = dict(options or {})
        forms = {name: value for name, value in self.options.items() if name in self.cls.forms}
        self.specified = self.cls.specification(**forms)
        for name, value in self.options.items():
            if name not in self.specified and name not in forms:
                known = ", ".join({**self.specified, **dict.fromkeys(self.cls.forms)})
                raise ValueError(f"`{name}` must be an option of {self.name}: {known}. Received: {name}={value!r}.")
        given = {name: value for name, value in self.options.items() if name in self.specified}
        self.fixed = {name: self.specified[name].check(name, value) for name, value in given.items()}
        self.parameters = {name: each for name, each in self.specified.items() if name not in self.fixed}

    def size(self, d):
        """How many real numbers a vector of d dimensions takes."""
        return sum(parameter.size(d) for parameter in self.parameters.values())

    def require_predicted(self):
        """Raises where nothing is left for a network to say; returns itself."""
        if not self.parameters:
            raise ValueError(
                f"`options` must leave a parameter of {self.name} to be predicted. Received: options={self.options!r}."
            )
        return self

    def dimensions(self, size, name="params"):
        """d of a vector that took `size` real numbers, the inverse of `size(d)`."""
        d = 1
        while self.size(d) < size:
            d += 1
        if self.size(d) != size:
            raise ValueError(
                f"`{name}` must hold {', '.join(self.parameters)} of a {self.name} on the last axis, {self.size(1)} "
                f"numbers for one dimension. Received: {size} numbers."
            )
        return d

    def values(self, raw):
        """Real numbers (batch, ..., size(d)) -> {name: values of the parameter}, float32."""
        raw = float32(ops.convert_to_tensor(raw))
        d, values, start = self.dimensions(raw.shape[-1]), {}, 0
        for name, parameter in self.parameters.items():
            size = parameter.size(d)
            values[name] = parameter.link(raw[..., start : start + size])
            start += size
        return values

    def distribution(self, values, d):
        """The distribution with these values, as `values` gives them for d dimensions, and with what is fixed."""
        name, parameter = next(iter(self.parameters.items()))
        axes = len(values[name].shape) - len(parameter.shape(d))
        return self._with(values, ops.shape(values[name])[:axes], d)

    def default(self, shape):
        """The distribution with what is fixed, and otherwise of a network that says zero, for events of `shape`.

        Args:
            shape: tuple, (batch, ..., d).
        """
        values = self.values(ops.zeros((*shape[:-1], self.size(shape[-1])))) if self.parameters else {}
        return self._with(values, shape[:-1], shape[-1])

    def noise_spec(self, shape):
        """What a draw takes for events of `shape`, without the batch."""
        return self.default((1, *shape)).noise_spec(shape)

    def _with(self, values, lead, d):
        values = dict(values)
        for name, value in self.fixed.items():
            tensor = ops.convert_to_tensor(value, dtype="float32")
            values[name] = ops.broadcast_to(tensor, (*lead, *self.specified[name].shape(d)))
        return self.cls(**{name: values[name] for name in self.specified})


def _class_of(family):
    if isinstance(family, str) and family in FAMILIES:
        return FAMILIES[family]
    if family in FAMILIES.values():
        return family
    raise ValueError(
        f"`family` must be one of {', '.join(sorted(FAMILIES))}, or a class of your own that is decorated with "
        f"`keras_vae.distributions.family`. Received: family={family!r}."
    )
