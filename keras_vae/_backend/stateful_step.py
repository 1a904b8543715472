"""A training step that changes variables in place: used by TensorFlow and torch."""

from keras import ops


def step_unless_skipped(step, model, variables, data):
    """`step(data)`; where the loss scaler skipped it, `variables` are what they were.

    The scaler skips a step whose gradients overflowed, and lowers its scale: that is how a skipped one is told.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    scale, before = ops.copy(model.optimizer.dynamic_scale), [ops.copy(variable) for variable in variables]
    logs = step(data)
    skipped = ops.convert_to_tensor(model.optimizer.dynamic_scale) < scale
    for variable, old in zip(variables, before, strict=True):
        variable.assign(ops.where(skipped, old, variable))
    return logs
