"""A class as condition."""

import numpy as np
from keras import layers, ops

from keras_vae.core.checks import integer
from keras_vae.core.registration import registered
from keras_vae.layers.condition import Condition


@registered
class ClassCondition(Condition):
    """A class label: one number for each class, or a learned vector.

    Args:
        num_classes: int >= 2.
        embedding_dim: int >= 1, length of a learned vector for each class; None for one-hot vectors. Default: None.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch,), integers in [0, num_classes).

    Output shape:
        (batch, num_classes), or (batch, embedding_dim).

    Raises:
        ValueError: if a number is out of its range, or a label is.
        TypeError: for labels that are not integers.

    Example:

    >>> import numpy as np, keras_vae
    >>> np.asarray(keras_vae.ClassCondition(3)(np.array([2, 0]))).tolist()
    [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """

    input_dtype = "int32"

    def __init__(self, num_classes, embedding_dim=None, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = integer("num_classes", num_classes, low=2)
        self.embedding_dim = None if embedding_dim is None else integer("embedding_dim", embedding_dim)
        self.embedding = None
        if self.embedding_dim is not None:
            self.embedding = layers.Embedding(self.num_classes, self.embedding_dim, dtype=self.dtype_policy)

    @property
    def input_shape_of_one(self):
        return ()

    def build(self, input_shape):
        if self.embedding is not None:
            self.embedding.build(input_shape)

    def call(self, labels):
        labels = ops.cast(labels, "int32")
        if self.embedding is not None:
            return self.embedding(labels)
        return ops.one_hot(labels, self.num_classes, dtype=self.compute_dtype)

    def check(self, values, name="condition"):
        values = np.asarray(values)
        if values.dtype.kind not in "iu":
            raise TypeError(f"`{name}` must hold integer labels. Received: dtype={values.dtype}.")
        if values.ndim != 1:
            raise ValueError(f"`{name}` must be labels of shape (batch,). Received: shape={values.shape}.")
        if values.size and (values.min() < 0 or values.max() >= self.num_classes):
            raise ValueError(
                f"`{name}` must be labels in [0, {self.num_classes}). "
                f"Received: labels from {values.min()} to {values.max()}."
            )
        return values.astype("int32")

    def examples(self, count, rng):
        return rng.integers(0, self.num_classes, count).astype("int32")

    def limits(self):
        return {"interval": (0, self.num_classes - 1), "reason": f"labels of {self.num_classes} classes"}
