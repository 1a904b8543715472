"""A classifier on the codes of an autoencoder."""

import keras
from keras import ops

from keras_vae.bottlenecks import Bottleneck
from keras_vae.core.checks import check_precision, in_half_open_interval, instance, integer
from keras_vae.core.registration import Configured, registered
from keras_vae.layers.corruption import build_corruption
from keras_vae.training import CheckedMethods, Exported, SamplerCache, Signature, check_values
from keras_vae.training.signature import data_input


@registered
class Classifier(Exported, CheckedMethods, Configured, keras.Model):
    """Encoder, mode of the code, and one softmax layer: what a trained encoder is fine-tuned as.

    `Autoencoder.as_classifier(num_classes)` makes it, sharing the autoencoder's own layers.

    Args:
        encoder: keras layer or model, x -> features.
        bottleneck: Bottleneck, features -> codes.
        num_classes: int >= 2.
        dropout: float in [0, 1), the share of codes that are dropped while training. Default: 0.0.
        corruption: Corruption, or any other Keras layer x -> x~ that keeps the shape, applied to images while training;
            None for none. Default: None.
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), as the encoder takes.

    Output shape:
        (batch, num_classes), probabilities.

    Raises:
        TypeError: if a part is of the wrong kind, or `num_classes` not an integer.
        ValueError: if `num_classes` is not >= 2, `dropout` not in [0, 1), or `corruption` changes the shape.

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

    has_terms = False

    def __init__(self, encoder, bottleneck, num_classes, dropout=0.0, corruption=None, **kwargs):
        super().__init__(**kwargs)
        check_precision(self.dtype_policy)
        self.autocast = False  # as of the autoencoder
        self.data_shape = None
        self.encoder = instance("encoder", encoder, keras.layers.Layer)
        self.bottleneck = instance("bottleneck", bottleneck, Bottleneck)
        self.num_classes = integer("num_classes", num_classes, low=2)
        self.dropout = in_half_open_interval("dropout", dropout, 0.0, 1.0)
        self.corruption = corruption if corruption is None else instance("corruption", corruption, keras.layers.Layer)
        self.flatten = keras.layers.Flatten(dtype=self.dtype_policy)
        self.drop = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)
        self.head = keras.layers.Dense(self.num_classes, activation="softmax", dtype="float32", name="head")

    def build(self, input_shape):
        if self.corruption is not None:
            build_corruption(self.corruption, input_shape)
        self.compute_output_spec(keras.KerasTensor(input_shape, dtype="float32"))
        self.data_shape = tuple(input_shape[1:])

    def check_data(self, x, name="x"):
        return check_values(name, x, shape=self.data_shape)

    def check_target(self, y, name="y"):
        """Labels from 0 to num_classes - 1, (batch,) or (batch, 1), or probabilities (batch, num_classes)."""
        values = check_values(name, y)
        if values.ndim == 2 and values.shape[1] == self.num_classes:
            return check_values(name, values, interval=(0.0, 1.0), reason="probabilities of classes")
        if values.ndim > 2 or values[0].size != 1:
            raise ValueError(
                f"`{name}` must be labels (batch,), or probabilities (batch, {self.num_classes}). "
                f"Received: shape={values.shape}."
            )
        reason = f"labels of {self.num_classes} classes"
        return check_values(name, values, interval=(0, self.num_classes - 1), reason=reason, whole=True)

    def features(self, x, batch_size=128):
        """The codes that the softmax layer reads, evaluated: the classifier as a network of features.

        Args:
            x: array (batch, ...), as the classifier was trained on: images are floats in [0, 1].
            batch_size: int, examples at a time. Default: 128.

        Returns:
            numpy float32 array (batch, units).

        Raises:
            ValueError: for bad data, 8-bit greys among it, or a classifier that is not built.
        """
        if self.data_shape is None:
            raise ValueError("Classifier must be built first: call `fit`, or `build((None, *data_shape))`.")
        x = self.check_data(x)
        if x.dtype.kind in "iu" and x.max() > 1:
            raise ValueError(
                f"`x` must be floats: divide 8-bit images by 255. Received: dtype={x.dtype}, values up to {x.max()}."
            )
        samplers = self.__dict__.setdefault("_sampler_cache", SamplerCache())
        sampler = samplers.get("features", self, lambda inputs: self.codes(inputs["x"]))
        return sampler.run({"x": x}, integer("batch_size", batch_size))

    def signatures(self):
        """`serving_default`: images -> probabilities (batch, num_classes)."""

        def serving_default(images):
            return {"probabilities": self(images)}

        return {"serving_default": Signature(serving_default, {"images": data_input(self.data_shape)})}

    def preset_facts(self):
        """What the metadata of a preset says of this classifier."""
        return {"data_shape": list(self.data_shape), "num_classes": self.num_classes}

    def call(self, x, training=False):
        x = ops.cast(x, "float32")
        if training and self.corruption is not None:
            x = self.corruption(x, training=True)
        return self.head(self.drop(self.codes(x, training), training=training))

    def codes(self, x, training=False):
        """The mode of the code of x, flat: a tensor (batch, units)."""
        parameters = self.bottleneck.parameters(self.encoder(ops.cast(x, "float32"), training=training))
        return self.flatten(self.bottleneck.posterior(parameters).mode)
