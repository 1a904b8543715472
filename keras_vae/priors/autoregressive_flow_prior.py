"""A prior whose latents are a standard normal, seen through an autoregressive flow."""

import keras
from keras import ops

from keras_vae.core.checks import instance
from keras_vae.core.registration import registered
from keras_vae.distributions import Normal
from keras_vae.layers import AutoregressiveFlow
from keras_vae.ops.numerics import float32
from keras_vae.priors.learned_prior import LearnedPrior


@registered
class AutoregressiveFlowPrior(LearnedPrior):
    """log p(z) = log N(T(z); 0, I) + log|det dT/dz|, T an autoregressive flow: exact, and in one pass of its nets.

    A masked autoregressive flow (Papamakarios et al. 2017): of z it makes noise, where an inverse one makes z of noise
    and would need a pass for each latent to score what the encoder drew. Such a prior along the latents is as good as
    an inverse flow along the posterior (Chen et al. 2017, section 3.2). A draw takes a pass for each latent, compiled.

    It learns with a model, `VAE(..., prior=AutoregressiveFlowPrior())`, or afterwards, on the codes of any autoencoder,
    by `with_prior` and `fit_prior`; or by itself, by its own `fit`, as a density of vectors.

    Args:
        flow: AutoregressiveFlow. Default: AutoregressiveFlow(), of two steps.
        condition: Condition, whose features the flow sees, or None. Default: None.
        **kwargs: of keras.Model.

    Input shape:
        (batch, latents), floats; or a dict of it, "x", with "condition".

    Output shape:
        dict with "log_prob": (batch,), nats.

    Raises:
        TypeError: if `flow` is no AutoregressiveFlow.
        ValueError: if latents are no vectors.

    Reference:
        Papamakarios, Pavlakou & Murray 2017, arXiv:1705.07057. Chen, Kingma, Salimans, Duan, Dhariwal, Schulman,
        Sutskever & Abbeel 2017, Variational Lossy Autoencoder, arXiv:1611.02731.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.AutoregressiveFlowPrior(keras_vae.AutoregressiveFlow(num_steps=1, units=(8,)))
    >>> prior.compile("adam")
    >>> z = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
    >>> sorted(prior.fit(z, verbose=0).history)
    ['bits_per_dim', 'loss', 'rate']
    >>> prior.sample(2, seed=0).shape
    (2, 3)
    """

    noise = "normal"

    def __init__(self, flow=None, condition=None, **kwargs):
        super().__init__(condition=condition, **kwargs)
        self.autocast = False
        self.flow = AutoregressiveFlow() if flow is None else instance("flow", flow, AutoregressiveFlow)

    def build(self, input_shape, condition_shape=None):
        shapes = self.input_shapes(input_shape)
        shape = shapes["x"] if self.extra_inputs else shapes
        if isinstance(shape, dict) or len(shape) != 2:
            raise ValueError(f"{type(self).__name__} is over vectors, (batch, latents). Received: shape={shape}.")
        if condition_shape is None and self.condition is not None:
            raw = keras.KerasTensor(shapes["condition"], self.condition.input_dtype)
            condition_shape = tuple(self.condition.compute_output_spec(raw).shape)
        if not self.flow.built:  # as it is where it comes from a file
            self.flow.build(tuple(shape), condition_shape)
        super().build(input_shape)

    def require_trained(self):
        """Raises unless the prior has been trained by itself, or is learned with a model: it starts near N(0, I).

        Raises:
            ValueError: where a model was given it by `with_prior`, and `fit_prior` is still to come.
        """
        if self.data_shape is None or not self.trainable:
            super().require_trained()

    def log_prob(self, z, condition=None):
        noise, log_det = self.flow.transform(float32(ops.convert_to_tensor(z)), condition)
        return Normal(ops.zeros_like(noise), 0.0).log_prob(noise) + log_det

    def sample_from(self, noise, condition=None):
        return self.flow.inverse(noise, condition)
