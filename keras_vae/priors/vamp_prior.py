"""The mixture of posteriors of learned pseudo-inputs."""

import math

import keras
import numpy as np
from keras import ops

from keras_vae.core.checks import integer, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.priors.mixture_prior import MixturePrior
from keras_vae.training import check_values

MARGIN = 0.02  # of the interval, by which data is held off its ends, where the gradient of a sigmoid is zero


@registered
class VampPrior(MixturePrior):
    """p(z) = 1/K sum_k q(z|u_k): the model's own posterior of K pseudo-inputs u_k, which are learned with it.

    The "variational mixture of posteriors" (Tomczak & Welling 2018, eq. 9) is as near to the aggregated posterior, the
    best prior there is, as K components come. The pseudo-inputs are data of the shape of x: where the likelihood has an
    interval, u = low + (high - low) sigmoid(weight). They start at random, or, better, as examples:
    `model.prior.adapt(x_train)` before `fit`. Binary ones hardly move, and are then as good as copies, in the model's
    files too: where data is not to be passed on, adapt to something else, such as means of several examples.

    The posterior is the model's at the present weights, encoded in inference mode, once for each step and not again for
    draws: those encode the pseudo-inputs that they chose. The rate is the one-sample estimate log q(z|x) - log p(z),
    exact in log p; it costs K passes of the encoder for each batch, beside a density of batch x K.

    Any posterior that has a `pairwise_log_prob` will do. The prior belongs to one encoder: another model may share it
    that shares its encoder and its bottleneck.

    Args:
        num_pseudo_inputs: int >= 1, K. Default: 500, the paper's for MNIST.
        seed: int or None, of the pseudo-inputs at the start. Default: None (drawn from Keras's global seed).
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, ...), floats.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: (batch, ...). `responsibilities`: (batch, K).

    Raises:
        ValueError: if `num_pseudo_inputs` is not >= 1; on a model of codes, of a point mass, with a condition or a
            mask, of integer data, or with another encoder than that of the model that it was put on first.

    Reference:
        Tomczak & Welling 2018, VAE with a VampPrior, arXiv:1705.07120.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.VAE(encoder, decoder, latent_dim=2, prior=keras_vae.VampPrior(num_pseudo_inputs=3))
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (8, 4, 4, 1)).astype("float32")
    >>> model.build((None, 4, 4, 1))
    >>> model.prior.adapt(x)
    >>> sorted(model.fit(x, verbose=0).history)
    ['distortion', 'elbo', 'loss', 'rate']
    >>> tuple(model.prior.pseudo_inputs().shape), model.sample(2, seed=0).shape
    ((3, 4, 4, 1), (2, 4, 4, 1))
    """

    def __init__(self, num_pseudo_inputs=500, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.num_pseudo_inputs = integer("num_pseudo_inputs", num_pseudo_inputs)
        self.seed = seed_or_none("seed", seed)
        self.parts = None  # ids of the encoder and of the bottleneck

    def attach(self, model):
        super().attach(model)
        parts = id(model.encoder), id(model.bottleneck)
        if self.parts not in (None, parts):
            raise ValueError(
                "`prior` must be new, or belong to a model of the same encoder and bottleneck: a VampPrior is made of "
                f"their posterior. Received: a {type(self).__name__} of another model."
            )
        if not model.bottleneck.is_random or model.extra_inputs or model.likelihood.whole:
            raise ValueError(
                f"{type(self).__name__} needs a posterior that is a density, of data without a condition or a mask, "
                f"and no integers. Received: {type(model.bottleneck).__name__}, {type(model.likelihood).__name__}, "
                f"further inputs={model.extra_inputs}."
            )
        self.parts = parts
        # Methods, which Keras does not track: the model holds the prior, and not the other way round.
        self.posterior, self.posterior_noise_spec = model.posterior, model.bottleneck.noise_spec
        self.data_of = {"shape": model.data_shape, "interval": model.likelihood.interval}

    def build(self, input_shape):
        if self.parts is None:
            raise ValueError(f"{type(self).__name__} is built by the model that it is put on. Received: no model.")
        self.inputs = self.add_weight(
            shape=(self.num_pseudo_inputs, *self.data_of["shape"]),
            initializer=keras.initializers.RandomNormal(stddev=1.0, seed=self.seed),
            dtype="float32",
            autocast=False,
            name="pseudo_inputs",
        )
        self.built = True

    def get_build_config(self):
        return None  # a loaded one is built by the loaded model

    def adapt(self, x, seed=0):
        """Starts the pseudo-inputs as examples drawn from `x`, without replacement where there are enough.

        Args:
            x: array (n, *data_shape), training data.
            seed: int >= 0, of the choice. Default: 0.

        Raises:
            ValueError: before the model is built, or for bad data.
        """
        if not self.built:
            raise ValueError(
                f"`adapt` of a {type(self).__name__} comes after the model is built: call its `build((None, "
                "*data_shape))`. Received: a prior that is not built."
            )
        x = check_values("x", x, reason=type(self).__name__, **self.data_of)
        rng, count = np.random.default_rng(integer("seed", seed, low=0)), self.num_pseudo_inputs
        chosen = np.asarray(x[np.sort(rng.choice(len(x), count, replace=len(x) < count))], "float64")
        if self.data_of["interval"] is not None:
            low, high = self.data_of["interval"]
            share = np.clip((chosen - low) / (high - low), MARGIN, 1.0 - MARGIN)
            chosen = np.log(share / (1.0 - share))
        self.inputs.assign(chosen.astype("float32"))

    def pseudo_inputs(self, component=None):
        """The pseudo-inputs, as data.

        Args:
            component: int tensor (batch,), which of them, or None for all. Default: None.

        Returns:
            Tensor (K or batch, *data_shape).
        """
        values = ops.convert_to_tensor(self.inputs)
        values = values if component is None else ops.take(values, component, axis=0)
        if self.data_of["interval"] is None:
            return values
        low, high = self.data_of["interval"]
        return low + (high - low) * ops.sigmoid(values)

    def log_weights(self):
        return ops.full((self.num_pseudo_inputs,), -math.log(self.num_pseudo_inputs), dtype="float32")

    def pairwise_log_prob(self, z):
        return self.posterior(self.pseudo_inputs()).pairwise_log_prob(z)

    def component_noise_spec(self, shape):
        return self.posterior_noise_spec(shape)

    def sample_component(self, component, noise):
        return self.posterior(self.pseudo_inputs(component)).sample_from(noise)
