"""How much the gradient of a model varies."""

import operator

import keras
from keras import ops

from keras_vae.training.gradient_moments import GradientMoments
from keras_vae.training.optimizers import optimizers


def gradient_variance(model, batches, weights, epochs=1, learner=None, first=None, first_epochs=1):
    """The variance of a gradient over batches and draws at the weights that a model has, summed over some of them.

    No weight of the model moves, nor its state, but those of a `learner` beside it, such as a baseline, which is given
    the batches of `first` to learn from beforehand. The model is compiled anew: compile it again to go on training.

    Args:
        model: built keras.Model of keras_vae, which `fit` trains.
        batches: stream of `keras_vae.datasets`, or what `fit` takes: each of its batches gives one gradient.
        weights: sequence of the trainable weights to sum over, such as `model.bottleneck.head.trainable_variables`.
        epochs: int >= 1, how often the batches are gone through. Default: 1.
        learner: str, attribute path of a part with weights of its own, or None. Default: None.
        first: stream, what is gone through before, the learner's weights trained by Adam, or None. Default: None.
        first_epochs: int >= 1, how often. Default: 1.

    Returns:
        float.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.training import gradient_variance
    >>> encoder, decoder = keras_vae.MLPEncoder(units=(8,)), keras_vae.MLPDecoder((4, 4, 1), units=(8,))
    >>> model = keras_vae.VAE(encoder, decoder, latent_dim=2)
    >>> model.build((None, 4, 4, 1))
    >>> batches = keras_vae.datasets.ArrayBatches(np.ones((64, 4, 4, 1), "float32"), 8, seed=0)
    >>> gradient_variance(model, batches, model.bottleneck.head.trainable_variables) > 0
    True
    """
    owner = operator.attrgetter(learner)(model) if learner else None
    path = learner.replace(".", "__") if owner is not None and owner.trainable_variables else None
    own = {id(weight) for weight in owner.weights} if owner is not None else set()
    kept = [(weight, ops.convert_to_numpy(weight)) for weight in model.weights if id(weight) not in own]
    if first is not None:
        learning = {path: keras.optimizers.Adam(1e-3)} if path else {}
        model.compile(optimizers(model, keras.optimizers.SGD(0.0), **learning))
        model.fit(first, epochs=first_epochs, verbose=0)
    moments = GradientMoments()
    model.compile(optimizers(model, moments, **({path: keras.optimizers.SGD(0.0)} if path else {})))
    model.fit(batches, epochs=epochs, verbose=0)
    for weight, value in kept:  # what no optimizer owns has moved, such as codebooks and multipliers
        weight.assign(value)
    return moments.total_variance(weights)
