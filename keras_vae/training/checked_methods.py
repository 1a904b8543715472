"""Keras's own `fit`, `evaluate`, `predict`, `train_on_batch` and `test_on_batch`, the data checked where it enters."""

import contextlib

import keras

from keras_vae.core.registration import Configured
from keras_vae.training.entrances import Entrances
from keras_vae.training.feeding import fed_once, fed_to_fit
from keras_vae.training.guard import NonFiniteGuard
from keras_vae.training.replicas import check_one_process, check_split
from keras_vae.training.stream_start import StreamStart


class CheckedMethods(Entrances):
    """Mixin before keras.Model: arrays are checked whole, streams on their first batch, by the model's `check_data`."""

    has_terms = True  # whether the loss is the model's own, and the target like x; if not, they are those of `compile`

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
    ):
        """Keras's own `fit`, with the data checked first and a non-finite term stopping it by name.

        Args:
            x: an array, a dict of arrays for a model with a condition or a mask, tf.data, a torch DataLoader, a
                PyDataset, a grain dataset or a generator, with or without targets. Arrays are checked whole, generators
                batch by batch, and other streams on their first batch only: what comes later is for the stream to
                check, as those of `keras_vae.datasets` do when they are made. On JAX with `keras.distribution` each
                batch must divide over the devices, the last of an epoch too: those of streams other than this
                library's are not checked beyond the first.
            y: target, where it is not `x` itself. Default: None.
            batch_size: as in `keras.Model.fit`, and so all that follow.
            epochs: int.
            verbose: "auto", 0, 1 or 2.
            callbacks: list of keras.callbacks.Callback.
            validation_split: float in [0, 1).
            validation_data: what is evaluated: arrays in a tuple, or a stream.
            shuffle: bool, of arrays.
            class_weight: None: the target holds no classes.
            sample_weight: array (batch,), >= 0; how it enters the logs is told at `TermsModel`.
            initial_epoch: int.
            steps_per_epoch: int or None.
            validation_steps: int or None.
            validation_batch_size: int or None.
            validation_freq: int, or a list of epochs.

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
        given = self._checked_arguments("fit", locals())
        if given.get("validation_data") is not None:
            given["validation_data"] = self._checked_validation(given["validation_data"])
        guard = NonFiniteGuard(self.trackers if self.has_terms else ())
        given["callbacks"] = self._joined(
            given.get("callbacks"), StreamStart(given["x"], given.get("validation_data")), guard
        )
        self._build_optimizer()
        with self._own_errors():
            history = super().fit(**fed_to_fit(given))
        guard.raise_if_stopped()
        return history

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **kwargs,
    ):
        """Keras's own `evaluate`, with the data checked first; the terms are computed just as in training.

        Args:
            x: as of `fit`.
            y: as of `fit`.
            batch_size: as in `keras.Model.evaluate`, and so all that follow.
            verbose: "auto", 0, 1 or 2.
            sample_weight: array (batch,), >= 0.
            steps: int or None.
            callbacks: list of keras.callbacks.Callback.
            return_dict: bool, whether names come with the numbers.
            **kwargs: Keras's own.

        Returns:
            The loss and the logged terms; a dict with `return_dict=True`.

        Raises:
            ValueError: as `fit`.
        """
        given = _arguments(locals())
        if kwargs.get("_use_cached_eval_dataset"):  # inside `fit` the data has been checked already
            return super().evaluate(**given)
        given = self._checked_arguments("evaluate", given)
        given["callbacks"] = self._joined(given.get("callbacks"), StreamStart(None, given["x"]))
        with self._own_errors():
            return super().evaluate(**fed_once(given))

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Keras's own `predict`, the dict of `call`, with the data checked first.

        Args:
            x: as of `fit`.
            batch_size: as in `keras.Model.predict`, and so all that follow.
            verbose: "auto", 0, 1 or 2.
            steps: int or None.
            callbacks: list of keras.callbacks.Callback.

        Returns:
            dict of numpy arrays.

        Raises:
            ValueError: as `fit`.
        """
        given = self._checked_arguments("predict", locals())
        with self._own_errors():
            return super().predict(**fed_once(given))

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """Keras's own `train_on_batch`, with the batch checked first.

        Args:
            x: array, or dict of arrays for a model with a condition or a mask.
            y: target, where it is not `x` itself. Default: None.
            sample_weight: array (batch,), >= 0. Default: None.
            class_weight: None: the target holds no classes.
            return_dict: bool, whether names come with the numbers. Default: False.

        Returns:
            The loss and the logged terms; a dict with `return_dict=True`.

        Raises:
            ValueError: as `fit`.
            RuntimeError: as `fit`.
        """
        check_one_process()
        given = self._checked_arguments("train_on_batch", locals())
        self._build_optimizer()
        return super().train_on_batch(**given)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Keras's own `test_on_batch`, with the batch checked first.

        Args:
            x: array, or dict of arrays for a model with a condition or a mask.
            y: target, where it is not `x` itself. Default: None.
            sample_weight: array (batch,), >= 0. Default: None.
            return_dict: bool, whether names come with the numbers. Default: False.

        Returns:
            The loss and the logged terms; a dict with `return_dict=True`.

        Raises:
            ValueError: as `fit`.
        """
        return super().test_on_batch(**self._checked_arguments("test_on_batch", locals()))

    def _checked_arguments(self, method, given):
        """The arguments of the method of Keras with the name `method`, by name, the data in them checked."""
        given = _arguments(given)
        if method != "predict" and not self.compiled:
            raise ValueError(
                f'`{method}` needs a compiled model: call `compile` first, as in `model.compile("adam")`. Received: a '
                f"{type(self).__name__} that is not compiled."
            )
        for part in (self, *self.layers):
            if isinstance(part, Configured):
                part.check_scalars()
        vars(self)["_faults"] = []  # past Keras, which would track the list
        if self.has_terms and self.loss is not None:
            received, self.loss = self.loss, None  # Keras would keep it through the next `compile`
            raise ValueError(
                f"`loss` must be left out of `compile`: the loss of {type(self).__name__} is the sum of its terms. "
                f"Received: loss={received!r}."
            )
        if self.has_terms and self.reconstruction is None and getattr(self, "_compile_metrics", None) is not None:
            raise ValueError(
                f"`metrics` must be left out of `compile`: {type(self).__name__} has no reconstruction to compare. "
                "Received: metrics."
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
        given.update((name, part) for name, part in zip(names, parts, strict=True) if name in given)
        return check_split(given, whole="batch_size" not in given)

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


def _arguments(given):
    """The local variables of a method of Keras, as the arguments that it was called with."""
    given = {name: value for name, value in given.items() if name not in ("self", "__class__")}
    more = given.pop("kwargs", {})
    return {**given, **more}
