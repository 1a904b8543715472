"""Cases of estimators and their baselines."""

from unittest import mock

import keras
import numpy as np

import harness
import keras_vae
from case import COSTS, VECTORS, Case
from keras_vae.distributions import Bernoulli, OneHotCategorical
from keras_vae.estimators import Draw


def baseline_golden(baseline):
    """What it says of features after a step that it learnt from."""
    for _ in range(2):
        baseline.update(COSTS, baseline(VECTORS))
    return baseline(VECTORS)


def score_golden(estimator):
    """What a quantity becomes beside the score of a draw, and its gradient with respect to it."""
    logits = keras.ops.convert_to_tensor(VECTORS)
    z, beside = keras.ops.cast(logits > 0.3, "float32"), estimator.beside(logits)

    def through(logits, name="distortion"):
        posterior = Bernoulli(logits)
        draw = Draw(z, posterior, beside, lambda: posterior.log_prob(z), lambda z: keras.ops.sum(z**3, axis=-1))
        return estimator.through(name, keras.ops.convert_to_tensor(COSTS["distortion"]), draw)

    terms = [through(logits, name) for name in ("distortion", "rate", "something else")]
    return {"values": keras.ops.stack(terms), "gradient": harness.gradient(through, logits)}


def draw_golden(estimator):
    """A draw from noise that is NumPy's, binary and one-hot, and the gradient of its cubes."""
    found = {}
    for name, family, logits in (("binary", Bernoulli, VECTORS), ("one_hot", OneHotCategorical, VECTORS[:, None])):
        seed = np.random.default_rng(0)

        def uniform(shape, seed=seed, **_):
            return keras.ops.convert_to_tensor(seed.random(tuple(shape), "float32"))

        with mock.patch.object(keras.random, "uniform", lambda shape, **_: uniform(shape)):
            found[name] = estimator.draw(family(logits), 0)
            found[f"{name}_gradient"] = harness.gradient(
                lambda x, family=family: keras.ops.sum(estimator.draw(family(x), 0) ** 3, axis=-1), logits
            )
    return found


def bound_golden(estimator):
    """The bound of draws, and its gradient with respect to the log-probabilities."""
    log_weights, log_probs = keras.ops.convert_to_tensor(VECTORS), keras.ops.convert_to_tensor(VECTORS[::-1].copy())
    slope = harness.gradient(lambda x: estimator.bound(log_weights, x), log_probs)
    return {"bound": estimator.bound(log_weights, log_probs), "gradient": slope}


def smoothing_golden(smoothing):
    """The draws that belong to given noise, and their slopes by the logits."""
    noise = np.random.default_rng(1).random(VECTORS.shape, dtype="float32")
    smoothing.sharpness = 2.5

    def draw(logits):
        return smoothing.draw_from(Bernoulli(logits), noise)

    return {"z": draw(VECTORS), "slope": harness.gradient(draw, VECTORS)}


SMOOTHINGS = (
    "OverlappingExponential",
    "OverlappingGaussian",
    "OverlappingPower",
    "SpikeAndExponential",
    "SpikeAndPower",
    "SymmetricPower",
)
ESTIMATORS = {
    "MovingAverageBaseline": Case(lambda: {"decay": 0.7}, VECTORS, golden=baseline_golden),
    "InputDependentBaseline": Case(
        lambda: {"units": (4,), "activation": "relu", "decay": 0.7}, VECTORS, golden=baseline_golden
    ),
    "ScoreFunction": Case(lambda: {"baseline": keras_vae.MovingAverageBaseline(0.7)}, VECTORS, golden=score_golden),
    "MuProp": Case(dict, VECTORS, golden=score_golden),
    "VIMCO": Case(dict, VECTORS, golden=bound_golden),
    "StraightThrough": Case(lambda: {"slope": 2.0}, VECTORS, golden=draw_golden),
    "GumbelSoftmax": Case(lambda: {"temperature": 0.7, "hard": True}, VECTORS, golden=draw_golden),
    "ReinMax": Case(lambda: {"temperature": 1.3}, VECTORS, golden=draw_golden),
    "DARN": Case(dict, VECTORS, golden=draw_golden),
    **{name: Case(lambda: {"sharpness": 2.5}, VECTORS, golden=smoothing_golden) for name in SMOOTHINGS},
}
