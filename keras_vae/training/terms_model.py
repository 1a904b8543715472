"""The training contract: a pure `call`, one hook `terms`, and no `train_step` on any backend."""

import contextlib
import inspect

import keras
from keras import ops, tree

from keras_vae.ops.numerics import float32
from keras_vae.ops.registration import Configured
from keras_vae.training.data import check_weights, checked_stream, is_array
from keras_vae.training.guard import NonFiniteGuard


class TermsModel(Configured, keras.Model):
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

    def fit(self, *args, **kwargs):
        """Keras's own `fit`, with the data checked first and a non-finite term stopping it by name.

        Args:
            *args: as in `keras.Model.fit`; `x` may be an array, tf.data, a torch DataLoader, a PyDataset, a grain
                dataset or a generator, with or without targets. Arrays are checked whole, streams on their first batch.
            **kwargs: as in `keras.Model.fit`.

        Returns:
            keras.callbacks.History.

        Raises:
            ValueError: for NaN, infinite or out-of-range values, a wrong rank, size or number of channels, empty data,
                targets or weights that do not fit, or a model compiled with a `loss`.
            TypeError: for data that is not numbers, or a dict or list of arrays.
            NonFiniteLossError: when a term of the loss became NaN or infinite; training has stopped by then.
        """
        given = self._checked_arguments(keras.Model.fit, args, kwargs)
        if given.get("validation_data") is not None:
            given["validation_data"] = self._checked_validation(given["validation_data"])
        callbacks = given.get("callbacks")
        guard = NonFiniteGuard(self.trackers)
        guard.set_model(self)  # Keras does it for the callbacks of a list, and not for one that joins a CallbackList
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.callbacks.append(guard)
        else:
            callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks or [])
            given["callbacks"] = [*callbacks, guard]
        history = super().fit(**given)
        guard.raise_if_stopped()
        return history

    def evaluate(self, *args, **kwargs):
        """Keras's own `evaluate`, with the data checked first; the terms are computed just as in training.

        Args:
            *args: as in `keras.Model.evaluate`.
            **kwargs: as in `keras.Model.evaluate`.

        Returns:
            The loss and the logged terms; a dict with `return_dict=True`.

        Raises:
            ValueError: as `fit`.
        """
        if kwargs.get("_use_cached_eval_dataset"):  # inside `fit` the data has been checked already
            return super().evaluate(*args, **kwargs)
        return super().evaluate(**self._checked_arguments(keras.Model.evaluate, args, kwargs))

    def check_data(self, x, name="x"):
        """Hook: raises if the array `x` is not what the model takes; returns it."""
        return x

    def check_nest(self, x, name="x"):
        """Hook: raises if a dict, list or tuple of arrays is not what the model takes; returns it."""
        raise TypeError(
            f"`{name}` must be one array, or a stream of batches. Received: a {type(x).__name__}. "
            "Use `numpy.asarray` on lists, and take the images out of dicts."
        )

    def _checked_arguments(self, method, args, kwargs):
        """The arguments of `fit` or `evaluate` by name, the data in them checked."""
        given = inspect.signature(method).bind(self, *args, **kwargs).arguments
        given.pop("self")
        given.update(given.pop("kwargs", {}))
        if self.loss is not None:
            received, self.loss = self.loss, None  # Keras would keep it through the next `compile`
            raise ValueError(
                f"`loss` must be left out of `compile`: the loss of {type(self).__name__} is the sum of its terms. "
                f"Received: loss={received!r}."
            )
        if given.get("x") is None:
            raise ValueError("`x` must be an array or a stream of batches. Received: x=None.")
        names = ("x", "y", "sample_weight")
        given.update(zip(names, self._checked_parts([given.get(name) for name in names], names), strict=True))
        return given

    def _checked_validation(self, data):
        if not isinstance(data, (tuple, list)):
            return self._checked(data, "validation_data")
        parts = (*data, None, None)[:3]
        return self._checked_parts(parts, [f"validation_data[{i}]" for i in range(3)])

    def _checked_parts(self, parts, names):
        x, y, sample_weight = parts
        x, y = self._checked(x, names[0]), self._checked(y, names[1])
        if sample_weight is not None:
            check_weights(names[2], sample_weight)
            y = x if y is None and is_array(x) else y  # Keras drops weights that come without a target
        return x, y, sample_weight

    def _checked(self, x, name):
        return x if x is None else checked_stream(x, self._check, name)

    def _check(self, x, name):
        if isinstance(x, (dict, list, tuple)):
            self.check_nest(x, name)
            return
        self.check_data(x, name)
        if not self.built:
            # By the first array, so that what follows, targets and validation data, is compared with its shape.
            strategy = getattr(self, "distribute_strategy", None)  # of TensorFlow: its variables are made in its scope
            with strategy.scope() if strategy else contextlib.nullcontext():
                self.build((None, *x.shape[1:]))

    def get_compile_config(self):
        return _portable(super().get_compile_config())


def _portable(config):
    # Keras writes torch's own optimizer classes into .keras files, which TensorFlow and JAX then cannot train.
    if isinstance(config, dict):
        config = {key: _portable(value) for key, value in config.items()}
        if str(config.get("module", "")).startswith("keras.src.backend.torch.optimizers"):
            config.update(module="keras.optimizers", registered_name=None)
    return config
