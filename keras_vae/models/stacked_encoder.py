"""The encoders of a stack, as one layer."""

import keras

from keras_vae.bottlenecks import Bottleneck
from keras_vae.core.checks import instance
from keras_vae.core.registration import Configured, registered


@registered
class StackedEncoder(Configured, keras.layers.Layer):
    """x -> the clean code of the highest of several autoencoders: the mode of each code is the data of the next.

    Args:
        encoders: sequence of keras layers or models, from the data upwards.
        bottlenecks: sequence of Bottleneck, one for each encoder.
        **kwargs: of keras.layers.Layer.

    Input shape:
        (batch, ...), as the lowest encoder takes.

    Output shape:
        That of the highest code.

    Raises:
        TypeError: if a part is of the wrong kind.
        ValueError: if the two sequences are not of one length.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.models import StackedEncoder
    >>> encoders = [keras_vae.MLPEncoder((n,), "sigmoid") for n in (8, 4)]
    >>> layer = StackedEncoder(encoders, [keras_vae.IdentityBottleneck(), keras_vae.IdentityBottleneck()])
    >>> tuple(layer(np.ones((2, 3, 3), "float32")).shape)
    (2, 4)
    """

    def __init__(self, encoders, bottlenecks, **kwargs):
        super().__init__(**kwargs)
        self.autocast = False  # the lowest encoder may take off a mean first
        self.encoders = [instance("encoders", e, keras.layers.Layer) for e in encoders]
        self.bottlenecks = [instance("bottlenecks", b, Bottleneck) for b in bottlenecks]
        if len(self.encoders) != len(self.bottlenecks):
            raise ValueError(
                f"`bottlenecks` must be one for each encoder, {len(self.encoders)}. Received: {len(self.bottlenecks)}."
            )

    def build(self, input_shape):
        self.compute_output_spec(keras.KerasTensor(input_shape, dtype="float32"))  # which builds every part

    def call(self, x, training=False):
        for encoder, bottleneck in zip(self.encoders, self.bottlenecks, strict=True):
            x = bottleneck.posterior(bottleneck.parameters(encoder(x, training=training))).mode
        return x
