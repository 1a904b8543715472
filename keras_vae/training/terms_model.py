"""The training contract: a pure `call`, one hook `terms`, and no `train_step` on any backend."""

import keras
from keras import ops, tree

from keras_vae.ops.numerics import float32
from keras_vae.ops.registration import Configured
from keras_vae.training.checked_methods import CheckedMethods


class TermsModel(CheckedMethods, Configured, keras.Model):
    """Abstract model whose variants say only what their loss terms are.

    - `call(x, training)` is pure: it returns a dict of per-example tensors. No `assign`, no metric, no `add_loss`
      in it.
    - `terms(x, y, outputs, training)` returns {"loss": (batch,), name: (batch,), ...}: each variant's own training
      step.
    - `update_metrics(outputs, sample_weight)` and, while training, `update_state(outputs)` follow it: codebooks,
      baselines, counts.

    `compute_loss`, which Keras calls in `fit`, `evaluate` and `train_on_batch` on every backend, runs these in order,
    so that gradients, several replicas, sample weights and mixed precision are handled in one place.
    """

    reconstruction = "reconstruction"  # the output that compile(metrics=...) compares with the target

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.trackers = {}
        self.step = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="step")

    def track(self, *names):
        """Shows the running mean of these terms in the logs of `fit` and `evaluate`."""
        for name in names:
            self.trackers[name] = keras.metrics.Mean(name=name)

    def coefficient(self, name, value):
        """A scalar weight that a compiled step reads and a callback may assign: a Python float would be baked in."""
        initializer = keras.initializers.Constant(value)
        return self.add_weight(
            shape=(), initializer=initializer, trainable=False, name=name, dtype="float32", autocast=False
        )

    def terms(self, x, y, outputs, training):
        """Per-example terms of the loss, each (batch,), with the key "loss" for their total."""
        raise TypeError(f"{type(self).__name__} must define `terms(x, y, outputs, training)`.")

    def total(self, terms, **weights):
        """`terms` with the key "loss": distortion + sum of weight * term over the terms named."""
        loss = terms["distortion"]
        for name, weight in weights.items():
            loss = loss + weight * terms[name]
        return {"loss": loss, **terms}

    def update_metrics(self, outputs, sample_weight=None):
        """Hook: metrics that are not means of terms."""

    def update_state(self, outputs):
        """Hook: state that a training step changes outside the optimizer. It must not be differentiated."""

    def trace(self, input_shape):
        """Traces `call` symbolically, which builds every part; returns the outputs as KerasTensors."""
        return self.compute_output_spec(keras.KerasTensor(input_shape, dtype=self.compute_dtype))

    def build(self, input_shape):
        self.trace(input_shape)  # Model.build on a subclass would build nothing

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        y = x if y is None else y
        # train_on_batch hands over raw numpy, which torch tensors refuse to meet.
        x, y, weight = tree.map_structure(
            lambda t: None if t is None else ops.convert_to_tensor(t), (x, y, sample_weight)
        )
        x, y, outputs = tree.map_structure(float32, (x, y, y_pred))
        if training:
            self.step.assign_add(1)
        terms = self.terms(x, y, outputs, training)
        if weight is not None:
            weight = ops.reshape(weight, ops.shape(terms["loss"]))  # (batch, 1) -> (batch,)
        for name, tracker in self.trackers.items():
            tracker.update_state(ops.stop_gradient(terms[name]), weight)
        self.update_metrics(outputs, weight)
        if training:
            self.update_state(outputs)
        loss = terms["loss"]  # (batch,)
        if weight is not None:
            loss = loss * ops.cast(weight, loss.dtype)
        loss = ops.mean(loss)
        for penalty in self.losses:  # kernel and activity regularizers of the user's own layers
            loss = loss + ops.cast(ops.sum(penalty), loss.dtype)
        return self._aggregate_additional_loss(loss)  # 1 / replicas under tf.distribute, identity elsewhere

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        prediction = y_pred[self.reconstruction]
        return super().compute_metrics(x, x if y is None else y, prediction, sample_weight)

    def get_compile_config(self):
        return _portable(super().get_compile_config())


def _portable(config):
    # Keras writes torch's own optimizer classes into .keras files, which TensorFlow and JAX then cannot train.
    if isinstance(config, dict):
        config = {key: _portable(value) for key, value in config.items()}
        if str(config.get("module", "")).startswith("keras.src.backend.torch.optimizers"):
            config.update(module="keras.optimizers", registered_name=None)
    return config
