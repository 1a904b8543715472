"""The training contract: a pure `call`, one hook `terms`, and no `train_step` on any backend."""

import functools
import inspect
import warnings

import keras
from keras import ops, tree

from keras_vae import _backend
from keras_vae.core.checks import check_precision, finite
from keras_vae.core.registration import Configured
from keras_vae.ops.numerics import float32
from keras_vae.training.checked_methods import CheckedMethods
from keras_vae.training.exported import Exported
from keras_vae.training.inputs import ModelInputs


class TermsModel(Exported, ModelInputs, CheckedMethods, Configured, keras.Model):
    """Abstract model whose variants say only what their loss terms are.

    - `call(x, training)` is pure: it returns a dict of per-example tensors. No `assign`, no metric, no `add_loss`
      in it.
    - `terms(x, y, outputs, training)` returns {"loss": (batch,), name: (batch,), ...}: each variant's own training
      step.
    - `update_metrics(outputs, sample_weight)` and, while training, `update_state(outputs, terms)` follow it: codebooks,
      baselines, counts.

    `compute_loss`, which Keras calls in `fit`, `evaluate` and `train_on_batch` on every backend, runs these in order,
    so that gradients, several replicas, sample weights and mixed precision are handled in one place.

    Where there are sample weights w, `terms` and `update_state` find them as `outputs["sample_weight"]`, (batch,), for
    whatever is computed over the batch: an example of weight zero moves nothing. What is minimised, and logged as
    `loss`, is sum(w loss) / n over all n examples, as Keras has it; the terms in the logs are means of the examples
    that count, sum(w term) / sum(w), so that `elbo` stays a bound.

    What a step did to the weights that no optimizer owns is taken back where the scaler of float16's loss skips it.
    """

    reconstruction = "reconstruction"  # the output that compile(metrics=...) compares with the target; None for none

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        check_precision(self.dtype_policy)
        self.condition = None  # here, for a class attribute would hide a layer on torch
        self.trackers = {}
        self.step = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="step")

    def track(self, *names):
        """Shows the running mean of these terms in the logs of `fit` and `evaluate`."""
        for name in names:
            self.trackers[name] = keras.metrics.Mean(name=name)

    def coefficient(self, name, value, check=finite):
        """A scalar weight of the loss; `check(name, value)` is what every value of it must pass: see `scalar`."""
        return self.scalar(name, value, check)

    def terms(self, x, y, outputs, training):
        """Per-example terms of the loss, each (batch,), with the key "loss" for their total."""
        raise TypeError(f"{type(self).__name__} must define `terms(x, y, outputs, training)`.")

    def total(self, terms, **weights):
        """`terms` with the key "loss": distortion + sum of weight * term over the terms named."""
        loss = terms["distortion"]
        for name, weight in weights.items():
            loss = loss + weight * terms[name]
        return {**terms, "loss": loss}

    def update_metrics(self, outputs, sample_weight=None):
        """Hook: metrics that are not means of terms."""

    def update_state(self, outputs, terms):
        """Hook: state that a training step changes outside the optimizer. It must not be differentiated."""

    def side_loss(self, outputs, terms):
        """Hook: (batch,) or None: what trains a part that the loss does not reach, such as a baseline.

        Only its gradient is taken: it shows in no figure, and no weight of a term touches it.
        """
        return None

    def trace(self, input_shape):
        """Traces `call` symbolically, which builds every part; returns the outputs as KerasTensors."""
        return self.compute_output_spec(self.symbolic(input_shape))

    def build(self, input_shape):
        self.trace(input_shape)  # Model.build on a subclass would build nothing

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        y = self.target(x) if y is None else y
        # train_on_batch hands over raw numpy, which torch tensors refuse to meet.
        x, y, weight = tree.map_structure(
            lambda t: None if t is None else ops.convert_to_tensor(t), (x, y, sample_weight)
        )
        x, y, outputs = tree.map_structure(float32, (x, y, y_pred))
        if training:
            self.step.assign_add(1)
        # Of `call` alone: a net that `terms` calls again would clear them on TensorFlow and torch, and add its own.
        penalties = list(self.losses)  # kernel and activity regularizers of the user's own layers
        if weight is not None:
            weight = ops.cast(ops.reshape(weight, (-1,)), "float32")  # (batch, 1) -> (batch,)
            outputs = {**outputs, "sample_weight": weight}
        terms = self.terms(x, y, outputs, training)
        for name, tracker in self.trackers.items():
            tracker.update_state(ops.stop_gradient(terms[name]), weight)
        self.update_metrics(outputs, weight)
        if training:
            self._update_state(outputs, terms)
        loss = terms["loss"]  # (batch,)
        beside = self.side_loss(outputs, terms) if training else None
        if beside is not None:
            loss = loss + (beside - ops.stop_gradient(beside))
        if weight is not None:
            loss = loss * ops.cast(weight, loss.dtype)
        loss = ops.mean(loss)
        for penalty in penalties:
            loss = loss + ops.cast(ops.sum(penalty), loss.dtype)
        return self._aggregate_additional_loss(loss)  # 1 / replicas under tf.distribute, identity elsewhere

    def _update_state(self, outputs, terms):
        if _takes_outputs_alone(type(self).update_state):  # for one release more
            warnings.warn(
                f"`update_state` takes (outputs, terms) now: the one of {type(self).__name__} takes outputs alone.",
                DeprecationWarning,
                stacklevel=2,
            )
            self.update_state(outputs)
        else:
            self.update_state(outputs, terms)

    def train_step(self, *arguments):  # (data) on TensorFlow and torch, (state, data) on JAX
        if not isinstance(self.optimizer, keras.optimizers.LossScaleOptimizer):
            return super().train_step(*arguments)
        moved = [v for v in self.non_trainable_variables if v is not self.step and v.name != "seed_generator_state"]
        return _backend.step_unless_skipped(super().train_step, self, moved, *arguments)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        if self.reconstruction is None:
            return self.get_metrics_result()
        return super().compute_metrics(
            x, self.target(x) if y is None else y, y_pred[self.reconstruction], sample_weight
        )

    def get_compile_config(self):
        return _portable(super().get_compile_config())


@functools.cache
def _takes_outputs_alone(update_state):
    return len(inspect.signature(update_state).parameters) == 2  # self, outputs


def _portable(config):
    # Keras writes torch's own optimizer classes into .keras files, which TensorFlow and JAX then cannot train.
    if isinstance(config, dict):
        config = {key: _portable(value) for key, value in config.items()}
        if str(config.get("module", "")).startswith("keras.src.backend.torch.optimizers"):
            config.update(module="keras.optimizers", registered_name=None)
    return config
