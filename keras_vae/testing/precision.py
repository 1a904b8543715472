"""What a step under mixed precision promises."""

import keras

from keras_vae.testing.comparing import ensure, input_shape, is_finite, length


def check_mixed_precision(make, x, y=None, policy="mixed_bfloat16"):
    """Trains two steps under mixed precision: logs and reconstructions are finite, and float weights stay float32.

    Args:
        make: function without arguments that gives a new, unbuilt model.
        x: array, or dict of arrays: a batch.
        y: target, where it is not `x` itself. Default: None.
        policy: "mixed_bfloat16" or "mixed_float16". Default: "mixed_bfloat16".

    Returns:
        The model.

    Raises:
        AssertionError: if one of this does not hold.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.testing import check_mixed_precision
    >>> def make():
    ...     return keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4,), ()))
    >>> check_mixed_precision(make, np.eye(4, dtype="float32")).compute_dtype
    'bfloat16'
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = make()
        model.build(input_shape(x))
        if not model.compiled:
            model.compile("adam")
        logs = model.fit(x, y, batch_size=length(x), epochs=2, verbose=0).history
        images = model.reconstruct(x) if hasattr(model, "reconstruct") else None
    finally:
        keras.config.set_dtype_policy(before)
    cls = type(model).__name__
    ensure(is_finite(logs), f"{cls} under {policy} gives {logs}: not all of it is finite. Fix: sum in float32.")
    ensure(images is None or is_finite(images), f"{cls} under {policy} reconstructs values that are not finite.")
    floats = [v for v in model.variables if keras.backend.is_float_dtype(v.dtype)]
    half = [v.path for v in floats if v.dtype != "float32"]
    ensure(not half, f"these weights of {cls} under {policy} are not float32: {half}.")
    return model
