"""The abstract prior that is learned in a second stage, and is a model of its own."""

import math

import numpy as np
from keras import ops

from keras_vae.core.checks import integer, seed_or_none
from keras_vae.ops.levels import by_level, paths
from keras_vae.ops.noise import draw_noise, noise_from_seeds
from keras_vae.priors.prior import Prior
from keras_vae.training import SamplerCache, Signature, TermsModel, check_values
from keras_vae.training.signature import condition_input, data_input, seed_input, served_levels, unserved_levels


class LearnedPrior(TermsModel, Prior):
    """Abstract prior that is a model too: `fit` on codes or latents, `evaluate` in nats, `sample`, a preset of its own.

    loss = rate = -log p(z | condition), nats, summed over the event. A subclass defines `log_prob(z, condition=None)`
    and `sample_from(noise, condition=None)`, both pure, and what it draws from by `noise` or `noise_spec(shape)`.
    `model.with_prior(prior)` puts it on a model, whose `fit_prior` trains it.

    Args:
        condition: Condition that p is given, or None. Default: None.
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), codes or latents, or a dict of them by level; or a dict of it, "x", with "condition".

    Output shape:
        dict with "log_prob": (batch,), nats.
    """

    reconstruction = None
    noise = "uniform"
    data_interval = None  # (low, high) of what it scores: (0, K - 1) of codes
    grid = None  # the sizes of its positions, where its data have an axis of channels beside them
    whole = False  # whether it scores whole numbers
    jit_sampler = True  # whether its draws are a loop, which XLA compiles

    def __init__(self, condition=None, **kwargs):
        super().__init__(**kwargs)
        self.condition = condition
        self.track("rate", "bits_per_dim")

    def build(self, input_shape, condition_shape=None):
        """For data of its own, or, as a part of a model, for latents of `input_shape`.

        Where it has no condition of its own, but is called with features of one, whoever holds it traces it.
        """
        if self.condition is not None or condition_shape is None:
            self.trace(input_shape)
        shapes = self.input_shapes(input_shape)
        self.data_shape = by_level(lambda shape: tuple(shape[1:]), shapes["x"] if self.extra_inputs else shapes)

    def call(self, x, training=False):
        z, extras = self.split(x)
        return {"log_prob": self.log_prob_in_call(z, training, **extras_of(self, extras)), **extras}

    def log_prob_in_call(self, z, training, **given):
        """Hook: `log_prob` as `call` computes it, which in training may be with dropout."""
        return self.log_prob(z, **given)

    def terms(self, x, y, outputs, training):
        """{"loss", "rate"} in nats and "bits_per_dim", (batch,)."""
        rate = -outputs["log_prob"]
        sizes = by_level(math.prod, self.data_shape)
        count = sum(sizes.values()) if isinstance(sizes, dict) else sizes
        return {"loss": rate, "rate": rate, "bits_per_dim": rate / (count * math.log(2.0))}

    def check_data(self, x, name="x"):
        return check_values(name, x, self.data_shape, self.data_interval, type(self).__name__, self.whole)

    def _checked_arguments(self, method, given):
        given = super()._checked_arguments(method, given)
        if method in ("fit", "train_on_batch") and self.built and not self.trainable_variables:
            raise ValueError(
                f"`{method}` of a {type(self).__name__} needs weights that may learn; those of a prior that a model "
                "has been given learn by `fit_prior` of that model. Received: a prior with `trainable = False`."
            )
        return given

    def sample(self, n=1, seed=None, condition=None, batch_size=128, **controls):
        """Draws from p: codes or latents.

        Args:
            n: int >= 1. Default: 1.
            seed: int or None. The same seed gives the same draws on every backend. Default: None.
            condition: for a conditional prior, one for all or one for each. Default: None.
            batch_size: int, draws at a time. Default: 128.
            **controls: what else a prior takes: see the `sample` of its class.

        Returns:
            numpy array (n, *data_shape), or a dict of them by level.

        Raises:
            ValueError: if `n` is not >= 1, the prior was never trained, or the condition does not fit.
        """
        self.require_trained()
        n, rng = integer("n", n), np.random.default_rng(seed_or_none("seed", seed))
        controls = self.drawing_controls(n, **controls)
        inputs = {"noise": draw_noise(self.noise_spec(self.data_shape), rng, (n,))}
        condition = self.host_condition(condition, n)
        if condition is not None:
            inputs["condition"] = condition
        cache = self.__dict__.setdefault("_sampler_cache", SamplerCache())
        sampler = cache.get("_".join(("sample", *paths(controls))), self, self._sampled, jit=self.jit_sampler)
        return sampler.run({**inputs, "controls": controls}, integer("batch_size", batch_size), progress=True)

    def require_trained(self):
        """Raises unless the prior has been trained, here or before its weights were loaded.

        Raises:
            ValueError: where nothing was learned: draws would be noise.
        """
        if self.data_shape is None:
            raise ValueError(f"{type(self).__name__} must be built first: call `fit`, or `build((None, *data_shape))`.")
        if not int(ops.convert_to_numpy(self.step.value)):
            raise ValueError(
                f"{type(self).__name__} has not been trained: call its `fit`, or `fit_prior` of the model that has it, "
                "or load weights. Received: a prior of 0 steps."
            )

    def signatures(self):
        """`serving_default`: z -> log_prob, nats; `sample`: seed, one int32 per draw wanted -> z.

        Latents by level are served as z_top, z_bottom and so on.
        """
        of_data, extra = served_levels("z", self._served_data()), {}
        if self.condition is not None:
            extra["condition"] = condition_input(self.condition)

        def serving_default(**given):
            z = unserved_levels("z", given, self.data_shape)
            return {"log_prob": self.log_prob(z, **extras_of(self, given))}

        def sample(**given):
            noise = noise_from_seeds(self.noise_spec(self.data_shape), given["seed"])
            return served_levels("z", self.sample_from(noise, **extras_of(self, given)))

        return {
            "serving_default": Signature(serving_default, {**of_data, **extra}),
            "sample": Signature(sample, {"seed": seed_input(), **extra}, draws=True),
        }

    def preset_facts(self):
        """What the metadata of a preset says of this prior."""
        facts = {"data_shape": by_level(list, self.data_shape)}
        return facts if self.condition is None else {**facts, "condition": type(self.condition).__name__}

    def _served_data(self):
        """The `Served` data that it scores, or a dict of them by level."""
        limits = {"interval": self.data_interval, "whole": False, "reason": type(self).__name__}
        return data_input(self.data_shape, self.input_dtype, **limits)

    def _sampled(self, inputs):
        return self.sample_from(inputs["noise"], **extras_of(self, inputs), **inputs["controls"])


def extras_of(model, inputs):
    """{"condition": its features} where a model has one, as keyword arguments of its prior."""
    return {} if model.condition is None else {"condition": model.embed(inputs["condition"])}
