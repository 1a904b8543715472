"""What a case of the conformance tests is, and the data that the cases share."""

import dataclasses

import numpy as np

import harness

RNG = np.random.default_rng(0)
IMAGES = harness.images(8)  # (8, 8, 8, 1), in (0, 1)
MAP = RNG.normal(size=(4, 4, 4, 6)).astype("float32")
VECTORS = RNG.normal(size=(4, 6)).astype("float32")
CONDITION = VECTORS[::-1].copy()
CODES = RNG.integers(0, 5, (4, 3, 3)).astype("int32")
IMAGE_PARAMS = RNG.normal(size=IMAGES.shape).astype("float32")
MIXTURE_PARAMS = RNG.normal(size=(4, 3, 3, 2 * 10)).astype("float32")
COLOURS = (RNG.integers(0, 17, (4, 3, 3, 3)) / 16).astype("float32")
CODES_OF_MAP = RNG.integers(0, 6, (4, 4, 4, 1)).astype("int32")
COSTS = {name: RNG.normal(50.0, 9.0, 4).astype("float32") for name in ("distortion", "rate")}


@dataclasses.dataclass
class Case:
    """What the conformance tests need to know of a class.

    Attributes:
        arguments: callable -> dict, every constructor argument at a value that is not its default; parts are made anew.
        x: the input: an array, or a tuple of arrays for metrics (targets, predictions), likelihoods (params, x), and
            layers of several inputs.
        keep_default: arguments that have no second value that this case could use.
        golden: callable, the object -> dict of arrays that are the same on every backend, or None for what it returns.
        y: the target of a model that has another than x.
        batch_terms: terms of a model that are statistics of the batch.
    """

    arguments: callable
    x: object
    keep_default: tuple = ()
    golden: callable = None
    y: object = None
    batch_terms: tuple = ()
