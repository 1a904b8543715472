"""Models small enough to be worked out by hand or compiled in a second."""

import keras
import numpy as np
from keras import ops

from keras_vae.bottlenecks import Bottleneck
from keras_vae.distributions import Normal
from keras_vae.training import TermsModel


class Line(TermsModel):
    """x -> Wx: squared error plus `weight` times the squared output."""

    def __init__(self, weight=0.5, regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.weight, self.regularizer = weight, regularizer
        self.track("distortion", "power")
        self.scale = self.coefficient("scale", weight)
        self.dense = keras.layers.Dense(
            2, use_bias=False, kernel_initializer="identity", kernel_regularizer=regularizer, name="dense"
        )
        self.calls = 0

    def call(self, x, training=False):
        self.calls += 1
        return {"reconstruction": self.dense(x)}

    def terms(self, x, y, outputs, training):
        prediction = outputs["reconstruction"]
        terms = {
            "distortion": ops.sum(ops.square(y - 2.0 * prediction), axis=-1),
            "power": ops.sum(ops.square(prediction), axis=-1),
        }
        return self.total(terms, power=ops.convert_to_tensor(self.scale))


def points(count=12):
    return np.random.default_rng(0).normal(size=(count, 2)).astype("float32")


def line(optimizer="sgd", **kwargs):
    compile_options = {k: kwargs.pop(k) for k in ("steps_per_execution", "metrics", "weighted_metrics") if k in kwargs}
    model = Line(**kwargs)
    model.build((None, 2))
    model.compile(optimizer, **compile_options)
    return model


class Told(Bottleneck):
    """q(z|x) = N(mean, exp(log_var)), the halves of its features: over an Identity they are the data themselves.

    So each example has a gradient of its own with respect to its posterior.
    """

    noise = "normal"

    def __init__(self):
        super().__init__()
        self.seed_generator = keras.random.SeedGenerator(1)

    def parameters(self, h):
        mean, log_var = ops.split(h, 2, axis=-1)
        return {"z_mean": mean, "z_log_var": log_var}

    def call(self, h, training=False):
        parameters = self.parameters(h)
        return {"z": self.posterior(parameters).sample(self.seed_generator), **parameters}

    def posterior(self, outputs):
        return Normal(outputs["z_mean"], outputs["z_log_var"])
