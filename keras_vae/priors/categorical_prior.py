"""The prior of independent one-hot latents."""

from keras_vae.core.registration import registered
from keras_vae.distributions import OneHotCategorical
from keras_vae.priors.discrete_prior import DiscretePrior


@registered
class CategoricalPrior(DiscretePrior):
    """p(z) of independent one-hot latents, all classes equally likely, or with probabilities that are learnt.

    The rate of categorical posteriors is exact: KL = sum_d sum_k q_dk log(q_dk / p_dk), nats.

    Args:
        learned: bool, whether the logits of each variable are trainable weights, zero at the start. Default: False.
        **kwargs: of keras.layers.Layer.

    Input shape:
        z: (batch, ..., num_classes), one-hot.

    Output shape:
        `log_prob`, `rate`: (batch,), nats. `sample_from`: one-hot, of its noise, (batch, ...) uniforms in [0, 1).

    Raises:
        ValueError: if `learned` is neither True nor False, or, when it is put on a model, its latents are not one-hot.

    Example:

    >>> import numpy as np, keras_vae
    >>> prior = keras_vae.CategoricalPrior()
    >>> prior.build((None, 2, 5))
    >>> z = np.asarray(prior.sample_from(np.array([[0.0, 0.99]], "float32")))
    >>> z.argmax(axis=-1).tolist(), round(float(prior.log_prob(z)[0]), 4)  # 2 log(1/5)
    ([[0, 4]], -3.2189)
    """

    values, family = "one-hot", OneHotCategorical
