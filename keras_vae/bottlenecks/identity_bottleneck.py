"""The bottleneck of a plain autoencoder: z = h."""

from keras_vae.bottlenecks.bottleneck import Bottleneck
from keras_vae.core.registration import registered
from keras_vae.distributions import Deterministic


@registered
class IdentityBottleneck(Bottleneck):
    """z = h: the features are the latent, as in a plain autoencoder.

    Args:
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...), features.

    Output shape:
        dict with "z": the features unchanged.

    Example:

    >>> import numpy as np, keras_vae
    >>> np.asarray(keras_vae.IdentityBottleneck()(np.ones((1, 2), "float32"))["z"]).tolist()
    [[1.0, 1.0]]
    """

    def call(self, h, training=False):
        return {"z": h}

    def posterior(self, outputs):
        return Deterministic(outputs["z"])
