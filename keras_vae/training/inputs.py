"""What goes into a model: its data, and beside it a condition and a mask."""

import keras
import numpy as np
from keras import ops

from keras_vae.ops.levels import by_level
from keras_vae.training.data import check_length, check_values


class ModelInputs:
    """Mixin: x is an array, or a dict {"x": ..., "condition": ..., "mask": ...} for a model that has the last two.

    Data of several levels, as a prior of such codes takes, are a dict of arrays in its place.

    A model is conditional that has a `Condition` as `condition`, and masked whose class sets `masked`: its mask (batch,
    time) is 1 where a sequence goes on and 0 behind its end, and its time axis may be of unknown size.
    """

    masked = False
    input_dtype = "float32"  # of the data, as `call` sees it: "int32" for codes
    data_shape = None  # of one example, known once the model is built

    @property
    def extra_inputs(self):
        """The names of the inputs beside "x": none, "condition", "mask", or both."""
        return ("condition",) * (self.condition is not None) + ("mask",) * self.masked

    def split(self, x):
        """What `call` is given -> (the data, dict of the further inputs), tensors."""
        if not self.extra_inputs:
            return by_level(lambda part: ops.cast(part, self.input_dtype), x), {}
        extras = {name: x[name] for name in self.extra_inputs}
        if self.masked:
            extras["mask"] = ops.cast(extras["mask"], "bool")
        return by_level(lambda part: ops.cast(part, self.input_dtype), x["x"]), extras

    def embed(self, condition):
        """A condition as users give it -> the features that nets and priors see; None stays None."""
        return None if condition is None else self.condition(condition)

    def target(self, x):
        """The target that belongs to inputs without one: the data itself."""
        return x["x"] if self.extra_inputs else x

    def input_shapes(self, input_shape):
        """The shape of the data alone, or a dict of the shapes of every input, from either of the two."""
        if not self.extra_inputs:
            return input_shape if isinstance(input_shape, dict) else tuple(input_shape)
        shapes = input_shape if isinstance(input_shape, dict) and "x" in input_shape else {"x": input_shape}
        shapes = {name: by_level(tuple, shape) for name, shape in shapes.items()}
        if self.condition is not None:
            shapes.setdefault("condition", (None, *self.condition.input_shape_of_one))
        if self.masked:
            shapes.setdefault("mask", shapes["x"][:2])
        return shapes

    def shapes_of(self, x):
        """What `build` is given for data `x`; sequences of a masked model may come in other lengths later."""
        shapes = super().shapes_of(x)
        if self.masked:  # one that needs a fixed time is built by the user
            for name in ("x", "mask"):
                shapes[name] = (None, None, *shapes[name][2:])
        return shapes

    def symbolic(self, input_shape):
        """What `call` takes, as KerasTensors, for data of `input_shape`."""
        shapes = self.input_shapes(input_shape)
        if not self.extra_inputs:
            return _symbolic(shapes, self.input_dtype)
        dtypes = {"x": self.input_dtype, "mask": "float32"}
        if self.condition is not None:
            dtypes["condition"] = self.condition.input_dtype
        return {name: _symbolic(shapes[name], dtypes[name]) for name in ("x", *self.extra_inputs)}

    def check_input(self, x, name="x"):
        """Raises if `x` is not what the model takes: its data, and each further input by its own check."""
        if not self.extra_inputs:
            super().check_input(x, name)
            return
        names = ("x", *self.extra_inputs)
        got = sorted(map(str, x)) if isinstance(x, dict) else f"a {type(x).__name__}"
        if not isinstance(x, dict) or set(x) != set(names):
            told = " and ".join(repr(n) for n in names)
            raise ValueError(f"`{name}` must be a dict with {told} for a {type(self).__name__}. Received: {got}.")
        data = self.check_data(x["x"], f"{name}['x']")
        if self.condition is not None:
            self.condition.check(_array(x["condition"]), f"{name}['condition']")
        if self.masked:
            shape = np.shape(data)[1:2]
            options = {"interval": (0.0, 1.0), "reason": "a mask", "whole": True}
            mask = check_values(f"{name}['mask']", x["mask"], shape=shape, **options)
            if not np.any(mask, axis=1).all():
                raise ValueError(f"`{name}['mask']` must leave something of every example. Received: a row of zeros.")
        for other in self.extra_inputs:
            check_length(f"{name}[{other!r}]", x[other], f"{name}['x']", x["x"])

    def host_inputs(self, x, condition=None):
        """Checked arrays of what a user's method is given, as `call` takes them: an array, or a dict of them.

        Args:
            x: array, or a dict with the further inputs; `condition` may come beside instead of inside.
            condition: array with a row for each example, or one condition for all. Default: None.
        """
        if condition is not None:
            x = dict(x) if isinstance(x, dict) else {"x": x}
            x["condition"] = self.host_condition(condition, len(x["x"]))
        self.check_input(x)
        dtypes = {"x": self.input_dtype, "mask": "float32"}
        if not self.extra_inputs:
            return np.asarray(_array(x), self.input_dtype)
        if self.condition is not None:
            dtypes["condition"] = self.condition.input_dtype
        return {name: np.asarray(_array(value), dtypes[name]) for name, value in x.items()}

    def host_condition(self, condition, count):
        """A checked array of `count` conditions, from as many or from one; None for a model without."""
        if self.condition is None:
            if condition is not None:
                raise ValueError(
                    f"`condition` must be None for a {type(self).__name__} without one. Received: a condition."
                )
            return None
        if condition is None:
            raise ValueError(f"`condition` must be given to a conditional {type(self).__name__}. Received: None.")
        values = _array(condition)
        if values.shape == self.condition.input_shape_of_one:
            values = np.repeat(values[None], count, axis=0)
        values = self.condition.check(values)
        if len(values) != count:
            raise ValueError(f"`condition` must be one, or one for each of {count} examples. Received: {len(values)}.")
        return values


def _symbolic(shape, dtype):
    """A KerasTensor, or a dict of them where the data comes by level."""
    if isinstance(shape, dict):
        return {level: _symbolic(part, dtype) for level, part in shape.items()}
    return keras.KerasTensor(shape, dtype=dtype)


def _array(value):
    return value if isinstance(value, np.ndarray) else np.asarray(keras.ops.convert_to_numpy(value))
