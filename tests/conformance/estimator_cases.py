"""Cases of estimators and their baselines."""

import keras

import harness
import keras_vae
from case import COSTS, VECTORS, Case


def baseline_golden(baseline):
    """What it says of features after a step that it learnt from."""
    for _ in range(2):
        baseline.update(COSTS, baseline(VECTORS))
    return baseline(VECTORS)


def score_golden(estimator):
    """What a quantity becomes beside the score of a draw, and its gradient with respect to it."""
    beside = estimator.beside(keras.ops.convert_to_tensor(VECTORS))
    log_prob = keras.ops.convert_to_tensor(VECTORS[:, 0])
    value = keras.ops.convert_to_tensor(COSTS["distortion"])
    terms = [
        estimator.through(name, value, beside, lambda: log_prob) for name in ("distortion", "rate", "something else")
    ]
    slope = harness.gradient(lambda x: estimator.through("distortion", value, beside, lambda: x), log_prob)
    return {"values": keras.ops.stack(terms), "gradient": slope}


ESTIMATORS = {
    "MovingAverageBaseline": Case(lambda: {"decay": 0.7}, VECTORS, golden=baseline_golden),
    "InputDependentBaseline": Case(
        lambda: {"units": (4,), "activation": "relu", "decay": 0.7}, VECTORS, golden=baseline_golden
    ),
    "ScoreFunction": Case(lambda: {"baseline": keras_vae.MovingAverageBaseline(0.7)}, VECTORS, golden=score_golden),
}
