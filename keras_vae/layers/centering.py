"""Subtracts the mean of the data."""

import keras
import numpy as np
from keras import ops

from keras_vae.core.registration import Configured, registered


@registered
class Centering(Configured, keras.layers.Layer):
    """Subtracts a stored mean, one number for each entry: x - mean. `adapt(x)` measures it, as Keras's layers do.

    A linear code of data with a mean far from zero learns slowly: the mean is one direction many times as steep as the
    others, which bounds the learning rate of all (LeCun et al. 1998, section 4.3). Until `adapt` the mean is zero. It
    is a weight that is saved and not trained.

    Args:
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...).

    Output shape:
        The same.

    Reference:
        LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp.

    Example:

    >>> import numpy as np
    >>> from keras_vae.layers import Centering
    >>> layer = Centering()
    >>> layer.adapt(np.array([[0.0, 1.0], [2.0, 3.0]], "float32"))
    >>> np.asarray(layer(np.array([[1.0, 1.0]], "float32"))).tolist()
    [[0.0, -1.0]]
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.autocast = False  # half precision would round the data, and the mean, before they meet

    def build(self, input_shape):
        self.mean = self.add_weight(
            shape=tuple(input_shape[1:]), initializer="zeros", trainable=False, autocast=False, name="mean"
        )

    def adapt(self, x):
        """Sets the mean to that of `x`.

        Args:
            x: array (n, ...), training data; integers and booleans are taken as floats.

        Raises:
            ValueError: if `x` is empty, is not finite, or has another shape than the layer was built for.
        """
        x = np.asarray(x)
        if x.ndim < 2 or x.size == 0:
            raise ValueError(f"`x` must have shape (n, ...), not empty. Received: shape {x.shape}.")
        if not self.built:
            self.build((None, *x.shape[1:]))
            self.built = True
        if x.shape[1:] != tuple(self.mean.shape):
            raise ValueError(f"`x` must have shape (n, {_inside(self.mean.shape)}). Received: shape {x.shape}.")
        mean = x.mean(axis=0, dtype="float64")
        if not np.isfinite(mean).all():
            raise ValueError("`x` must be finite. Received: NaN or infinite values.")
        self.mean.assign(mean.astype("float32"))

    def call(self, x):
        x = ops.cast(ops.convert_to_tensor(x), "float32")
        return ops.cast(x - ops.convert_to_tensor(self.mean), self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape)


def _inside(shape):
    return ", ".join(str(n) for n in shape)
