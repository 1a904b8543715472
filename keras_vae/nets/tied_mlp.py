"""A decoder of the transposed kernels of an encoder: tied weights."""

import keras
from keras import ops

from keras_vae.core.checks import instance
from keras_vae.nets.mlp import MLPEncoder


class TiedMLPDecoder(keras.layers.Layer):
    """The mirror image of an MLPEncoder with tied weights: x = W_1^T s(W_2^T ... z + c_2) + c_1, linear at the end.

    Each kernel is the encoder's own variable, transposed; biases are the decoder's own. Models make it where their
    `decoder` is None, and so find it again when they are loaded.

    Args:
        encoder: MLPEncoder; it must be built first.
        **kwargs: of keras.layers.Layer; the dtype is float32 always, that of the parameters of a density.

    Input shape:
        (batch, encoder.units[-1]), latents.

    Output shape:
        (batch, ...), the shape that the encoder was built for.

    Raises:
        TypeError: if `encoder` is not an MLPEncoder.
        ValueError: if the latents are not as wide as the encoder's output.

    Reference:
        Vincent et al. 2008, Extracting and Composing Robust Features with Denoising Autoencoders, ICML, section 2.2.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder = keras_vae.MLPEncoder(units=(8, 3), activation="sigmoid")
    >>> h = encoder(np.ones((2, 4, 4, 1), "float32"))
    >>> decoder = keras_vae.TiedMLPDecoder(encoder)
    >>> tuple(decoder(h).shape), [tuple(w.shape) for w in decoder.weights]
    ((2, 4, 4, 1), [(8,), (16,)])
    """

    def __init__(self, encoder, **kwargs):
        super().__init__(**{**kwargs, "dtype": "float32"})  # under a mixed policy the kernels would come rounded
        self.tie = _Tie(instance("encoder", encoder, MLPEncoder))

    def tied_to(self):
        """The encoder whose kernels these are: a model with both saves the decoder as None.

        No property: Keras would save the weights under its name.
        """
        return self.tie.encoder

    def build(self, input_shape):
        if not self.tie.encoder.built:
            raise ValueError("`encoder` must be built before its tied decoder. Received: an encoder without weights.")
        if input_shape[-1] != self.tie.encoder.units[-1]:
            raise ValueError(
                f"`decoder` may be left out where the latents are as wide as the encoder's output, "
                f"{self.tie.encoder.units[-1]}. Received: latents of width {input_shape[-1]}."
            )
        self.biases = [
            self.add_weight(shape=(layer.kernel.shape[0],), initializer="zeros", name=f"bias_{i}")
            for i, layer in reversed(list(enumerate(self.tie.encoder.dense_layers())))
        ]

    def call(self, z):
        dense = self.tie.encoder.dense_layers()
        for layer, bias in zip(dense[:0:-1], self.biases, strict=False):
            z = layer.activation(ops.matmul(z, ops.transpose(layer.kernel)) + bias)
        x = ops.matmul(z, ops.transpose(dense[0].kernel)) + self.biases[-1]
        return ops.reshape(x, (-1, *self.tie.encoder.built_for[1:]))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], *self.tie.encoder.built_for[1:])

    def get_config(self):
        return {**super().get_config(), "encoder": keras.saving.serialize_keras_object(self.tie.encoder)}


class _Tie:
    """Holds the encoder where Keras does not look: its weights belong to one layer."""

    def __init__(self, encoder):
        self.encoder = encoder
