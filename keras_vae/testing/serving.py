"""What `signatures` promises, which export and servers rely on."""

import keras
import numpy as np

from keras_vae.testing.comparing import ensure, is_close, is_finite, untouched
from keras_vae.training import Sampler

ROWS = 8  # of a request; of two alone, small codes may be the same by chance


def check_serving(model):
    """Checks `signatures`: each answers its own examples row by row, and one that draws gives a seed the same row.

    On torch those that draw are left out: it cannot run them itself, and exports them through TensorFlow.

    Args:
        model: built model with `signatures`.

    Returns:
        dict, name of a signature -> its answers to eight rows.

    Raises:
        AssertionError: if one of this does not hold.

    Example:

    >>> import keras_vae
    >>> from keras_vae.testing import check_serving
    >>> model = keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4,), ()))
    >>> model.build((None, 4))
    >>> sorted(check_serving(model))
    ['decode', 'encode', 'serving_default']
    """
    answers, decoder = {}, getattr(model, "decoder", None)
    for name, signature in model.signatures().items():
        rng = np.random.default_rng(0)
        given = {key: served.example(ROWS, rng) for key, served in signature.inputs.items()}

        if keras.backend.backend() == "torch" and (signature.draws or hasattr(decoder, "noise_spec")):
            continue  # draws from seeds of rows are made where they are served, by TensorFlow
        served = Sampler(model, lambda inputs, function=signature.function: function(**inputs))
        with untouched(model, f"the signature `{name}`"):
            straight, turned = served.run(given), served.run({key: value[::-1] for key, value in given.items()})
        for key, value in straight.items():
            ensure(
                value.shape[:1] == (ROWS,),
                f"`{key}` of the signature `{name}` has shape {value.shape} for {ROWS} rows.",
            )
            ensure(is_finite(value), f"`{key}` of the signature `{name}` is not finite.")
            ensure(
                is_close(turned[key][::-1], value, rtol=1e-4, atol=1e-5),
                f"`{key}` of the signature `{name}` depends on the other rows of a request. Fix: compute nothing over "
                "the batch, and draw each row from its own seed (`ops.noise.noise_from_seeds`).",
            )
        ensure(
            "seed" not in given or not all(len(np.unique(value, axis=0)) == 1 for value in straight.values()),
            f"the signature `{name}` gives all of {ROWS} seeds the same draw.",
        )
        answers[name] = straight
    return answers
