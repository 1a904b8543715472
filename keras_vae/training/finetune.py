"""Fine-tuning a classifier by one fixed protocol, so that figures can be compared."""

import keras

from keras_vae.ops.checks import integer, positive


def finetune(classifier, x, labels, validation_data, epochs=30, batch_size=100, learning_rate=1e-3, **kwargs):
    """Trains a classifier on labels and leaves it with the weights of its best epoch.

    Adam whose rate falls to zero by half a cosine, cross-entropy, no augmentation; the best epoch is that of the
    highest accuracy on `validation_data`, which must not be the test set.

    Args:
        classifier: keras.Model, (batch, classes) probabilities, as `Autoencoder.as_classifier` makes it.
        x: array (n, ...).
        labels: int array (n,).
        validation_data: pair of arrays like `x` and `labels`.
        epochs: int >= 1. Default: 30.
        batch_size: int >= 1. Default: 100.
        learning_rate: float > 0, the first rate. Default: 1e-3.
        **kwargs: of keras.Model.fit, such as `verbose` or `callbacks`.

    Returns:
        keras.callbacks.History.

    Example:

    >>> import numpy as np, keras, keras_vae
    >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    >>> x, labels = np.eye(3, 2, dtype="float32"), np.arange(3)
    >>> history = keras_vae.training.finetune(model, x, labels, (x, labels), epochs=2, verbose=0)
    >>> "val_accuracy" in history.history
    True
    """
    steps = integer("epochs", epochs) * -(-len(x) // integer("batch_size", batch_size))
    rate = keras.optimizers.schedules.CosineDecay(positive("learning_rate", learning_rate), steps)
    classifier.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    best = keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=epochs, restore_best_weights=True)
    given = kwargs.pop("callbacks", None) or []
    callbacks = [*([given] if isinstance(given, keras.callbacks.Callback) else given), best]
    options = {"epochs": epochs, "batch_size": batch_size, "validation_data": validation_data, "callbacks": callbacks}
    return classifier.fit(x, labels, **options, **kwargs)
