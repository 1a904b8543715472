"""Checks that hold for every layer and every model: configuration, files, one training step, precision, purity."""

import importlib.util
import inspect
import json

import keras
import numpy as np
import pytest
from keras import ops, tree

from keras_vae.core.registration import arguments

BACKEND = keras.backend.backend()
POSITIVE = ("counts", "beta", "commitment_weight", "sparsity_weight", "contraction_weight")


def numpy(value):
    """Tensors, or any nest of them, as NumPy arrays."""
    return tree.map_structure(lambda t: np.asarray(ops.convert_to_numpy(t)), value)


def images(count=16, size=8, channels=1, seed=0):
    """Smooth pictures in (0, 1), float32, channels last: one soft disc each, whose place and size vary."""
    rng = np.random.default_rng(seed)
    centre, radius = rng.uniform(0.2, 0.8, (2, count, 1, 1, channels)), rng.uniform(0.1, 0.4, (count, 1, 1, channels))
    y, x = np.meshgrid(*[np.linspace(0, 1, size)] * 2, indexing="ij")
    distance = np.hypot(x[None, :, :, None] - centre[0], y[None, :, :, None] - centre[1])
    return (1 / (1 + np.exp(20 * (distance - radius)))).astype("float32")


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


def weights(model):
    """(path, value) of every weight, without the states of random seeds, which evaluation may advance."""
    return [(v.path, numpy(v.value)) for v in model.variables if v.name != "seed_generator_state"]


def assert_same_weights(before, after):
    """Two lists from `weights` hold the same values, bit for bit; the paths may differ, as between two models."""
    assert len(before) == len(after)
    pairs = zip(before, after, strict=True)
    changed = [path for (path, value), (_, other) in pairs if not np.array_equal(value, other)]
    assert not changed, f"these weights differ: {changed}"


def set_weights(thing, seed=0):
    """Gives every float weight numbers that NumPy drew, so that a layer or model is the same on every backend."""
    rng = np.random.default_rng(seed)
    for variable in thing.variables:
        if keras.backend.is_float_dtype(variable.dtype) and variable.name != "seed_generator_state":
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


def plain(value):
    """A configuration value as JSON would give it back, so that tuples and lists, 1 and 1.0 compare equal."""
    return json.loads(json.dumps(value))


def check_config(thing, kwargs, keep_default=()):
    """Every constructor argument survives get_config -> JSON -> from_config, at a value that is not its default.

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
    config = plain(keras.saving.serialize_keras_object(thing))
    assert config["registered_name"] == f"keras_vae>{cls.__name__}"
    missing = set(arguments(cls)) - set(config["config"])
    assert not missing, f"get_config of {cls.__name__} lacks {sorted(missing)}"
    for name, value in kwargs.items():
        if isinstance(value, (bool, int, float, str)):
            assert config["config"][name] == pytest.approx(value), f"`{name}` of {cls.__name__} is not kept"
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is cls
    assert plain(keras.saving.serialize_keras_object(again)) == config
    return again


def check_refuses(make, message, error=ValueError):
    """`make()` raises, and the message names what is accepted and what came."""
    with pytest.raises(error, match=message) as caught:
        make()
    assert "Received" in str(caught.value)


def input_shape(x):
    """What `build` takes for a batch: a shape without its size, or a dict of them."""
    return (
        {name: (None, *np.shape(part)[1:]) for name, part in x.items()} if isinstance(x, dict) else (None, *x.shape[1:])
    )


def length(x):
    """The number of examples."""
    return len(tree.flatten(x)[0])


def check_model(make, x, tmp_path, kwargs=None, keep_default=(), rtol=1e-5):
    """What every model promises; `make()` gives a new, unbuilt one each time.

    Args:
        make: callable without arguments.
        x: array, a batch that the model takes.
        tmp_path: folder for files.
        kwargs: dict of the constructor's arguments, for `check_config`; None leaves that out.
        keep_default: as for `check_config`.
        rtol: float, tolerance of predictions after a round trip through a file.
    """
    model = make()
    if kwargs is not None:
        check_config(model, kwargs, keep_default)
    model.build(input_shape(x))
    model.compile("adam")
    start = weights(model)

    logs = model.evaluate(x, batch_size=length(x), verbose=0, return_dict=True)
    assert_finite(logs)
    assert_same_weights(start, weights(model))  # evaluation, and with it prediction, changes nothing
    before = model.predict(x, batch_size=length(x), verbose=0)
    assert_same_weights(start, weights(model))
    for name, value in before.items():
        assert len(value) == length(x), f"output `{name}` is not per example: shape {value.shape}"

    history = model.fit(x, batch_size=length(x) // 2, epochs=1, verbose=0).history
    assert_finite(history)
    old = dict(start)
    still = [v.path for v in model.trainable_variables if np.array_equal(numpy(v.value), old[v.path])]
    assert not still, f"one epoch left these trainable weights where they were: {still}"
    assert int(numpy(model.step.value)) == 2

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert_same_weights(weights(model), weights(loaded))
    deterministic = model.reconstruct(x), loaded.reconstruct(x)
    assert_close(*deterministic, rtol=rtol)
    loaded.fit(x, batch_size=length(x), verbose=0)  # a loaded model trains on

    model.save_weights(tmp_path / "model.weights.h5")
    other = make()
    other.build(input_shape(x))
    other.load_weights(tmp_path / "model.weights.h5")
    assert_close(other.reconstruct(x), deterministic[0], rtol=rtol)
    return model


def check_mixed_precision(make, x, policy="mixed_bfloat16"):
    """One step under mixed precision is finite, its logs are float32, and weights keep float32."""
    keras.config.set_dtype_policy(policy)
    try:
        model = make()
        model.build(input_shape(x))
        model.compile("adam")
        logs = model.fit(x, batch_size=length(x), epochs=2, verbose=0).history
        reconstruction = model.reconstruct(x)
    finally:
        keras.config.set_dtype_policy("float32")
    assert_finite(logs)
    assert_finite(reconstruction)
    floats = [v for v in model.variables if keras.backend.is_float_dtype(v.dtype)]
    assert {v.dtype for v in floats} == {"float32"}
    return model
