"""The stacked denoising autoencoder."""

import pathlib

import keras
import numpy as np

from keras_vae.core.checks import integer, integers
from keras_vae.core.registration import registered
from keras_vae.datasets.array_batches import ArrayBatches
from keras_vae.models.autoencoder import Autoencoder
from keras_vae.models.denoising_autoencoder import DenoisingAutoencoder
from keras_vae.models.stacked_encoder import StackedEncoder
from keras_vae.training import SharedProgress, TrainingCheckpoint, fits, resume
from keras_vae.training.data import is_array


@registered
class StackedDenoisingAutoencoder(Autoencoder):
    """Denoising autoencoders on top of each other, trained one by one, then fine-tuned as one network.

    `pretrain` trains each layer on the clean code of the layer below, its corruption being applied to that code
    (Vincent et al. 2010, section 3.4). Then `fit` trains all layers as one autoencoder, or `as_classifier(num_classes)`
    gives the network with a softmax layer on top, to be fitted on labels: the paper's fine-tuning. Every layer keeps
    its own corruption, emphasis and likelihood; the stack itself adds no noise.

    Args:
        stages: sequence of DenoisingAutoencoder, from the data upwards; the code of each is the data of the next, which
            must take its shape and range (sigmoid codes suit a BernoulliLikelihood).
        **kwargs: of keras.Model.

    Input shape:
        (batch, ...), as the lowest encoder takes.

    Output shape:
        dict with "z": the code of the highest layer; "params": the output of the lowest decoder; "reconstruction": the
        shape of x.

    Raises:
        TypeError: if `stages` holds anything but DenoisingAutoencoder.
        ValueError: if `stages` is empty, their shapes do not fit, or two of them share a part that has weights.

    Reference:
        Vincent, Larochelle, Lajoie, Bengio & Manzagol 2010, JMLR 11:3371.

    Example:

    >>> import numpy as np, keras_vae
    >>> stages = [keras_vae.DenoisingAutoencoder(keras_vae.MLPEncoder((n,), "sigmoid")) for n in (8, 4)]
    >>> model = keras_vae.StackedDenoisingAutoencoder(stages)
    >>> x = np.random.default_rng(0).random((16, 4, 4, 1), dtype="float32")
    >>> len(model.pretrain(x, epochs=2, batch_size=8, verbose=0))
    2
    >>> model.encode(x).shape
    (16, 4)
    """

    fixed = ("encoder", "decoder", "bottleneck", "likelihood", "condition")

    def __init__(self, stages, **kwargs):
        stages = list(stages) if isinstance(stages, (list, tuple)) else [stages]
        wrong = [type(stage).__name__ for stage in stages if not isinstance(stage, DenoisingAutoencoder)]
        if wrong:
            raise TypeError(f"`stages` must be a sequence of DenoisingAutoencoder. Received: {wrong[0]}.")
        if not stages:
            raise ValueError("`stages` must hold at least one DenoisingAutoencoder. Received: an empty sequence.")
        up = StackedEncoder([s.encoder for s in stages], [s.bottleneck for s in stages], name="encoder")
        super().__init__(up, _Decode(stages), likelihood=stages[0].likelihood, **kwargs)
        self.stages = stages

    def build(self, input_shape):
        shape = tuple(input_shape)
        for i, stage in enumerate(self.stages):
            if not stage.built:
                stage.build(shape)
            if stage.data_shape != shape[1:]:
                raise ValueError(f"`stages[{i}]` must take data of shape {shape[1:]}. Received: {stage.data_shape}.")
            shape = (None, *stage.latent_shape)
        weights = [id(weight) for stage in self.stages for weight in stage.weights]
        if len(set(weights)) < len(weights):
            raise ValueError(
                "`stages` must not share parts that have weights. Received: stages with weights in common."
            )
        super().build(input_shape)

    def terms(self, x, y, outputs, training):
        return self.total(super().terms(x, y, outputs, training))

    def pretrain(self, x, epochs=10, batch_size=128, optimizer="adam", folder=None, seed=0, verbose=1):
        """Trains layer after layer, each on the clean code of the one below; only its own weights change.

        With a `folder` each epoch leaves a checkpoint there, and the same call goes on where the last one stopped,
        between layers or inside of one. A layer whose data, settings, optimizer, batch size, seed or layers below are
        others starts anew; one that has had more epochs than are asked for keeps them all.

        Args:
            x: array (n, ...), as `fit` takes; codes of all examples are held in memory, one layer at a time.
            epochs: int >= 1, or one for each layer. Default: 10.
            batch_size: int >= 1. Default: 128.
            optimizer: str or keras.optimizers.Optimizer; each layer has its own copy. Default: "adam".
            folder: str or path for checkpoints, or None. Default: None.
            seed: int >= 0, of the order of the examples. Default: 0.
            verbose: 1 for one progress bar over all layers, 0 for none. Default: 1.

        Returns:
            list of dicts, for each layer what its epochs logged in this call: {"loss": [...], "distortion": [...]}.

        Raises:
            TypeError: if `x` is not an array.
            ValueError: for bad data, numbers of epochs that do not fit the layers, or a damaged checkpoint.
            BlockingIOError: if another process trains in `folder`.
        """
        if not is_array(x):
            raise TypeError(f"`x` must be an array, for every layer sees all codes. Received: {type(x).__name__}.")
        self._check(x, "x")
        count = len(self.stages)
        epochs = integers("epochs", epochs if hasattr(epochs, "__iter__") else [integer("epochs", epochs)] * count)
        if len(epochs) != count:
            raise ValueError(f"`epochs` must be one number, or one for each of {count} layers. Received: {epochs!r}.")
        x = codes = np.asarray(x, "float32")
        steps = len(ArrayBatches(codes, batch_size, seed=seed))
        optimizer = keras.optimizers.get(optimizer)
        bar = keras.utils.Progbar(steps * sum(epochs), verbose=verbose, stateful_metrics=["layer", "epoch", "loss"])
        logs = []
        for i, (stage, wanted) in enumerate(zip(self.stages, epochs, strict=True)):
            stage.compile(_copy(optimizer))
            callbacks = [SharedProgress(bar, steps * sum(epochs[:i]), steps, layer=i + 1)]
            batches = ArrayBatches(codes, batch_size, seed=seed)
            if folder is not None:
                place = pathlib.Path(folder) / f"layer-{i + 1}"
                data = {"x": x, "below": self._weights_below(i), "batch_size": batch_size, "seed": seed}
                callbacks.append(TrainingCheckpoint(place, data=data))
                if fits(stage, place, data):
                    batches.epoch = resume(stage, place, data)
            options = {"epochs": wanted, "initial_epoch": batches.epoch, "shuffle": False, "verbose": 0}
            logs.append(stage.fit(batches, callbacks=callbacks, **options).history if batches.epoch < wanted else {})
            if i + 1 < count:
                codes = stage.encode(codes, batch_size=1024)
        bar.update(steps * sum(epochs), finalize=True)
        return logs

    def _weights_below(self, i):
        """What turns x into the codes that stage i sees."""
        return [[*stage.encoder.weights, *stage.bottleneck.weights] for stage in self.stages[:i]]


class _Decode(keras.layers.Layer):
    """The code of the highest layer -> raw parameters of the lowest likelihood."""

    def __init__(self, stages):
        super().__init__(name="decoder")
        self.decoders = [stage.decoder for stage in stages]
        self.likelihoods = [stage.likelihood for stage in stages]

    def build(self, input_shape):
        pass  # the stages are built by the stack

    def call(self, z, training=False):
        for decoder, likelihood in zip(self.decoders[:0:-1], self.likelihoods[:0:-1], strict=True):
            z = likelihood.mean(decoder(z, training=training))
        return self.decoders[0](z, training=training)


def _copy(optimizer):
    return type(optimizer).from_config(optimizer.get_config())
