"""What a model must have to be a preset, asked on saving and on loading."""

import keras
import numpy as np


def shape_fault(model):
    """What a model lacks to say what goes in and what its codes are, as the end of "the model must ...", or None.

    Args:
        model: keras.Model with `preset_facts`.
    """
    if getattr(model, "data_shape", None) is None:
        return "know the shape of its data. Received: data_shape=None."
    facts = model.preset_facts()
    data, latent = facts["data_shape"], facts.get("latent_shape")
    shapes = [*_levels(data), *(_levels(latent) if latent else [])]
    sizes = [size for shape in shapes for size in shape]
    if all(shapes) and all(size is None or (isinstance(size, int) and size > 0) for size in sizes):
        return None
    return f"know the shapes of its data and its latents. Received: data_shape={data}, latent_shape={latent}."


def _levels(shape):
    return shape.values() if isinstance(shape, dict) else [shape]


def weights_fault(model):
    """Which weight of a model is not finite, as the end of "the model must ...", or None.

    Args:
        model: keras.Model.
    """
    for weight in model.weights:
        if keras.backend.is_float_dtype(weight.dtype):
            if not np.isfinite(keras.ops.convert_to_numpy(weight.value)).all():
                return f"have finite weights. Received: NaN or infinity in {weight.path!r}."
    return None
