"""A chain of gated autoregressive transformations of a vector."""

import keras
from keras import ops

from keras_vae import _backend
from keras_vae.core.checks import integer, integers
from keras_vae.core.registration import Configured, registered
from keras_vae.layers.made import MADE

OPEN = 2.0  # added to the gates, which start open: Kingma et al. 2016, section 4


@registered
class AutoregressiveFlow(Configured, keras.layers.Layer):
    """z -> value by steps value_d = gate_d z_d + (1 - gate_d) m_d, where m and gate = sigmoid(s) see z before d alone.

    The numerically stable step of Kingma et al. 2016 (algorithm 1): m and s are the outputs of a `MADE`, and the order
    of the dimensions is reversed from step to step. log|det dvalue/dz| is the sum of the log gates. `transform` takes
    one pass of each net; `inverse`, which is as exact, one for each dimension. `InverseAutoregressiveFlow`, a
    posterior, draws by `transform`; `AutoregressiveFlowPrior` scores by `transform` and draws by `inverse`.

    Args:
        num_steps: int >= 1. Default: 2.
        units: sequence of ints >= 1, the widths of the hidden layers of each `MADE`. Default: (64, 64).
        activation: str, name of a Keras activation. Default: "elu".
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, dimensions), and a context (batch, features) or None.

    Output shape:
        dict with "value": (batch, dimensions), float32; "log_det": (batch,).

    Raises:
        ValueError: if `num_steps` or a width is not >= 1, or inputs are no vectors.

    Reference:
        Kingma, Salimans, Jozefowicz, Chen, Sutskever & Welling 2016, arXiv:1606.04934. Papamakarios, Pavlakou & Murray
        2017, arXiv:1705.07057.

    Example:

    >>> import keras, numpy as np, keras_vae
    >>> flow = keras_vae.AutoregressiveFlow(num_steps=2, units=(16,))
    >>> z = np.array([[0.5, -1.0, 2.0]], "float32")
    >>> value = flow(z)["value"]
    >>> bool(np.allclose(keras.ops.convert_to_numpy(flow.inverse(value)), z, atol=1e-5))
    True
    """

    def __init__(self, num_steps=2, units=(64, 64), activation="elu", **kwargs):
        super().__init__(**kwargs)
        self.num_steps = integer("num_steps", num_steps)
        self.units = integers("units", units, shortest=1)
        self.activation = activation
        self.autocast = False  # z reaches the nets, which are of float32, as it is
        self.steps = [MADE(self.units, 2, activation, name=f"step_{i}") for i in range(self.num_steps)]

    def build(self, z_shape, context_shape=None):
        self.size = z_shape[-1]
        for step in self.steps:
            step.build(z_shape, context_shape)

    def call(self, z, context=None):
        value, log_det = self.transform(z, context)
        return {"value": value, "log_det": log_det}

    def transform(self, z, context=None):
        """The transformation, and the logarithm of its volume.

        Args:
            z: float tensor (batch, dimensions).
            context: float tensor (batch, features), or None. Default: None.

        Returns:
            (value, log|det dvalue/dz|), (batch, dimensions) and (batch,).
        """
        z, log_det = ops.convert_to_tensor(z), 0.0
        for i, step in enumerate(self.steps):
            z = ops.flip(z, axis=-1) if i else z
            shift, gate = _parts(step(z, context))
            z = shift + ops.sigmoid(gate) * (z - shift)
            log_det = log_det + ops.sum(ops.log_sigmoid(gate), axis=-1)
        return z, log_det

    def inverse(self, value, context=None):
        """The z whose transformation is `value`, found one dimension after the other.

        Args:
            value: float tensor (batch, dimensions).
            context: float tensor (batch, features), or None. Default: None.
        """
        value = ops.convert_to_tensor(value)
        for i, step in reversed(list(enumerate(self.steps))):
            value = self._undone(step, value, context)
            value = ops.flip(value, axis=-1) if i else value
        return value

    def _undone(self, step, value, context):
        places = ops.arange(self.size)

        def find(d, z):  # where z is known before d; what comes after it is not seen
            shift, gate = _parts(step(z, context))
            # One over a sigmoid: 1 + exp(-gate).
            return ops.where(ops.equal(places, d), shift + (value - shift) * (1.0 + ops.exp(-gate)), z)

        return _backend.counted_loop(self.size, find, ops.zeros_like(value))


def _parts(outputs):
    """Shifts and logits of gates, (batch, dimensions) each."""
    return outputs[..., 0], outputs[..., 1] + OPEN
