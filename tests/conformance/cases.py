"""One case for every class that is registered for serialization: an `@export` without one fails the suite by name."""

from estimator_cases import ESTIMATORS
from layer_cases import LAYERS
from model_cases import MODELS
from prior_cases import PRIORS

CASES = {**LAYERS, **ESTIMATORS, **PRIORS, **MODELS}
