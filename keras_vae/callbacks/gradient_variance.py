"""How much the gradient varies while a model trains."""

import json
import operator
import pathlib

import keras

from keras_vae.core.files import write_json
from keras_vae.training import GradientMoments


class GradientVariance(keras.callbacks.Callback):
    """Measures, after some of the epochs, the variance of a gradient over draws and batches at the weights of then.

    A copy of the model is given its weights and the batches, and moves none of them: the training goes on as if nothing
    had been. Of estimators of a gradient it tells which one is quiet, and when.

    Args:
        batches: stream of `keras_vae.datasets`, or what `fit` takes, each batch of one size: one gradient each. The
            same examples again and again leave the variance of the draws alone.
        part: str, attribute path of the part whose weights are summed over, as "bottleneck.head".
        epochs: sequence of ints >= 1, after how many it measures.
        path: str or path of a JSON file, for a training that is resumed, or None. Default: None.

    Attributes:
        values: dict, epochs done -> variance.

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
        self.batches, self.part, self.epochs = batches, part, frozenset(epochs)
        self.path = None if path is None else pathlib.Path(path)
        self.values = {}
        self.probe = self.moments = None

    def on_train_begin(self, logs=None):
        if self.path is not None and self.path.exists():
            self.values = {int(epoch): value for epoch, value in json.loads(self.path.read_text()).items()}

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
        self.values[epoch + 1] = float(sum(self.moments.variance(weight).sum() for weight in weights))
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.path, self.values)
