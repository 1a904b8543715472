"""The moving average of past values as a baseline."""

from keras import ops

from keras_vae.core.checks import in_half_open_interval
from keras_vae.core.registration import registered
from keras_vae.estimators.baseline import SIGNALS, Baseline
from keras_vae.ops.batch_mean import batch_mean


@registered
class MovingAverageBaseline(Baseline):
    """The moving average of the values of past steps, one number for all examples.

    After each step of training, with s the mean of the batch of all replicas, a <- decay a + (1 - decay) s and m <-
    decay m + (1 - decay), from zero on; b = a / m, which is zero for the first step and its s for the second.

    Args:
        decay: float in [0, 1). Default: 0.9.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...), features, which are not looked at.

    Output shape:
        dict of "distortion" and "rate": (batch,), nats, the same for all.

    Raises:
        ValueError: if `decay` is not in [0, 1).

    Reference:
        Williams 1992, Simple statistical gradient-following algorithms for connectionist reinforcement learning.

    Example:

    >>> import numpy as np, keras_vae
    >>> baseline = keras_vae.MovingAverageBaseline(decay=0.5)
    >>> for value in (8.0, 2.0):
    ...     values = {"distortion": np.full(4, value, "float32"), "rate": np.zeros(4, "float32")}
    ...     baseline.update(values, baseline(np.zeros((4, 3), "float32")))
    >>> float(baseline(np.zeros((4, 3), "float32"))["distortion"][0])  # (8 / 4 + 2 / 2) / (3 / 4)
    4.0
    """

    def __init__(self, decay=0.9, **kwargs):
        super().__init__(**kwargs)
        self.decay = in_half_open_interval("decay", decay, 0.0, 1.0)
        options = {"initializer": "zeros", "trainable": False, "autocast": False, "dtype": "float32"}
        self.averages = self.add_weight(shape=(len(SIGNALS),), name="averages", aggregation="mean", **options)
        self.mass = self.add_weight(shape=(), name="mass", aggregation="mean", **options)

    def call(self, features):
        return {name: ops.zeros((ops.shape(features)[0],)) + value for name, value in self.current().items()}

    def current(self):
        """{"distortion", "rate"}: the averages as they are, nats, ()."""
        mass = ops.convert_to_tensor(self.mass)
        values = ops.convert_to_tensor(self.averages) / ops.where(mass > 0, mass, 1.0)
        return {name: values[i] for i, name in enumerate(SIGNALS)}

    def update(self, values, predicted, weights=None):
        values = {name: ops.stop_gradient(ops.convert_to_tensor(values[name])) for name in SIGNALS}
        now = ops.stack([batch_mean(values[name], weights) for name in SIGNALS])
        self.averages.assign(self.decay * self.averages + (1.0 - self.decay) * now)
        self.mass.assign(self.decay * self.mass + (1.0 - self.decay))
