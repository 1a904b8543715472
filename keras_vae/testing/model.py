"""`check_model`: asks a model what it answers, and checks each of its answers."""

import tempfile

from keras_vae.testing.comparing import ensure, input_shape
from keras_vae.testing.config import check_config
from keras_vae.testing.evaluation import check_batch, check_evaluation
from keras_vae.testing.latents import check_encoding, check_reconstruction, draws
from keras_vae.testing.sampling import check_density, check_sampling
from keras_vae.testing.saving import check_saving
from keras_vae.testing.serving import check_serving
from keras_vae.testing.training import check_training


def check_model(make, x, folder=None, y=None, batch_terms=(), serving=True, rtol=1e-5):
    """Checks what every model promises, as far as it answers: for the tests of a variant of your own.

    A model without a method is not asked for it: a prior has no `reconstruct`, a classifier no `encode`.

    - its configuration survives (`check_config`), and it needs no data to be built
    - `evaluate` is pure, its terms are per example, elbo == -(distortion + rate) (`check_evaluation`)
    - `fit` moves every trainable weight, and counts its steps (`check_training`)
    - `encode`, `reconstruct`, and decode(encode(x)) == reconstruct(x) (`check_encoding`, `check_reconstruction`)
    - `sample`: one seed, one sample, where there is a prior (`check_sampling`)
    - `log_likelihood` is no less than the elbo, where there is a density (`check_density`)
    - `signatures` (`check_serving`)
    - files: the same weights, answers and next step (`check_saving`)

    `check_mixed_precision` is left to be called beside it: it compiles another model.

    Args:
        make: function without arguments that gives a new, unbuilt model each time; compiled where "adam" alone is not
            enough. Give it arguments that are not the defaults, so that a configuration that loses one is found.
        x: array, or dict of arrays with "condition" and "mask": an even number of examples, four or more.
        folder: str or path of a folder where files are written. Default: None (one that is removed).
        y: target, where it is not `x` itself, as of a classifier. Default: None.
        batch_terms: names of terms that are statistics of the batch, which are not compared between batches that
            exchanged examples. Default: ().
        serving: bool, whether the signatures are run. Default: True.
        rtol: float, relative tolerance of answers after a round trip through a file. Default: 1e-5.

    Returns:
        The model, trained for three steps.

    Raises:
        AssertionError: with what is wrong and how to put it right.
        ValueError: if the number of examples is odd, or less than four, or `make` gives one model twice.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.testing import check_model
    >>> def make():
    ...     return keras_vae.PlainAutoencoder(keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4,), ()))
    >>> check_model(make, np.eye(4, dtype="float32")).name.split("_")[0]
    'plain'
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as place:
            return check_model(make, x, place, y, batch_terms, serving, rtol)
    check_batch(x)
    model = make()
    if make() is model:
        raise ValueError("`make` must give a new model each time. Received: the same one twice.")
    check_config(model)
    model.build(input_shape(x))
    ensure(model.built, f"{type(model).__name__} is not built after `build`. Fix: call `super().build(input_shape)`.")
    if not model.compiled:
        model.compile("adam")

    check_evaluation(model, x, y, batch_terms)
    check_training(model, x, y)
    if hasattr(model, "encode"):
        check_encoding(model, x)
    if hasattr(model, "reconstruct"):
        check_reconstruction(model, x)
    if hasattr(model, "sample") and getattr(model, "prior", model) is not None:
        check_sampling(model, x)
    if hasattr(model, "log_likelihood") and getattr(model, "has_density", True) and draws(model):
        check_density(model, x)
    if serving and hasattr(model, "signatures"):
        check_serving(model)
    check_saving(model, x, folder, y, make, rtol)
    return model
