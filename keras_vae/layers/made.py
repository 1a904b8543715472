"""The masked network of an autoregressive transformation."""

import keras
import numpy as np
from keras import ops

from keras_vae.core.checks import integer, integers
from keras_vae.core.registration import Configured, registered


@registered
class MADE(Configured, keras.layers.Layer):
    """Fully connected layers whose kernels are masked so that outputs of dimension d see the inputs before d alone.

    Each unit has a degree: it sees inputs up to its degree, and outputs of dimension d see units of a degree below d
    (Germain et al. 2015, eqs. 12 and 13; degrees run evenly from 0 to D - 1). A context, which every dimension may
    see, is added in the first layer. The network computes in float32 under any dtype policy, for the density of a flow
    is as exact as its transformation.

    Args:
        units: sequence of ints >= 1, the widths of the hidden layers; D or more let every dimension see all before it.
        outputs: int >= 1, numbers for each dimension. Default: 2.
        activation: str, name of a Keras activation. Default: "elu".
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, D), and a context (batch, features) or None.

    Output shape:
        (batch, D, outputs).

    Raises:
        ValueError: if a width is not >= 1, there is none, or inputs are no vectors.

    Reference:
        Germain, Gregor, Murray & Larochelle 2015, arXiv:1502.03509.

    Example:

    >>> import numpy as np
    >>> from keras_vae.layers import MADE
    >>> tuple(MADE(units=(16,))(np.ones((2, 3), "float32")).shape)
    (2, 3, 2)
    """

    def __init__(self, units, outputs=2, activation="elu", **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.units = integers("units", units, shortest=1)
        self.outputs = integer("outputs", outputs)
        self.activation = activation
        self.function = keras.activations.get(activation)

    def build(self, z_shape, context_shape=None):
        if len(z_shape) != 2:
            raise ValueError(
                f"{type(self).__name__} takes vectors, (batch, dimensions). Received: shape={tuple(z_shape)}."
            )
        self.size = z_shape[-1]
        degrees = np.arange(1, self.size + 1)
        self.masks, self.kernels, self.biases = [], [], []
        for i, width in enumerate(self.units):
            hidden = np.arange(width) * self.size // width
            self._add(i, degrees[:, None] <= hidden, width, "glorot_uniform")
            degrees = hidden
        last = np.repeat(np.arange(1, self.size + 1), self.outputs)
        self._add(len(self.units), degrees[:, None] < last, self.size * self.outputs, "small")
        self.context_kernel = None
        if context_shape is not None:
            shape = (context_shape[-1], self.units[0])
            self.context_kernel = self.add_weight(shape=shape, initializer="glorot_uniform", name="context_kernel")

    def call(self, z, context=None):
        for i, (mask, kernel, bias) in enumerate(zip(self.masks, self.kernels, self.biases, strict=True)):
            z = self.function(z) if i else z
            z = ops.matmul(z, ops.multiply(kernel, mask)) + ops.convert_to_tensor(bias)
            if i == 0 and self.context_kernel is not None:
                z = z + ops.matmul(context, ops.convert_to_tensor(self.context_kernel))
        return ops.reshape(z, (-1, self.size, self.outputs))

    def compute_output_shape(self, z_shape, context_shape=None):
        return (*z_shape, self.outputs)

    def _add(self, number, mask, width, initializer):
        if initializer == "small":  # what it transforms is nearly unchanged at the start
            initializer = keras.initializers.RandomNormal(stddev=0.01)
        self.masks.append(mask.astype("float32"))
        kernel = self.add_weight(shape=mask.shape, initializer=initializer, name=f"kernel_{number}")
        self.kernels.append(kernel)
        self.biases.append(self.add_weight(shape=(width,), initializer="zeros", name=f"bias_{number}"))
