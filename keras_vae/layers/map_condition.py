"""A map as condition: an image, features, or the codes of a level above."""

import keras
import numpy as np
from keras import layers, ops

from keras_vae.core.checks import instance, integer, integers
from keras_vae.core.registration import registered
from keras_vae.layers.condition import Condition


@registered
class MapCondition(Condition):
    """A map, of which every position of a net in raster order sees what stands at its place.

    An image or features, seen as they are; or integer codes, such as those of the level above in a hierarchy, each a
    learned vector. The sizes must divide those of the data: a smaller map is repeated up to them.

    Args:
        shape: (height, width, channels) of numbers, or (height, width) of codes; ints >= 1.
        num_codes: int >= 2, codes are in [0, num_codes); None for a map of numbers. Default: None.
        embedding_dim: int >= 1, length of the vector of a code; a map of numbers has none. Default: 64.
        net: keras layer or model, the map's features -> features of the same height and width, such as a
            `ResidualStack`; what is seen of a place is then what surrounds it, too. Default: None.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, *shape), finite numbers, or integers in [0, num_codes).

    Output shape:
        (batch, height, width, features): those of the net; without one, the channels, or `embedding_dim`.

    Raises:
        TypeError: if `net` is not a Keras layer, or for a condition of another type.
        ValueError: if an argument is out of range, `shape` is not of the kind, the net changes the size of the map, or
            a condition does not fit.

    Example:

    >>> import numpy as np, keras_vae
    >>> condition = keras_vae.MapCondition((2, 2), num_codes=16, embedding_dim=3)
    >>> tuple(condition(np.array([[[0, 15], [7, 7]]])).shape)
    (1, 2, 2, 3)
    """

    def __init__(self, shape, num_codes=None, embedding_dim=64, net=None, **kwargs):
        super().__init__(**kwargs)
        self.shape = integers("shape", shape)
        self.num_codes = None if num_codes is None else integer("num_codes", num_codes, low=2)
        self.embedding_dim = integer("embedding_dim", embedding_dim)
        self.net = None if net is None else instance("net", net, layers.Layer)
        wanted = ("height", "width", "channels") if num_codes is None else ("height", "width")
        if len(self.shape) != len(wanted):
            of = "a map of numbers" if num_codes is None else "a map of codes"
            raise ValueError(f"`shape` must be ({', '.join(wanted)}) of {of}. Received: shape={self.shape}.")
        self.input_dtype = "float32" if num_codes is None else "int32"
        self.embedding = None
        if num_codes is not None:
            self.embedding = layers.Embedding(self.num_codes, self.embedding_dim, dtype=self.dtype_policy)

    @property
    def input_shape_of_one(self):
        return self.shape

    def build(self, input_shape):
        features = self.compute_output_spec(keras.KerasTensor(input_shape, self.input_dtype))  # builds the parts
        if len(features.shape) != 4 or tuple(features.shape[1:3]) != self.shape[:2]:
            raise ValueError(
                f"`net` must keep the height and width of the map, {self.shape[:2]}. "
                f"Received: a {type(self.net).__name__} that returns {tuple(features.shape)}."
            )

    def call(self, maps):
        if self.embedding is None:
            features = ops.cast(maps, self.compute_dtype)
        else:
            features = self.embedding(ops.cast(maps, "int32"))
        return features if self.net is None else self.net(features)

    def check(self, values, name="condition"):
        values = np.asarray(values)
        kinds, told = ("biuf", "numbers") if self.num_codes is None else ("iu", "integer codes")
        if values.dtype.kind not in kinds:
            raise TypeError(f"`{name}` must hold {told}. Received: dtype={values.dtype}.")
        if values.shape[1:] != self.shape or not values.ndim:
            accepted = ", ".join(map(str, ("batch", *self.shape)))
            raise ValueError(f"`{name}` must have shape ({accepted}). Received: shape={values.shape}.")
        if self.num_codes is None and not np.isfinite(values).all():
            raise ValueError(f"`{name}` must be finite. Received: NaN or infinity in it.")
        if self.num_codes is not None and values.size and (values.min() < 0 or values.max() >= self.num_codes):
            raise ValueError(
                f"`{name}` must be codes in [0, {self.num_codes}). "
                f"Received: codes from {values.min()} to {values.max()}."
            )
        return values.astype(self.input_dtype)

    def examples(self, count, rng):
        if self.num_codes is None:
            return rng.standard_normal((count, *self.shape), dtype="float32")
        return rng.integers(0, self.num_codes, (count, *self.shape)).astype("int32")

    def limits(self):
        if self.num_codes is None:
            return {}
        return {"interval": (0, self.num_codes - 1), "reason": f"a map of {self.num_codes} codes"}
