"""Where data enters a model: what is checked, by which hooks, before Keras has it."""

import contextlib

from keras_vae.training.data import check_length, check_weights, checked_stream, is_array


class Entrances:
    """Mixin: the checks of arrays, streams, targets and weights; a model overrides `check_data` and its kin."""

    def check_data(self, x, name="x"):
        """Hook: raises if the array `x` is not what the model takes; returns it."""
        return x

    def check_target(self, y, name="y"):
        """Hook: raises if the array `y` is no target of the model; returns it. Default: what `check_data` says."""
        return self.check_data(y, name)

    def check_input(self, x, name="x"):
        """Raises if `x`, an array or a nest of them, is not what the model takes."""
        if isinstance(x, (dict, list, tuple)):
            self.check_nest(x, name)
        else:
            self.check_data(x, name)

    def check_nest(self, x, name="x"):
        """Hook: raises if a dict, list or tuple of arrays is not what the model takes; returns it."""
        raise TypeError(
            f"`{name}` must be one array, or a stream of batches. Received: a {type(x).__name__}. "
            "Use `numpy.asarray` on lists, and take the images out of dicts."
        )

    def target(self, x):
        """The target that belongs to inputs without one."""
        return x

    def shapes_of(self, x):
        """What `build` is given for data, an array or a dict of them: shapes, the batch unknown."""
        if isinstance(x, dict):
            return {name: Entrances.shapes_of(self, part) for name, part in x.items()}
        return (None, *x.shape[1:])

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
            if self.has_terms and y is None and (is_array(x) or isinstance(x, dict)):
                y = self.target(x)  # Keras drops weights that come without a target
        return x, y, sample_weight

    def _checked(self, x, name):
        return x if x is None else checked_stream(x, self._check, name, self._check_target, vars(self)["_faults"])

    def _check_target(self, y, name):
        if isinstance(y, (dict, list, tuple)):
            self.check_nest(y, name)
        else:
            self.check_target(y, name)

    def _check(self, x, name):
        self.check_input(x, name)
        if not self.built and not isinstance(x, (list, tuple)):
            # By the first array, so that what follows, targets and validation data, is compared with its shape.
            with self._scope():
                self.build(self.shapes_of(x))

    def _build_optimizer(self):
        """Makes the optimizer's variables before a step does: TensorFlow would trace that step twice."""
        if self.built and self.optimizer is not None and not self.optimizer.built:
            with self._scope():
                self.optimizer.build(self.trainable_variables)

    def _scope(self):
        """Where variables are made: inside of TensorFlow's distribution strategy, where there is one."""
        strategy = getattr(self, "distribute_strategy", None)
        return strategy.scope() if strategy else contextlib.nullcontext()
