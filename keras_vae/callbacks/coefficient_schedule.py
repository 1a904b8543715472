"""A weight of the loss that changes while training."""

import operator

import keras

from keras_vae.core.checks import one_of
from keras_vae.core.registration import Configured


class CoefficientSchedule(keras.callbacks.Callback):
    """Assigns a scalar coefficient of the model, such as `beta`, from a function of the step or the epoch.

    The coefficient is a non-trainable weight, which a compiled step reads: a Python float would be baked in at the
    first step. The value in force at the end of each epoch goes into the logs, for the callbacks that come after.

    The step is the model's own count of training steps (`model.step`, else that of its optimizer), so that a resumed
    run goes on where it stopped. With `steps_per_execution` the value changes once per execution. It is assigned only
    when it differs from the last one: once a ramp is over, the callback costs nothing.

    Args:
        name: str, the attribute of the model that holds the coefficient; dots lead into its parts, as in
            "bottleneck.temperature".
        schedule: a function of an int to a float, such as `linear_schedule(0.0, 4.0, steps=10_000)`.
        unit: "step" (the default), or "epoch": what the schedule counts, from 0.

    Raises:
        TypeError: where `schedule` is no function, or the attribute is no scalar Keras variable.
        ValueError: for another unit; in `fit`, where the schedule gives a value that the coefficient does not accept.

    Example:
        >>> from keras_vae.ops.schedules import linear_schedule
        >>> warm_up = CoefficientSchedule("beta", linear_schedule(0.0, 4.0, steps=1000))
    """

    def __init__(self, name, schedule, unit="step"):
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"`schedule` must be a function of the step. Received: schedule={schedule!r}.")
        self.name = name
        self.schedule = schedule
        self.unit = one_of("unit", unit, ("step", "epoch"))
        self.value = None  # as last assigned
        self.whole = False  # whether the coefficient is an integer, such as `k`: then the value is rounded
        self.first_step = 0  # of the epoch

    def on_train_begin(self, logs=None):
        _, coefficient = self._coefficient()  # a wrong name is an error before the first step
        self.whole = not keras.backend.is_float_dtype(coefficient.dtype)
        self.value = None

    def on_epoch_begin(self, epoch, logs=None):
        if self.unit == "epoch":
            self._assign(epoch)
        else:
            # Read once an epoch, when JAX has its state in the model anyway; within it the batch index counts on.
            self.first_step = self._steps_done()

    def on_train_batch_begin(self, batch, logs=None):
        if self.unit == "step":
            self._assign(self.first_step + batch)

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None and self.value is not None:
            logs[self.name.rpartition(".")[2]] = self.value

    def _assign(self, count):
        value = float(self.schedule(count))
        if self.whole:
            value = round(value)
        if value != self.value:
            owner, variable = self._coefficient()
            if isinstance(owner, Configured):
                setattr(owner, self.name.rpartition(".")[2], value)  # which checks it
            else:
                variable.assign(value)
            self.value = value

    def _steps_done(self):
        model = self.model
        step = model.step if isinstance(getattr(model, "step", None), keras.Variable) else model.optimizer.iterations
        return int(keras.ops.convert_to_numpy(step))

    def _coefficient(self):
        path, _, attribute = self.name.rpartition(".")
        try:
            owner = operator.attrgetter(path)(self.model) if path else self.model
            variable = getattr(owner, attribute)
        except AttributeError as error:
            raise TypeError(
                f"`name` must be an attribute of the model, {type(self.model).__name__}. Received: name={self.name!r}."
            ) from error
        if not isinstance(variable, keras.Variable) or tuple(variable.shape) != ():
            raise TypeError(
                f"`name` must be that of a scalar Keras variable of the model. Received: name={self.name!r}, "
                f"which is {variable!r}."
            )
        return owner, variable
