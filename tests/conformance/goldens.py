"""The numbers that a class must give on every backend: how they are computed, stored and compared."""

import json
import pathlib

import keras
import numpy as np
from keras import tree

import harness
import keras_vae
from cases import CASES
from keras_vae.core.registration import REGISTRY
from keras_vae.likelihoods import Likelihood
from keras_vae.priors import Prior

FOLDER = pathlib.Path(__file__).parents[1] / "goldens"
KEPT = 12  # values of each array that are stored, spread evenly over it, beside its shape, mean and standard deviation


def made(name):
    """The object of a case, built, with weights that do not depend on the backend."""
    case = CASES[name]
    thing = REGISTRY[name](**case.arguments())
    if isinstance(thing, keras.Model):
        thing.build(harness.input_shape(case.x))
    elif isinstance(thing, keras_vae.ConditionalNormal):
        thing.build(case.x.shape, condition_shape=case.x.shape)
    elif isinstance(thing, keras_vae.Conditioned):
        thing.build((None, *case.x.shape[1:]), condition_shape=(None, 6))
    elif isinstance(thing, keras.layers.Layer) and not isinstance(thing, (Likelihood, Prior)):
        thing.build(*(tree.map_structure(np.shape, x) for x in arrays(case)))
    if isinstance(thing, keras.layers.Layer):
        harness.set_weights(thing)
    return thing


def arrays(case):
    """The inputs of a layer, one or several."""
    return case.x if isinstance(case.x, tuple) else (case.x,)


def outputs(name):
    """name -> array: what the class computes from its case, free of random draws of the backend."""
    case, thing = CASES[name], made(name)
    if case.golden is not None:
        values = case.golden(thing)
    elif isinstance(thing, Likelihood):
        params, x = case.x
        values = {"log_prob": thing.log_prob(params, x), "mean": thing.mean(params)}
    elif isinstance(thing, Prior):
        noise = np.random.default_rng(2).random((2, 5), dtype="float32")
        values = {"log_prob": thing.log_prob(case.x), "sample": thing.sample_from(noise)}
    elif isinstance(thing, keras.Metric):
        thing.update_state(*case.x)
        thing.update_state(*(part[:1] for part in case.x))
        values = {"result": thing.result()}
    else:
        values = thing(*arrays(case))
    values = values if isinstance(values, dict) else {"output": values}
    return tree.map_structure(lambda v: np.asarray(harness.numpy(v), "float64"), values)


def summary(array):
    places = np.unique(np.linspace(0, array.size - 1, min(KEPT, array.size)).astype(int))
    return {
        "shape": list(array.shape),
        "mean": float(array.mean()),
        "std": float(array.std()),
        "values": [float(v) for v in array.ravel()[places]],
    }


def write(name):
    text = json.dumps({key: summary(value) for key, value in sorted(outputs(name).items())}, indent=1)
    (FOLDER / f"{name}.json").write_text(text + "\n")


def compare(name, rtol=1e-5):
    """Raises where a number differs from the stored one by more than `rtol` of the array's own scale."""
    file = FOLDER / f"{name}.json"
    assert file.is_file(), f"no golden numbers for {name}. Fix: python tests/goldens/make.py {name}"
    stored, got = json.loads(file.read_text()), outputs(name)
    assert sorted(stored) == sorted(got), f"{name} gives {sorted(got)}, the goldens have {sorted(stored)}"
    for key, value in got.items():
        now, then = summary(value), stored[key]
        assert now["shape"] == then["shape"], f"{name}.{key}"
        scale = abs(then["mean"]) + then["std"] + 1e-12
        for part in ("values", "mean", "std"):
            difference = np.max(np.abs(np.asarray(now[part]) - then[part])) / scale
            assert difference <= rtol, f"{name}.{key}: {part} differ by {difference:.1e} of the scale {scale:.3g}"
