"""A fixed prior of any family."""

from keras import ops, tree

from keras_vae.core.registration import registered
from keras_vae.distributions import Parameterised
from keras_vae.priors.prior import Prior

OF_LAYER = ("name", "dtype", "trainable")


@registered
class FamilyPrior(Prior):
    """p(z) of any family with given parameters, the same for all latents or one for each on the last axis.

    The rate of a posterior is in closed form where the pair of families has one, else the one-sample estimate.
    Parameters that are not given are those of a network that says zero: of a "Laplace" loc = 0 and scale = 1.

    Args:
        family: str, such as "Laplace" or "Gamma"; or a class of your own that is decorated with
            `keras_vae.distributions.family`.
        **kwargs: parameters of the family by name: numbers, or lists of them that broadcast to the shape of the
            parameter for one vector of latents; and `name`, `dtype`, `trainable` of keras.layers.Layer.

    Input shape:
        z: (batch, ..., latents), floats.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: the shape of the latents.

    Raises:
        ValueError: if `family` is no family, a parameter is none of it, or cannot have such a value; for draws of a
            prior that has not been built for latents of a shape.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.FamilyPrior("Laplace", loc=0.0, scale=[1.0, 2.0])
    >>> round(float(prior.log_prob(np.zeros((1, 2), "float32"))[0]), 4)  # -log(2) - log(4)
    -2.0794
    """

    def __init__(self, family, **kwargs):
        own = {name: kwargs.pop(name) for name in OF_LAYER if name in kwargs}
        super().__init__(**own)
        self.parameterised = Parameterised(family, kwargs)
        self.family = self.parameterised.name
        self.support = self.parameterised.cls.support
        self.latent_shape = None

    def build(self, input_shape):
        self.latent_shape = tuple(input_shape[1:])
        self.built = True

    def noise_spec(self, shape):
        return self.parameterised.noise_spec(shape)

    def distribution(self, like, condition=None):
        return self.parameterised.default(ops.shape(like))

    def sample_from(self, noise, condition=None):
        if self.latent_shape is None:
            raise ValueError(
                f"`sample_from` needs the shape of the latents: `build((None, *latent_shape))` first. Received: a "
                f"{type(self).__name__} that is not built."
            )
        rows = ops.shape(tree.flatten(noise)[0])[0]
        return self.parameterised.default((rows, *self.latent_shape)).sample_from(noise)

    def get_config(self):
        return {**super().get_config(), **self.parameterised.options}
