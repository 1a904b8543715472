"""What `sample` and `log_likelihood` promise of a model that generates."""

import warnings

import numpy as np

from keras_vae.ops.levels import by_level
from keras_vae.testing.comparing import ensure, equal, is_finite, length, rows, untouched

DRAWS = 8  # one batch that is compiled once
SAMPLES = 64  # of the importance weights
EVALUATIONS = 16  # draws of a mean, by which its noise is known


def check_sampling(model, x):
    """Checks `sample`: data like x, one seed one sample, another seed another; a conditional one needs its condition.

    Args:
        model: built model with `sample`: with a prior, or a prior itself.
        x: array, or dict of arrays: what the model takes; a conditional one is given conditions of it.

    Returns:
        Eight samples, an array, or a dict of them by level.

    Raises:
        AssertionError: if one of this does not hold.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.testing import check_sampling
    >>> model = keras_vae.VAE(keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((4,), ()), latent_dim=2)
    >>> model.build((None, 4))
    >>> check_sampling(model, np.eye(4, dtype="float32")).shape
    (8, 4)
    """
    conditional, given = getattr(model, "condition", None) is not None, {}
    if conditional:
        given["condition"] = rows(x["condition"], np.arange(DRAWS) % length(x))
    with untouched(model, "`sample`"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*has no learned prior", UserWarning)
        one, same, other = (model.sample(DRAWS, seed=seed, **given) for seed in (1, 1, 2))
    data = x["x"] if isinstance(x, dict) and "x" in x else x
    shape, got = by_level(lambda part: (DRAWS, *np.shape(part)[1:]), data), by_level(np.shape, one)
    ensure(got == shape, f"`sample({DRAWS})` must give data of shape {shape}. Received: {got}.")
    ensure(is_finite(one), "`sample` gives values that are not finite.")
    ensure(
        equal(one, same),
        "`sample` gives two samples for one seed. Fix: draw the noise of `noise_spec` from the seed, and let "
        "`sample_from(noise)` be a function of it alone.",
    )
    ensure(not equal(one, other), "`sample` gives the same samples for two seeds: the noise has no effect.")
    first, second = (rows(one, [i]) for i in range(2))
    ensure(not equal(first, second), "`sample` gives the same sample twice for one seed: the noise has no effect.")
    if conditional:
        try:
            model.sample(DRAWS, seed=1)
        except ValueError:
            return one
        ensure(False, "`sample` of a conditional model must raise ValueError where no `condition` is given.")
    return one


def check_density(model, x):
    """Checks `log_likelihood`: the same for one seed, of one sample on average the `elbo`, and of 64 no less.

    By Jensen's inequality the importance-weighted bound rises with the number of samples S (Burda et al. 2016), and for
    S = 1 its mean over draws is the elbo. Where `elbo` is another, a term has the wrong sign, misses a constant, or is
    counted twice. Both means are taken over draws, and compared within four standard errors.

    Args:
        model: built and compiled model with `log_likelihood`, whose `evaluate` logs "elbo".
        x: array, or dict of arrays: an even number of examples, four or more.

    Returns:
        array (batch,), nats, of 64 samples.

    Raises:
        AssertionError: if one of this does not hold.

    Example:

    >>> import numpy as np, keras_vae
    >>> from keras_vae.testing import check_density
    >>> model = keras_vae.VAE(keras_vae.MLPEncoder((8,)), keras_vae.MLPDecoder((4,), ()), latent_dim=2)
    >>> model.build((None, 4))
    >>> model.compile()
    >>> check_density(model, np.eye(4, dtype="float32")).shape
    (4,)
    """
    with untouched(model, "`log_likelihood`"):
        nats, again = (model.log_likelihood(x, num_samples=SAMPLES, seed=1) for _ in range(2))
        ones = [model.log_likelihood(x, num_samples=1, seed=seed).mean() for seed in range(EVALUATIONS)]
    ensure(nats.shape == (length(x),), f"`log_likelihood` must be per example, ({length(x)},). Received: {nats.shape}.")
    ensure(equal(nats, again), "`log_likelihood` gives two answers for one seed.")
    options = {"batch_size": length(x) // 2, "verbose": 0, "return_dict": True}
    bounds = [model.evaluate(x, **options)["elbo"] for _ in range(EVALUATIONS)]
    one, bound = np.mean(ones), np.mean(bounds)
    noise = 4 * (np.std(ones) + np.std(bounds)) / np.sqrt(EVALUATIONS - 1) + 1e-4 * abs(bound)
    ensure(
        abs(one - bound) <= noise,
        f"`elbo` is {bound:.6g} on average, and `log_likelihood` of one sample {one:.6g}, with a noise of {noise:.2g}: "
        "their means must be equal. Fix: look for a term of the elbo, or a `log_prob`, that has the wrong sign, misses "
        "a constant, or is not summed over the event.",
    )
    ensure(
        nats.mean() >= one - noise,
        f"`log_likelihood` falls with the number of samples, from {one:.6g} for one to {nats.mean():.6g} for "
        f"{SAMPLES}: it must rise. Fix: average the weights, and not their logarithms.",
    )
    return nats
