"""Fine-tuning a classifier by one fixed protocol, so that figures can be compared."""

import keras
import numpy as np

from keras_vae.core.checks import in_half_open_interval, integer, positive


def finetune(
    classifier,
    x,
    labels,
    validation_data,
    epochs=30,
    batch_size=100,
    learning_rate=1e-3,
    averaging=0.0,
    label_smoothing=0.0,
    **kwargs,
):
    """Trains a classifier on labels and leaves it with the weights of its best epoch.

    Adam whose rate falls to zero by half a cosine, cross-entropy, no augmentation; the best epoch is that of the
    highest accuracy on `validation_data`, which must not be the test set.

    `averaging` m evaluates and keeps not the weights w themselves but their running mean a <- m a + (1 - m) w over the
    steps. `label_smoothing` e trains on targets (1 - e) one-hot + e / classes; the classifier is left compiled for
    integer labels, as without.

    Args:
        classifier: keras.Model, (batch, classes) probabilities, as `Autoencoder.as_classifier` makes it.
        x: array (n, ...).
        labels: int array (n,).
        validation_data: pair of arrays like `x` and `labels`.
        epochs: int >= 1. Default: 30.
        batch_size: int >= 1. Default: 100.
        learning_rate: float > 0, the first rate. Default: 1e-3.
        averaging: float in [0, 1), of the running mean of the weights; 0 for none. Default: 0.0.
        label_smoothing: float in [0, 1). Default: 0.0.
        **kwargs: of keras.Model.fit, such as `verbose` or `callbacks`.

    Returns:
        keras.callbacks.History.

    Raises:
        ValueError: if a number is out of its range, or labels to be smoothed are not integers of the classes.

    Reference:
        Polyak & Juditsky 1992 (averaging). Szegedy et al. 2016, arXiv:1512.00567, section 7 (label smoothing).

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
    averaging = in_half_open_interval("averaging", averaging, 0.0, 1.0)
    label_smoothing = in_half_open_interval("label_smoothing", label_smoothing, 0.0, 1.0)
    optimizer = keras.optimizers.Adam(rate, use_ema=averaging > 0, ema_momentum=averaging)
    loss = "sparse_categorical_crossentropy"
    if label_smoothing:
        classes = classifier(x[:1]).shape[-1]
        labels = _one_hot("labels", labels, classes)
        validation_data = (validation_data[0], _one_hot("validation_data[1]", validation_data[1], classes))
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
    classifier.compile(optimizer, loss, metrics=["accuracy"])
    given = kwargs.pop("callbacks", None) or []
    callbacks = [given] if isinstance(given, keras.callbacks.Callback) else [*given]
    if averaging:
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))  # what the next one is to see
    callbacks.append(
        keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=epochs, restore_best_weights=True)
    )
    options = {"epochs": epochs, "batch_size": batch_size, "validation_data": validation_data, "callbacks": callbacks}
    history = classifier.fit(x, labels, **options, **kwargs)
    if label_smoothing:
        classifier.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return history


def _one_hot(name, labels, classes):
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or not ((labels >= 0) & (labels < classes)).all():
        raise ValueError(
            f"`{name}` must be integers from 0 to {classes - 1}, shape (n,), for `label_smoothing`. Received: "
            f"shape={labels.shape}, dtype={labels.dtype}, values from {labels.min()} to {labels.max()}."
        )
    return keras.utils.to_categorical(labels, classes)
