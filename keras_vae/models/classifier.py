"""A classifier on the codes of an autoencoder."""

import keras

from keras_vae.bottlenecks import Bottleneck
from keras_vae.ops.checks import instance, integer
from keras_vae.ops.registration import Configured, export


@export
class Classifier(Configured, keras.Model):
    """Encoder, mode of the code, and one softmax layer: what a trained encoder is fine-tuned as.

    `Autoencoder.as_classifier(num_classes)` makes it, sharing the autoencoder's own layers.

    Args:
        encoder: keras layer or model, x -> features.
        bottleneck: Bottleneck, features -> codes.
        num_classes: int >= 2.
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        (batch, num_classes), probabilities.

    Raises:
        TypeError: if a part is of the wrong kind, or `num_classes` not an integer.
        ValueError: if `num_classes` is not >= 2.

    Example:

    >>> import numpy as np, keras_vae
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((4, 4, 1), ()))
    >>> model.build((None, 4, 4, 1))
    >>> classifier = model.as_classifier(num_classes=3)
    >>> classifier.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    >>> x, labels = np.ones((6, 4, 4, 1), "float32"), np.array([0, 1, 2, 0, 1, 2])
    >>> sorted(classifier.fit(x, labels, verbose=0).history)
    ['accuracy', 'loss']
    """

    def __init__(self, encoder, bottleneck, num_classes, **kwargs):
        super().__init__(**kwargs)
        self.encoder = instance("encoder", encoder, keras.layers.Layer)
        self.bottleneck = instance("bottleneck", bottleneck, Bottleneck)
        self.num_classes = integer("num_classes", num_classes, low=2)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy)
        self.head = keras.layers.Dense(self.num_classes, activation="softmax", dtype="float32", name="head")

    def build(self, input_shape):
        self.compute_output_spec(keras.KerasTensor(input_shape, dtype=self.compute_dtype))

    def call(self, x, training=False):
        parameters = self.bottleneck.parameters(self.encoder(x, training=training))
        return self.head(self.flatten(self.bottleneck.posterior(parameters).mode))
