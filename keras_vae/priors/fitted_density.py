"""The abstract density that is fitted to latents at once, after the model has been trained."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae.core.checks import non_negative
from keras_vae.distributions.normal import LOG_2_PI
from keras_vae.ops.numerics import flat, float32
from keras_vae.priors.mixture_prior import MixturePrior
from keras_vae.training import SamplerCache, check_values


class FittedDensity(MixturePrior):
    """Abstract: a mixture of Gaussians of full covariance, estimated from latents in one computation and no steps.

    `generator = model.with_prior(prior)`, then `generator.fit_prior(x)`, makes a generator of any autoencoder: sampling
    a density that was fitted to the codes afterwards (Ghosh et al. 2020, section 4). Or `prior.fit(z)`, of latents.
    What was found is kept in plain weights, K (1 + D + D^2) numbers for D latents, so that a loaded model needs what
    has fitted it no more. A subclass has `num_components` and says `estimate(z)`.

    Args:
        regularization: float >= 0, added to every variance, in the units of z squared. Default: 1e-6.
        **kwargs: of keras.layers.Layer.
    """

    fits_at_once = True
    jit_sampler = False
    data_shape = None  # of the latents

    def __init__(self, regularization=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.regularization = non_negative("regularization", regularization)

    def estimate(self, z):
        """Weights (K,), means (K, D) and covariances (K, D, D), float64, of latents (n, D), float64."""
        raise TypeError(f"{type(self).__name__} must define `estimate(z)`.")

    def build(self, input_shape):
        self.data_shape = tuple(input_shape[1:])
        count, size = self.num_components, math.prod(self.data_shape)
        options = {"trainable": False, "dtype": "float32", "autocast": False}
        equal = keras.initializers.Constant(1.0 / count)
        self.shares = self.add_weight(shape=(count,), initializer=equal, name="shares", **options)
        self.means = self.add_weight(shape=(count, size), initializer="zeros", name="means", **options)
        # Lower triangular: the covariances are scale scale^T.
        self.scales = self.add_weight(shape=(count, size, size), initializer="zeros", name="scales", **options)
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, dtype="int32", name="count")
        self.built = True

    def fit(self, z, validation_data=None):
        """Fits the density to latents.

        Args:
            z: array (n, ...), n > 1 and no less than there are components.
            validation_data: array of other latents, to be scored, or None. Default: None.

        Returns:
            keras.callbacks.History of one epoch: "loss" and "rate", the mean of -log p(z) in nats, "bits_per_dim", and
            with `validation_data` those of it, "val_loss" and so on.

        Raises:
            ValueError: for bad data, or too little; where a covariance is singular, for want of `regularization`.
        """
        z = check_values("z", z, self.data_shape, reason=type(self).__name__)
        if len(z) < max(2, self.num_components):
            raise ValueError(
                f"`z` must hold at least {max(2, self.num_components)} examples. Received: {len(z)} examples."
            )
        if not self.built:
            self.build((None, *z.shape[1:]))
        shares, means, covariances = self.estimate(np.asarray(z, "float64").reshape(len(z), -1))
        try:
            scales = np.linalg.cholesky(covariances)
        except np.linalg.LinAlgError as error:
            raise ValueError(
                "`regularization` must be larger: a covariance is singular, as where a latent is constant. "
                f"Received: regularization={self.regularization:g}."
            ) from error
        for variable, value in ((self.shares, shares), (self.means, means), (self.scales, scales)):
            variable.assign(value.astype("float32"))
        self.count.assign(min(len(z), np.iinfo("int32").max))
        history = keras.callbacks.History()
        history.epoch, history.history = [0], self._logs("", z)
        if validation_data is not None:
            held = check_values("validation_data", validation_data, self.data_shape, reason=type(self).__name__)
            history.history.update(self._logs("val_", held))
        return history

    def require_trained(self):
        """Raises unless the density has been fitted, here or before its weights were loaded.

        Raises:
            ValueError: where it has not.
        """
        if not self.built or not int(ops.convert_to_numpy(self.count.value)):
            raise ValueError(
                f"{type(self).__name__} has not been fitted: call `fit_prior` of the model that has it, or its own "
                "`fit`. Received: a density of 0 latents."
            )

    def log_weights(self):
        return ops.log(ops.convert_to_tensor(self.shares))

    def pairwise_log_prob(self, z):
        means, scales = ops.convert_to_tensor(self.means), ops.convert_to_tensor(self.scales)
        z = flat(float32(ops.convert_to_tensor(z)))
        centred = ops.transpose(z) - means[:, :, None]  # (components, D, batch)
        white = ops.solve_triangular(scales, centred, lower=True)
        log_det = ops.sum(ops.log(ops.diagonal(scales, axis1=1, axis2=2)), axis=-1)
        each = -0.5 * (means.shape[1] * LOG_2_PI + ops.sum(ops.square(white), axis=1)) - log_det[:, None]
        return ops.transpose(each)

    def sample_component(self, component, noise):
        means, scales = (ops.take(ops.convert_to_tensor(v), component, axis=0) for v in (self.means, self.scales))
        z = means + ops.matmul(scales, flat(noise)[:, :, None])[:, :, 0]
        return ops.reshape(z, (-1, *self.data_shape))

    def _logs(self, prefix, z):
        samplers = self.__dict__.setdefault("_sampler_cache", SamplerCache())
        scorer = samplers.get("log_prob", self, lambda inputs: self.log_prob(inputs["z"]))
        rate = -float(np.mean(scorer.run({"z": z}, batch_size=1024), dtype="float64"))
        bits = rate / (math.prod(self.data_shape) * math.log(2.0))
        return {f"{prefix}loss": [rate], f"{prefix}rate": [rate], f"{prefix}bits_per_dim": [bits]}
