"""One optimizer for each part of a model."""

import re

import keras


def optimizers(model, default, **parts):
    """A `keras.optimizers.MultiOptimizer` for `compile`: named parts have their own optimizer, the rest the default.

    Loss terms reach the parts that they are meant for by `stop_gradient` and `keras_vae.training.frozen`: there is one
    loss. Checkpoints keep the state of all of them.

    Args:
        model: built keras.Model.
        default: str or keras.optimizers.Optimizer, of every weight that no part has.
        **parts: attribute path of a part, its dots written as two underscores (`decoder`, `prior__net`) -> str or
            keras.optimizers.Optimizer.

    Returns:
        keras.optimizers.Optimizer.

    Raises:
        ValueError: if the model is not built, a part is not there or has no trainable weight, or two parts share one.

    Example:

    >>> import keras, keras_vae
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((4, 4, 1), ()))
    >>> model.build((None, 4, 4, 1))
    >>> model.compile(keras_vae.training.optimizers(model, "adam", decoder=keras.optimizers.SGD(0.1)))
    """
    if not model.built:
        raise ValueError("`model` must be built before its weights are shared out. Received: a model without weights.")
    taken, chosen = {}, {}
    for name, optimizer in parts.items():
        part = model
        for step in name.split("__"):
            part = getattr(part, step, None)
        weights = list(getattr(part, "trainable_variables", ()))
        if not weights:
            raise ValueError(f"`{name}` must be a part of the model with trainable weights. Received: {part!r}.")
        for weight in weights:
            if (other := taken.setdefault(id(weight), name)) != name:
                raise ValueError(f"`{name}` must share no weight with `{other}`. Received: {weight.path} in both.")
        chosen[_pattern(part, weights, model.trainable_variables)] = keras.optimizers.get(optimizer)
    by_path = keras.optimizers.OptimizerMap(keras.optimizers.get(default), chosen)
    return keras.optimizers.MultiOptimizer(by_path)


def _pattern(part, weights, everything):
    """A regular expression that the paths of `weights` match, and those of no other weight of the model."""
    paths = [weight.path for weight in weights]
    steps = paths[0].split("/")
    if part.name in steps:
        prefix = "/".join(steps[: steps.index(part.name) + 1]) + "/"
        if [weight.path for weight in everything if weight.path.startswith(prefix)] == paths:
            return re.escape(prefix) + ".*"
    return "|".join(map(re.escape, paths))
