"""The abstract bottleneck of discrete variables."""

import math

import keras
from keras import ops

from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.core.checks import instance, seed_or_none
from keras_vae.estimators import Estimator, StraightThrough
from keras_vae.layers import ReplicaSeedGenerator
from keras_vae.ops.numerics import clip_straight_through, float32

LIMIT = 15.0  # of a logit: beyond it a probability is within 3e-7 of zero or one, and the gradient of a draw nothing


class DiscreteBottleneck(Bottleneck):
    """Abstract: q(z|x) of independent discrete variables, whose logits are one linear map of the features.

    In training the draw goes through the estimator, which may relax it; in evaluation, and in whatever a user asks of
    the model, draws are discrete and nothing else. Logits are float32 under any dtype policy, and held in [-15, 15],
    with a gradient that leads back from outside.

    A variant says the `event` shape of its latents and, by `family`, their distribution.

    Args:
        estimator: Estimator of the gradient through the draw. Default: None, `StraightThrough()`.
        seed: int or None, of the noise. Default: None.
        **kwargs: of keras.layers.Layer.
    """

    follows_time = False

    def __init__(self, estimator=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        estimator = StraightThrough() if estimator is None else instance("estimator", estimator, Estimator)
        self.estimator = estimator.require(self.values)
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)

    @property
    def is_discrete(self):
        return True

    @property
    def event(self):
        """The shape of the latents of one example, of which logits there are as many."""
        raise TypeError(f"{type(self).__name__} must define `event`.")

    def family(self, logits):
        """The distribution with these logits, (batch, *event)."""
        raise TypeError(f"{type(self).__name__} must define `family(logits)`.")

    def build(self, input_shape):
        if len(input_shape) != 2:
            raise ValueError(
                f"{type(self).__name__} takes vectors of features. Received: features of shape {tuple(input_shape)}."
            )
        self.head = keras.layers.Dense(math.prod(self.event), name="head", dtype=self.dtype_policy)
        self.head.build(input_shape)
        if not self.estimator.built:
            self.estimator.build(input_shape)
            self.estimator.built = True

    def noise_spec(self, shape):
        return self.family(ops.zeros((1, *shape))).noise_spec(shape)

    def parameters(self, h):
        logits = self.estimator.steepened(ops.reshape(float32(self.head(h)), (-1, *self.event)))
        return {"z_logits": clip_straight_through(self.normalised(logits), -LIMIT, LIMIT)}

    def normalised(self, logits):
        """The logits of the same distribution that the limits are of. Default: as they are."""
        return logits

    def call(self, h, training=False):
        parameters = self.parameters(h)
        return {"z": self.drawn(self.posterior(parameters), training), **parameters, **self.beside(h, training)}

    def posterior(self, outputs):
        return self.family(outputs["z_logits"])
