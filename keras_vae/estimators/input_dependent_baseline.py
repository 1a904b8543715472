"""A net that predicts the value of a draw from the example, as a baseline."""

import math

import keras
from keras import ops

from keras_vae.core.checks import integers
from keras_vae.core.registration import registered
from keras_vae.estimators.baseline import SIGNALS, Baseline
from keras_vae.estimators.moving_average_baseline import MovingAverageBaseline
from keras_vae.ops.numerics import float32


@registered
class InputDependentBaseline(Baseline):
    """What a small net makes of the example, and the moving average of what it is wrong by: b(x) = C(x) + c.

    Mnih & Gregor 2014, section 2.3.1. The net sees what the encoder made of x, as a constant, and is trained beside the
    model by the squares of its errors, which show in no figure of the logs. It says zero at the start, so that the
    baseline begins as a moving average. It keeps up with the model while its learning rate is not below the model's:
    `keras_vae.training.optimizers(model, "adam", bottleneck__estimator__baseline=...)` gives it one of its own.

    Args:
        units: sequence of ints >= 1, the widths of the hidden layers. Default: (100,).
        activation: str, name of a Keras activation. Default: "tanh".
        decay: float in [0, 1), of the moving average. Default: 0.9.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...), features of known sizes, constants.

    Output shape:
        dict of "distortion" and "rate": (batch,), nats.

    Raises:
        ValueError: if an argument is out of range, or the features are of unknown size.

    Reference:
        Mnih & Gregor 2014, Neural variational inference and learning in belief networks, arXiv:1402.0030.

    Example:

    >>> import numpy as np, keras_vae
    >>> baseline = keras_vae.InputDependentBaseline(units=(8,))
    >>> tuple(baseline(np.ones((4, 3), "float32"))["distortion"].shape)
    (4,)
    """

    def __init__(self, units=(100,), activation="tanh", decay=0.9, **kwargs):
        super().__init__(**kwargs)
        self.units = integers("units", units)
        self.activation = activation
        self.average = MovingAverageBaseline(decay, dtype="float32", name="average")
        self.decay = self.average.decay
        options = {"dtype": "float32"}
        hidden = [keras.layers.Dense(n, activation, name=f"dense_{i}", **options) for i, n in enumerate(self.units)]
        self.parts = [*hidden, keras.layers.Dense(len(SIGNALS), kernel_initializer="zeros", name="output", **options)]

    def build(self, input_shape):
        if None in input_shape[1:]:
            raise ValueError(
                f"{type(self).__name__} takes features of known sizes. Received: shape={tuple(input_shape)}."
            )
        shape = (None, math.prod(input_shape[1:]))
        for layer in self.parts:
            layer.build(shape)
            shape = layer.compute_output_shape(shape)
        self.average.build(input_shape)

    def call(self, features):
        values = ops.reshape(float32(features), (-1, math.prod(features.shape[1:])))
        for layer in self.parts:
            values = layer(values)
        level = self.average.current()
        return {name: values[:, i] + level[name] for i, name in enumerate(SIGNALS)}

    def update(self, values, predicted, weights=None):
        level = self.average.current()  # which is no part of what the net says
        of_net = {name: ops.stop_gradient(predicted[name]) - level[name] for name in SIGNALS}
        wrong = {name: ops.convert_to_tensor(values[name]) - of_net[name] for name in SIGNALS}
        self.average.update(wrong, level, weights)
