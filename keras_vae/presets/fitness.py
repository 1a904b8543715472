"""What a model must have to be a preset, asked on saving and on loading."""

import keras
import numpy as np


def shape_fault(model):
    """What a model lacks to say what goes in and what its codes are, as the end of "the model must ...", or None.

    Args:
        model: keras.Model.
    """
    shapes = [getattr(model, name, None) for name in ("image_shape", "latent_shape")]
    if all(shape and all(isinstance(size, int) and size > 0 for size in shape) for shape in shapes):
        return None
    return f"know the shapes of its data and its latents. Received: image_shape={shapes[0]}, latent_shape={shapes[1]}."


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
