"""Keras's own `fit`, `evaluate`, `predict`, `train_on_batch` and `test_on_batch`, the data checked where it enters."""

import contextlib
import inspect

import keras

from keras_vae.core.registration import Configured
from keras_vae.training.data import check_length, check_weights, checked_stream, is_array
from keras_vae.training.guard import NonFiniteGuard
from keras_vae.training.replicas import check_one_process, check_split
from keras_vae.training.stream_start import StreamStart


class CheckedMethods:
    """Mixin before keras.Model: arrays are checked whole, streams on their first batch, by the model's `check_data`."""

    has_terms = True  # whether the loss is the model's own, and the target like x; if not, they are those of `compile`

    def fit(self, *args, **kwargs):
        """Keras's own `fit`, with the data checked first and a non-finite term stopping it by name.

        Args:
            *args: as in `keras.Model.fit`; `x` may be an array, tf.data, a torch DataLoader, a PyDataset, a grain
                dataset or a generator, with or without targets. Arrays are checked whole, generators batch by batch,
                and other streams on their first batch only: what comes later is for the stream to check, as those of
                `keras_vae.datasets` do when they are made. On JAX with `keras.distribution` each batch must divide over
                the devices, the last of an epoch too: those of streams other than this library's are not checked beyond
                the first.
            **kwargs: as in `keras.Model.fit`. `sample_weight` is >= 0; how it enters the logs is told at `TermsModel`.

        Returns:
            keras.callbacks.History.

        Raises:
            ValueError: for NaN, infinite or out-of-range values, a wrong rank, size or number of channels, empty data,
                targets or weights that do not fit, a coefficient of the loss that was assigned out of its range, or a
                model that is not compiled, or compiled with a `loss`.
            TypeError: for data that is neither numbers nor a stream of them, or a dict or list of arrays.
            NonFiniteLossError: when a term of the loss became NaN or infinite; training has stopped by then.
            RuntimeError: in one of several processes of torch.distributed.
        """
        check_one_process()
        given = self._checked_arguments("fit", args, kwargs)
        if given.get("validation_data") is not None:
            given["validation_data"] = self._checked_validation(given["validation_data"])
        guard = NonFiniteGuard(self.trackers if self.has_terms else ())
        given["callbacks"] = self._joined(
            given.get("callbacks"), StreamStart(given["x"], given.get("validation_data")), guard
        )
        with self._own_errors():
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
        given = self._checked_arguments("evaluate", args, kwargs)
        given["callbacks"] = self._joined(given.get("callbacks"), StreamStart(None, given["x"]))
        with self._own_errors():
            return super().evaluate(**given)

    def predict(self, *args, **kwargs):
        """Keras's own `predict`, the dict of `call`, with the data checked first.

        Args:
            *args: as in `keras.Model.predict`.
            **kwargs: as in `keras.Model.predict`.

        Returns:
            dict of numpy arrays.

        Raises:
            ValueError: as `fit`.
        """
        given = self._checked_arguments("predict", args, kwargs)
        with self._own_errors():
            return super().predict(**given)

    def train_on_batch(self, *args, **kwargs):
        """Keras's own `train_on_batch`, with the batch checked first.

        Args:
            *args: as in `keras.Model.train_on_batch`.
            **kwargs: as in `keras.Model.train_on_batch`.

        Returns:
            The loss and the logged terms; a dict with `return_dict=True`.

        Raises:
            ValueError: as `fit`.
            RuntimeError: as `fit`.
        """
        check_one_process()
        return super().train_on_batch(**self._checked_arguments("train_on_batch", args, kwargs))

    def test_on_batch(self, *args, **kwargs):
        """Keras's own `test_on_batch`, with the batch checked first.

        Args:
            *args: as in `keras.Model.test_on_batch`.
            **kwargs: as in `keras.Model.test_on_batch`.

        Returns:
            The loss and the logged terms; a dict with `return_dict=True`.

        Raises:
            ValueError: as `fit`.
        """
        return super().test_on_batch(**self._checked_arguments("test_on_batch", args, kwargs))

    def check_data(self, x, name="x"):
        """Hook: raises if the array `x` is not what the model takes; returns it."""
        return x

    def check_target(self, y, name="y"):
        """Hook: raises if the array `y` is no target of the model; returns it. Default: what `check_data` says."""
        return self.check_data(y, name)

    def check_nest(self, x, name="x"):
        """Hook: raises if a dict, list or tuple of arrays is not what the model takes; returns it."""
        raise TypeError(
            f"`{name}` must be one array, or a stream of batches. Received: a {type(x).__name__}. "
            "Use `numpy.asarray` on lists, and take the images out of dicts."
        )

    def _checked_arguments(self, method, args, kwargs):
        """The arguments of the method of Keras with the name `method`, by name, the data in them checked."""
        if method != "predict" and not self.compiled:
            raise ValueError(
                f'`{method}` needs a compiled model: call `compile` first, as in `model.compile("adam")`. Received: a '
                f"{type(self).__name__} that is not compiled."
            )
        for part in (self, *self.layers):
            if isinstance(part, Configured):
                part.check_scalars()
        vars(self)["_faults"] = []  # past Keras, which would track the list
        signature = inspect.signature(getattr(keras.Model, method))
        given = signature.bind(self, *args, **kwargs).arguments
        given.pop("self")
        given.update(given.pop("kwargs", {}))
        if self.has_terms and self.loss is not None:
            received, self.loss = self.loss, None  # Keras would keep it through the next `compile`
            raise ValueError(
                f"`loss` must be left out of `compile`: the loss of {type(self).__name__} is the sum of its terms. "
                f"Received: loss={received!r}."
            )
        if given.get("x") is None:
            raise ValueError("`x` must be an array or a stream of batches. Received: x=None.")
        if self.has_terms and given.get("class_weight") is not None:
            raise ValueError(
                "`class_weight` must be None, for the target holds no classes: use `sample_weight`. "
                f"Received: class_weight={given['class_weight']!r}."
            )
        names = ("x", "y", "sample_weight")
        parts = self._checked_parts([given.get(name) for name in names], names)
        given.update((name, part) for name, part in zip(names, parts, strict=True) if name in signature.parameters)
        return check_split(given, whole="batch_size" not in signature.parameters)

    def _checked_validation(self, data):
        if not isinstance(data, (tuple, list)):
            return self._checked(data, "validation_data")
        parts = (*data, None, None)[:3]
        return self._checked_parts(parts, [f"validation_data[{i}]" for i in range(3)])

    def _checked_parts(self, parts, names):
        x, y, sample_weight = parts
        x = self._checked(x, names[0])
        if y is not None:
            y = checked_stream(y, self._check_target, names[1])
            check_length(names[1], y, names[0], x)
        if sample_weight is not None:
            check_weights(names[2], sample_weight)
            check_length(names[2], sample_weight, names[0], x)
            if self.has_terms and y is None and is_array(x):
                y = x  # Keras drops weights that come without a target
        return x, y, sample_weight

    def _checked(self, x, name):
        return x if x is None else checked_stream(x, self._check, name, self._check_target, vars(self)["_faults"])

    @contextlib.contextmanager
    def _own_errors(self):
        """An error of the checks inside a stream comes out as it is: TensorFlow would wrap it in one of its own."""
        try:
            yield
        except Exception as error:
            faults = vars(self)["_faults"]
            if faults and error is not faults[0]:
                raise faults[0] from error
            raise

    def _joined(self, callbacks, *more):
        """`callbacks` as a user gives them, with ours behind."""
        for callback in more:
            callback.set_model(self)  # Keras does it for those of a list, and not for one that joins a CallbackList
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.callbacks.extend(more)
            return callbacks
        callbacks = [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else list(callbacks or [])
        return [*callbacks, *more]

    def _check_target(self, y, name):
        if isinstance(y, (dict, list, tuple)):
            self.check_nest(y, name)
        else:
            self.check_target(y, name)

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
