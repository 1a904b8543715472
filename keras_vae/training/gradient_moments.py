"""The mean and the variance of gradients over steps."""

import keras
from keras import ops

from keras_vae.core.registration import PACKAGE


@keras.saving.register_keras_serializable(package=PACKAGE)
class GradientMoments(keras.optimizers.Optimizer):
    """An optimizer that leaves each weight as it is and keeps the mean and the variance of the gradients it is given.

    What tells estimators apart is how much their gradients vary over draws at equal weights: compile a model with it,
    `fit` on the same batch again and again, or on many, and read what was found. It sums up in the compiled step, by
    Welford's recurrence, so that a mean which is large beside the spread costs no digits.

    Args:
        name: str. Default: "gradient_moments".
        **kwargs: of keras.optimizers.Optimizer.

    Reference:
        Welford 1962, Technometrics 4.

    Example:

    >>> import numpy as np, keras, keras_vae
    >>> model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    >>> moments = keras_vae.training.GradientMoments()
    >>> model.compile(moments, loss="mse")
    >>> x = np.array([[1.0], [3.0]], "float32")
    >>> history = model.fit(x, np.zeros_like(x), batch_size=1, verbose=0)  # gradients 2 and 18
    >>> kernel = model.trainable_variables[0]
    >>> moments.mean(kernel).tolist(), moments.variance(kernel).tolist(), float(kernel.numpy()[0, 0])
    ([[10.0]], [[128.0]], 1.0)
    """

    def __init__(self, name="gradient_moments", **kwargs):
        kwargs.pop("learning_rate", None)  # of a configuration: it has none
        super().__init__(learning_rate=0.0, name=name, **kwargs)

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._means = [self.add_variable_from_reference(v, name="mean") for v in variables]
        self._squares = [self.add_variable_from_reference(v, name="squares") for v in variables]  # about the mean

    def update_step(self, gradient, variable, learning_rate):
        i = self._get_variable_index(variable)
        mean, gradient = self._means[i], ops.cast(gradient, self._means[i].dtype)
        off = gradient - mean
        moved = mean + off / ops.cast(self.iterations + 1, mean.dtype)
        self.assign_add(self._squares[i], off * (gradient - moved))
        self.assign(mean, moved)

    def reset(self):
        """Forgets what it has seen."""
        if self.built:
            for variable in (*self._means, *self._squares, self.iterations):
                variable.assign(ops.zeros(variable.shape, variable.dtype))

    @property
    def count(self):
        """How many gradients were seen."""
        return int(self.iterations)

    def mean(self, variable):
        """The mean gradient of a weight.

        Args:
            variable: keras.Variable, one that the optimizer was built for.

        Returns:
            Array of its shape.

        Raises:
            ValueError: for another weight.
        """
        return ops.convert_to_numpy(self._means[self._index(variable)])

    def variance(self, variable):
        """The variance of each entry of a weight's gradient over steps, by n - 1; of the mean it is 1 / n of that.

        Args:
            variable: keras.Variable, one that the optimizer was built for.

        Returns:
            Array of its shape.

        Raises:
            ValueError: for another weight, or if fewer than two gradients were seen.
        """
        if self.count < 2:
            raise ValueError(f"A variance takes two gradients or more. Received: {self.count}.")
        return ops.convert_to_numpy(self._squares[self._index(variable)]) / (self.count - 1)

    def total_variance(self, variables):
        """The variance of the gradient of several weights, summed over all of their entries, a float."""
        return float(sum(self.variance(variable).sum() for variable in variables))

    def _index(self, variable):
        for i, known in enumerate(self._trainable_variables):
            if known is variable:
                return i
        raise ValueError(f"`variable` must be one that the optimizer was built for. Received: {variable!r}.")
