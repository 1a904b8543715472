"""What every registered class promises: configuration, files, a compiled step, mixed precision, purity."""

import keras
import numpy as np
import pytest

import harness
import keras_vae
from cases import CASES
from goldens import arrays, made
from keras_vae.core.registration import REGISTRY
from keras_vae.estimators import Estimator
from keras_vae.likelihoods import Likelihood
from keras_vae.models import Autoencoder
from keras_vae.priors import Prior
from keras_vae.testing import check_mixed_precision, check_model
from keras_vae.training import CheckedMethods

MODELS = [n for n in sorted(CASES) if issubclass(REGISTRY[n], CheckedMethods)]
METRICS = [n for n in sorted(CASES) if issubclass(REGISTRY[n], keras.Metric)]
LAYERS = [
    n
    for n in sorted(CASES)
    if issubclass(REGISTRY[n], keras.layers.Layer)
    and not issubclass(REGISTRY[n], (keras.Model, Likelihood, Prior, Estimator, keras_vae.Conditioned))
]


def test_every_registered_class_has_a_case():
    missing = sorted(set(REGISTRY) - set(CASES))
    assert not missing, f"no case for {missing}. Fix: add them to tests/conformance/*_cases.py, then make their goldens"
    assert not set(CASES) - set(REGISTRY)


@pytest.mark.parametrize("name", sorted(CASES))
def test_configuration_round_trip(name):
    case = CASES[name]
    arguments = case.arguments()
    # What every autoencoder takes; VAE, ConditionalVAE and IWAE are tried with others than the default.
    shared = ("prior", "condition", "num_samples") if issubclass(REGISTRY[name], Autoencoder) else ()
    unset = tuple(argument for argument in shared if argument not in arguments)
    harness.check_config(REGISTRY[name](**arguments), arguments, (*case.keep_default, *unset))


def named(outputs):
    """What a layer returns, by name."""
    if isinstance(outputs, dict):
        return outputs
    return dict(enumerate(outputs)) if isinstance(outputs, (list, tuple)) else {"output": outputs}


@pytest.mark.parametrize("name", LAYERS)
def test_layer_in_a_functional_model_is_saved_and_loaded(name, tmp_path):
    x = arrays(CASES[name])
    inputs = [keras.tree.map_structure(lambda one: keras.Input(one.shape[1:]), part) for part in x]
    traced_by = REGISTRY[name](**CASES[name].arguments())
    traced = traced_by(*inputs)
    model = keras.Model(inputs, traced)
    harness.set_weights(model)
    model.save(tmp_path / "layer.keras")
    loaded = keras.saving.load_model(tmp_path / "layer.keras")
    harness.assert_same_weights(harness.weights(model), harness.weights(loaded))
    expected, got = (m.predict(list(x), verbose=0) for m in (model, loaded))
    traced, expected, got = (named(v) for v in (traced, expected, got))
    for key, value in expected.items():
        for symbol, one in zip(*map(keras.tree.flatten, (traced[key], value)), strict=True):
            assert symbol.shape[1:] == one.shape[1:], f"{key}: the traced shape is not the computed one"
        if key not in ("z", "drawn", "base") or not getattr(traced_by, "is_random", False):  # which is drawn at random
            harness.assert_close(got[key], value)


@pytest.mark.parametrize("name", LAYERS)
def test_layer_is_finite_under_mixed_precision_and_keeps_float32_weights(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = REGISTRY[name](**CASES[name].arguments())
        outputs = (
            layer(*arrays(CASES[name]), training=True)
            if "training" in layer._call_signature.parameters
            else layer(*arrays(CASES[name]))
        )
    finally:
        keras.config.set_dtype_policy("float32")
    harness.assert_finite(keras.tree.map_structure(lambda t: keras.ops.cast(t, "float32"), outputs))
    assert {v.dtype for v in layer.variables if keras.backend.is_float_dtype(v.dtype)} <= {"float32"}


@pytest.mark.parametrize("name", LAYERS)
def test_layer_call_changes_no_weight(name):
    layer = made(name)
    before = harness.weights(layer)
    layer(*arrays(CASES[name]))
    harness.assert_same_weights(before, harness.weights(layer))


def maker(name):
    """A function that makes the model of a case, compiled where it has no loss of its own."""

    def make():
        model = REGISTRY[name](**CASES[name].arguments())
        if not model.has_terms:
            model.compile("adam", "sparse_categorical_crossentropy")
        return model

    return make


@pytest.mark.parametrize("name", MODELS)
def test_model(name, tmp_path):
    case = CASES[name]
    # On JAX each signature is one more function to compile; tests/export runs them there.
    serving = harness.BACKEND != "jax"
    check_model(maker(name), case.x, tmp_path, case.y, case.batch_terms, serving)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", MODELS)
def test_model_under_mixed_precision(name, policy):
    case = CASES[name]
    check_mixed_precision(maker(name), case.x, case.y, policy)


@pytest.mark.parametrize("name", METRICS)
def test_metric_accumulates_and_resets(name):
    case = CASES[name]
    whole, parts = (REGISTRY[name](**case.arguments()) for _ in range(2))
    whole.update_state(*case.x)
    half = len(case.x[0]) // 2
    parts.update_state(*(array[:half] for array in case.x))
    parts.update_state(*(array[half:] for array in case.x))
    np.testing.assert_allclose(harness.numpy(parts.result()), harness.numpy(whole.result()), rtol=1e-5)
    parts.reset_state()
    parts.update_state(*case.x)
    np.testing.assert_allclose(harness.numpy(parts.result()), harness.numpy(whole.result()), rtol=1e-6)
    assert {v.dtype for v in whole.variables} <= {"float32", "int32", "int64"}
