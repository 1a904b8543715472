"""How much the gradient varies while a model trains."""

import json
import operator
import pathlib

import keras

from keras_vae.core.checks import integers
from keras_vae.core.files import write_json
from keras_vae.training import GradientMoments


class GradientVariance(keras.callbacks.Callback):
    """Measures, after some of the epochs, the variance of a gradient over draws and batches at the weights of then.

    A copy of the model is given its weights and the batches, and moves none of them; what no optimizer owns, such as a
    baseline's average, moves in the copy alone. Making the copy draws from the global seeds: a `fit` that shuffles by
    them has its examples in another order than without. Of estimators it tells which one is quiet, and when.

    Args:
        batches: stream of `keras_vae.datasets`, or another that `fit` takes, of two batches or more: one gradient each.
            The same examples in each, unshuffled, leave the variance of the draws alone.
        part: str, attribute path of the part whose weights are summed over, as "bottleneck.head".
        epochs: sequence of ints >= 1, after how many it measures.
        path: str or path of a JSON file that keeps the values for a training that is resumed, or None. Default: None.

    Attributes:
        values: dict, epochs done -> variance.

    Raises:
        ValueError: if `epochs` are not integers >= 1; in `fit`, if the model has no such part with trainable weights.

    Example:

    >>> import numpy as np, keras_vae
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.VAE(encoder, decoder, latent_dim=2)
    >>> model.compile("adam")
    >>> x = np.random.default_rng(0).integers(0, 2, (64, 4, 4, 1)).astype("float32")
    >>> batches = keras_vae.datasets.ArrayBatches(x, 8)
    >>> callback = keras_vae.callbacks.GradientVariance(batches, "bottleneck.head", (1, 2))
    >>> history = model.fit(x, epochs=2, verbose=0, callbacks=[callback])
    >>> sorted(callback.values)
    [1, 2]
    """

    def __init__(self, batches, part, epochs, path=None):
        super().__init__()
        self.batches, self.part, self.epochs = batches, part, frozenset(integers("epochs", epochs))
        self.path = None if path is None else pathlib.Path(path)
        self.values = {}
        self.probe = self.moments = None

    def on_train_begin(self, logs=None):
        try:
            found = operator.attrgetter(self.part)(self.model).trainable_variables
        except AttributeError:
            found = None
        if not found:
            raise ValueError(
                f"`part` must be a part of the model with trainable weights. Received: part={self.part!r} for a "
                f"{type(self.model).__name__}."
            )
        self.values, self.trained = {}, False

    def on_epoch_begin(self, epoch, logs=None):
        self.trained = True
        if epoch > 0 and not self.values:  # resumed
            self.values = {done: value for done, value in self._stored().items() if done <= epoch}

    def on_train_end(self, logs=None):
        if not self.trained:  # resumed after its last epoch
            self.values = self._stored()

    def _stored(self):
        found = self.path is not None and self.path.exists()
        return {int(done): value for done, value in json.loads(self.path.read_text()).items()} if found else {}

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 not in self.epochs:
            return
        model = self.model
        if self.probe is None:
            self.probe, self.moments = type(model).from_config(model.get_config()), GradientMoments()
            self.probe.build((None, *model.data_shape))
            self.probe.compile(self.moments)
        self.probe.set_weights(model.get_weights())
        self.moments.reset()
        self.probe.fit(self.batches, verbose=0)
        weights = operator.attrgetter(self.part)(self.probe).trainable_variables
        self.values[epoch + 1] = self.moments.total_variance(weights)
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, self.values)
