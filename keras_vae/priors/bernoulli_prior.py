"""The prior of independent binary latents."""

from keras_vae.core.registration import registered
from keras_vae.distributions import Bernoulli
from keras_vae.priors.discrete_prior import DiscretePrior


@registered
class BernoulliPrior(DiscretePrior):
    """p(z) of independent binary latents, each one with probability 1/2, or with one that is learnt.

    The rate of binary posteriors is exact: KL = sum_d [q log(q / p) + (1 - q) log((1 - q) / (1 - p))], nats.

    Args:
        learned: bool, whether each latent's logit is a trainable weight, zero at the start. Default: False.
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, ...), zeros and ones.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: the shape of its noise, uniforms in [0, 1).

    Raises:
        ValueError: if `learned` is neither True nor False, or, when it is put on a model, its latents are not binary.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.BernoulliPrior()
    >>> prior.build((None, 3))
    >>> round(float(prior.log_prob(np.ones((1, 3), "float32"))[0]), 4)  # 3 log(1/2)
    -2.0794
    """

    values, family = "binary", Bernoulli
