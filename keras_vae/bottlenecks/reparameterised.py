"""The bottleneck of any reparameterised family."""

import keras

from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.core.checks import instance, integer, seed_or_none
from keras_vae.core.registration import registered
from keras_vae.distributions import Parameterised
from keras_vae.estimators import Estimator
from keras_vae.layers import ReplicaSeedGenerator


@registered
class Reparameterised(Bottleneck):
    """Posterior q(z|x) of any family whose draws are a differentiable function of its parameters and of noise.

    The parameters are one linear map of the features, on the last axis, and the family's links: vectors give a vector
    of latents, feature maps a map of latents. `keras_vae.distributions.FAMILIES` has the names. The draw is made in
    training and in evaluation alike, and is float32 under any dtype policy. For N(mean, variance) `GaussianBottleneck`
    is the same.

    A model's `encode` gives the mode of q, and with output="mean" its mean. Where the mode says nothing, as that of an
    Exponential, which is zero, take the mean. The prior must be a density on all of the family's support: a `Gamma`
    goes with `FamilyPrior("Gamma")`, and not with a prior that is zero there.

    Args:
        family: str, such as "Laplace" or "Gamma"; or a class of your own that is decorated with
            `keras_vae.distributions.family`.
        latent_dim: int >= 1, latents on the last axis.
        options: dict or None: values of parameters that are not to be predicted, such as {"df": 5.0} of a "StudentT",
            and what tells the forms of a family apart, such as {"rank": 2} of an "Elliptical". Default: None.
        seed: int or None, of the noise. Default: None (drawn from Keras's global seed).
        estimator: Estimator of the gradient through the draw, such as `ScoreFunction()`, to compare with; or None for
            the reparameterised one. Default: None.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ..., features).

    Output shape:
        dict with "z", (batch, ..., latent_dim), and "z_" + name for each parameter, all float32; while training also
        what the estimator has beside them.

    Raises:
        ValueError: if `family` is no family, or has no such options; if `latent_dim` is not an integer >= 1; if the
            estimator takes the score of a family whose support moves with its parameters.
        TypeError: if `estimator` is no Estimator.

    Reference:
        Kingma & Welling 2014, arXiv:1312.6114, section 2.4. Figurnov, Mohamed & Mnih 2018, arXiv:1805.08498.

    Example:

    >>> import numpy as np, keras_vae
    >>> outputs = keras_vae.Reparameterised("Laplace", latent_dim=3)(np.ones((2, 5), "float32"))
    >>> sorted(outputs), tuple(outputs["z"].shape)
    (['z', 'z_loc', 'z_scale'], (2, 3))
    """

    def __init__(self, family, latent_dim, options=None, seed=None, estimator=None, **kwargs):
        super().__init__(**kwargs)
        self.latent_dim = integer("latent_dim", latent_dim)
        self.parameterised = Parameterised(family, options).require_predicted()
        self.family, self.options = self.parameterised.name, self.parameterised.options
        self.support = self.parameterised.cls.support
        self.seed = seed_or_none("seed", seed)
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.estimator = None if estimator is None else instance("estimator", estimator, Estimator).require(None)
        if not (self.carries_gradient or self.parameterised.cls.has_score):
            raise ValueError(
                f"`estimator` must draw z that carries the gradient: the ends of a {self.family} move with its "
                f"parameters, which its score does not tell. Received: estimator={type(estimator).__name__}."
            )
        size = self.parameterised.size(self.latent_dim)
        self.head = keras.layers.Dense(size, name="head", dtype=self.dtype_policy)

    def build(self, input_shape):
        self.head.build(input_shape)
        if self.estimator is not None and not self.estimator.built:
            self.estimator.build(input_shape)
            self.estimator.built = True

    def noise_spec(self, shape):
        return self.parameterised.noise_spec(shape)

    def parameters(self, h):
        return {f"z_{name}": value for name, value in self.parameterised.values(self.head(h)).items()}

    def call(self, h, training=False):
        parameters = self.parameters(h)
        return {"z": self.drawn(self.posterior(parameters), training), **parameters, **self.beside(h, training)}

    def posterior(self, outputs):
        values = {name: outputs[f"z_{name}"] for name in self.parameterised.parameters}
        return self.parameterised.distribution(values, self.latent_dim)
