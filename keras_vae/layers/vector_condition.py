"""Numbers as condition."""

import numpy as np
from keras import ops

from keras_vae.core.checks import integer
from keras_vae.core.registration import registered
from keras_vae.layers.condition import Condition


@registered
class VectorCondition(Condition):
    """A vector of numbers, such as an angle, a pose or another network's features: seen as it is.

    Bring it to about unit scale first, as data.

    Args:
        size: int >= 1, numbers of each example.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, size), finite.

    Output shape:
        (batch, size).

    Raises:
        ValueError: if `size` is not >= 1, or a condition has another shape or is not finite.
        TypeError: for what is not numbers.

    Example:

    >>> import numpy as np, keras_vae
    >>> np.asarray(keras_vae.VectorCondition(2)(np.array([[0.5, -1.0]], "float32"))).tolist()
    [[0.5, -1.0]]
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = integer("size", size)

    @property
    def input_shape_of_one(self):
        return (self.size,)

    def call(self, values):
        return ops.cast(values, self.compute_dtype)

    def check(self, values, name="condition"):
        values = np.asarray(values)
        if values.dtype.kind not in "biuf":
            raise TypeError(f"`{name}` must hold numbers. Received: dtype={values.dtype}.")
        if values.ndim != 2 or values.shape[1] != self.size:
            raise ValueError(f"`{name}` must have shape (batch, {self.size}). Received: shape={values.shape}.")
        if not np.isfinite(values).all():
            raise ValueError(f"`{name}` must be finite. Received: NaN or infinity in it.")
        return values.astype("float32")

    def examples(self, count, rng):
        return rng.standard_normal((count, self.size), dtype="float32")
