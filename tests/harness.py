"""What the tests share beside `keras_vae.testing`: pictures, weights that are the same on every backend, refusals."""

import importlib
import importlib.util
import inspect

import keras
import numpy as np
import pytest
from keras import ops, tree

from keras_vae import _backend, testing
from keras_vae.core.registration import arguments
from keras_vae.testing import check_model as check_model
from keras_vae.testing.comparing import SEED, changed
from keras_vae.testing.comparing import as_numpy as numpy
from keras_vae.testing.comparing import input_shape as input_shape
from keras_vae.testing.comparing import weights as weights
from keras_vae.testing.config import plain

BACKEND = keras.backend.backend()
POSITIVE = (
    "beta",
    "capacity",
    "capacity_weight",
    "commitment_weight",
    "contraction_weight",
    "counts",
    "distance_weight",
    "embedding_weight",
    "entropy_weight",
    "free_bits",
    "gradient_weight",
    "l2_weight",
    "mass",
    "mmd_weight",
    "multiplier",
    "multiplier_rate",
    "sharpness",
    "sparsity_weight",
)


def images(count=16, size=8, channels=1, seed=0):
    """Smooth pictures in (0, 1), float32, channels last: one soft disc each, whose place and size vary."""
    rng = np.random.default_rng(seed)
    centre, radius = rng.uniform(0.2, 0.8, (2, count, 1, 1, channels)), rng.uniform(0.1, 0.4, (count, 1, 1, channels))
    y, x = np.meshgrid(*[np.linspace(0, 1, size)] * 2, indexing="ij")
    distance = np.hypot(x[None, :, :, None] - centre[0], y[None, :, :, None] - centre[1])
    return (1 / (1 + np.exp(20 * (distance - radius)))).astype("float32")


def condition_for(model, count):
    """{"condition": `count` of them} as keyword arguments for a conditional model, nothing for another."""
    if model.condition is None:
        return {}
    return {"condition": model.condition.examples(count, np.random.default_rng(0))}


def compiled(function):
    """The same function of tensors, in one piece on JAX, which else compiles each operation by itself, for seconds."""
    if BACKEND != "jax":
        return function
    import jax

    return jax.jit(function)


def derivatives(function, x, directions):
    """Of a function of a batch, without the batch: its derivatives at x along each direction, (directions, *outputs).

    Below a millionth of the largest they are rounding, and zero: kernels add zeros up in ways of their own.
    """
    rows = np.repeat(np.asarray(x, "float32")[None], len(directions), axis=0)
    primals, tangents = (keras.ops.convert_to_tensor(v) for v in (rows, np.asarray(directions, "float32")))
    found = numpy(compiled(lambda x, v: _backend.jvp(function, (x,), (v,))[1])(primals, tangents))
    return np.where(np.abs(found) > 1e-6 * np.abs(found).max(), found, 0.0)


def needs(package):
    """A mark that skips a test where a package is absent."""
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f"{package} is not installed")


def assert_close(got, expected, rtol=1e-5, atol=1e-6):
    """Two nests of arrays are equal within a tolerance."""
    got, expected = tree.flatten(numpy(got)), tree.flatten(numpy(expected))
    assert len(got) == len(expected)
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


def assert_finite(values):
    for value in tree.flatten(numpy(values)):
        assert np.isfinite(value.astype("float32")).all()


def assert_same_weights(before, after):
    """Two lists from `weights` hold the same values, bit for bit; the paths may differ, as between two models."""
    differ = changed(before, after)
    assert not differ, f"these weights differ: {differ}"


def set_weights(thing, seed=0):
    """Gives every float weight numbers that NumPy drew, so that a layer or model is the same on every backend."""
    rng = np.random.default_rng(seed)
    for variable in thing.variables:
        if keras.backend.is_float_dtype(variable.dtype) and variable.name not in (SEED, "dropout"):  # which is a share
            fan_in = max(1, int(np.prod(variable.shape[:-1])))
            value = rng.normal(size=variable.shape) / np.sqrt(fan_in)
            if variable.name in POSITIVE:
                value = 1 + np.abs(value)
            elif variable.name.startswith("rho_hat"):  # a mean of sigmoids
                value = 1 / (1 + np.exp(-value))
            variable.assign(value)
    return thing


def defaults(cls):
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}


def check_config(thing, kwargs, keep_default=()):
    """`keras_vae.testing.check_config` of something made at values that are not its defaults, and registered as ours.

    Args:
        thing: the object made from `kwargs`.
        kwargs: dict, the arguments it was made with.
        keep_default: names of arguments that have no second value to be tested at.
    """
    cls, default = type(thing), defaults(type(thing))
    for name in arguments(cls):
        assert name in kwargs or name in keep_default, f"the case of {cls.__name__} must set `{name}`"
        same = (
            name in kwargs
            and name in default
            and type(kwargs[name]) is type(default[name])
            and kwargs[name] == default[name]
        )
        assert not same, f"the case of {cls.__name__} sets `{name}` to its default"
    again = testing.check_config(thing)
    config = plain(keras.saving.serialize_keras_object(thing))
    assert config["registered_name"] == f"keras_vae>{cls.__name__}"
    for name, value in kwargs.items():
        if isinstance(value, (bool, int, float, str)):
            assert config["config"][name] == pytest.approx(value), f"`{name}` of {cls.__name__} is not kept"
    return again


def check_refuses(make, message, error=ValueError):
    """`make()` raises, and the message names what is accepted and what came."""
    with pytest.raises(error, match=message) as caught:
        make()
    assert "Received" in str(caught.value)


def gradient(function, x):
    """d sum(function(x)) / dx of an eager function, an array: where it keeps examples apart, one of each of them."""
    if BACKEND == "jax":
        jax = importlib.import_module("jax")
        return np.asarray(jax.grad(lambda x: ops.sum(function(x)))(ops.convert_to_tensor(x)))
    if BACKEND == "tensorflow":
        tensorflow = importlib.import_module("tensorflow")
        x = tensorflow.convert_to_tensor(x)
        with tensorflow.GradientTape() as tape:
            tape.watch(x)
            value = ops.sum(function(x))
        return tape.gradient(value, x).numpy()
    torch = importlib.import_module("torch")
    x = torch.as_tensor(x).requires_grad_()
    return torch.autograd.grad(ops.sum(function(x)), x)[0].numpy()
