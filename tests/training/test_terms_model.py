"""The training contract on a model of one layer, whose every number can be worked out by hand."""

import keras
import numpy as np
import pytest

import harness
from keras_vae.training import NonFiniteLossError, TermsModel
from toys import line
from toys import points as data


def test_evaluation_is_the_formula():
    x = data()
    logs = line().evaluate(x, batch_size=4, verbose=0, return_dict=True)
    power = np.sum(x**2, axis=1).mean()  # W = I: both terms are |x|^2
    assert logs["power"] == pytest.approx(power, rel=1e-5)
    assert logs["distortion"] == pytest.approx(power, rel=1e-5)
    assert logs["loss"] == pytest.approx(1.5 * power, rel=1e-5)


def test_one_sgd_step_by_hand():
    x, model = data(4), line(keras.optimizers.SGD(0.1))
    model.train_on_batch(x)
    # d/dW mean(|x - 2 x W|^2 + 0.5 |x W|^2) at W = I
    gradient = x.T @ (4 * (2 * x - x) + x) / len(x)
    np.testing.assert_allclose(harness.numpy(model.dense.kernel), np.eye(2) - 0.1 * gradient, rtol=1e-5)


def test_targets_take_the_place_of_the_input():
    x = data()
    logs = line().evaluate(x, 2 * x, verbose=0, return_dict=True)
    assert logs["distortion"] == pytest.approx(0.0, abs=1e-8)


def test_sample_weight_is_honoured_in_loss_and_logs():
    x, weight = data(4), np.array([0.0, 1.0, 3.0, 0.0], "float32")
    logs = line().evaluate(x, x, sample_weight=weight, verbose=0, return_dict=True)
    power = np.sum(x**2, axis=1)
    assert logs["loss"] == pytest.approx(1.5 * np.mean(power * weight), rel=1e-5)
    assert logs["power"] == pytest.approx(np.sum(power * weight) / weight.sum(), rel=1e-5)


def test_zero_weight_removes_an_example_from_the_gradient():
    x = data(4)
    weighted, halved = line(), line()
    weighted.train_on_batch(x, x, sample_weight=np.array([2.0, 2.0, 0.0, 0.0], "float32"))
    halved.train_on_batch(x[:2], x[:2])
    harness.assert_close(weighted.dense.kernel.value, halved.dense.kernel.value)


def test_loss_does_not_change_when_the_batch_is_duplicated():
    x, once, twice = data(6), line(), line()
    single = once.train_on_batch(x, return_dict=True)
    double = twice.train_on_batch(np.concatenate([x, x]), return_dict=True)
    for name, value in single.items():
        assert float(value) == pytest.approx(float(double[name]), rel=1e-5)
    harness.assert_close(once.dense.kernel.value, twice.dense.kernel.value)


def test_regularizers_of_layers_count():
    x = data()
    plain = line().evaluate(x, verbose=0, return_dict=True)["loss"]
    regular = line(regularizer="l2").evaluate(x, verbose=0, return_dict=True)["loss"]
    assert regular - plain == pytest.approx(0.01 * 2, rel=1e-3)  # keras' l2 is 0.01 |W|^2


def test_step_counts_training_batches_only():
    x, model = data(12), line()
    model.fit(x, batch_size=4, epochs=2, validation_data=(x,), verbose=0)
    model.evaluate(x, verbose=0)
    model.predict(x, verbose=0)
    assert int(harness.numpy(model.step.value)) == 6


def test_a_coefficient_assigned_while_training_is_seen_by_the_compiled_step():
    class Schedule(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.scale.assign(float(epoch))

    x, model = data(), line(keras.optimizers.SGD(0.0))
    history = model.fit(x, epochs=3, callbacks=[Schedule()], verbose=0).history
    power = np.sum(x**2, axis=1).mean()
    np.testing.assert_allclose(history["loss"], [power, 2 * power, 3 * power], rtol=1e-5)


def test_compiled_metrics_compare_the_target_with_the_reconstruction():
    x = data()
    logs = line(metrics=["mse"]).evaluate(x, verbose=0, return_dict=True)
    name = next(n for n in logs if n in ("mse", "mean_squared_error"))
    assert logs[name] == pytest.approx(0.0, abs=1e-8)  # W = I reproduces x


def test_validation_is_logged_under_its_prefix():
    x, model = data(), line()
    history = model.fit(x, validation_split=0.5, verbose=0).history
    held = model.evaluate(x[6:], verbose=0, return_dict=True)  # Keras splits off the last ones
    assert {name: history[f"val_{name}"] for name in ("loss", "distortion", "power")} == {
        name: [pytest.approx(value, rel=1e-6)] for name, value in held.items()
    }


@pytest.mark.skipif(harness.BACKEND == "torch", reason="torch runs eagerly: it has no compiled step to trace")
@pytest.mark.parametrize("train", [lambda m, x: m.fit(x, batch_size=4, verbose=0), lambda m, x: m.train_on_batch(x)])
def test_a_first_step_is_traced_once(train):
    model = line("adam")  # whose variables TensorFlow would find made by the trace, and trace again
    built = model.calls
    train(model, data(16))
    assert model.calls == built + 1


@pytest.mark.skipif(harness.BACKEND == "torch", reason="torch runs eagerly: it has no compiled step to trace")
def test_one_trace_serves_every_epoch():
    x, model = data(16), line()
    model.fit(x, batch_size=4, epochs=1, verbose=0)
    traced = model.calls
    model.fit(x, batch_size=4, epochs=3, verbose=0)
    assert model.calls == traced


@pytest.mark.skipif(harness.BACKEND == "torch", reason="Keras refuses steps_per_execution > 1 on torch")
def test_steps_per_execution_changes_nothing():
    x, one, four = data(32), line(), line(steps_per_execution=4)
    for model in (one, four):
        model.fit(x, batch_size=4, shuffle=False, epochs=2, verbose=0)
    harness.assert_close(one.dense.kernel.value, four.dense.kernel.value)
    assert int(harness.numpy(four.step.value)) == 16


def test_a_term_that_is_not_finite_stops_training_and_is_named():
    x, model = data(8), line(keras.optimizers.SGD(1e30))
    with pytest.raises(NonFiniteLossError, match=r"`(distortion|power)`.* is not finite .*learning rate"):
        model.fit(x, batch_size=2, epochs=50, verbose=0)
    assert model.dense.kernel.shape == (2, 2)
    model.dense.kernel.assign(np.eye(2))  # the model has kept its variables and can be used again
    logs = model.evaluate(x, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(1.5 * np.sum(x**2, axis=1).mean(), rel=1e-5)


def test_a_variant_without_terms_is_told_so():
    class Bare(TermsModel):
        def call(self, x, training=False):
            return {"reconstruction": x}

    with pytest.raises(TypeError, match="Bare must define `terms"):
        Bare().terms(None, None, None, False)


def test_compile_config_names_public_optimizers_only():
    config = line("adam").get_compile_config()
    assert "torch" not in str(config["optimizer"]["module"])


def test_mixed_precision_computes_the_loss_in_float32():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = line()
    finally:
        keras.config.set_dtype_policy("float32")
    x = data()
    logs = model.evaluate(x, verbose=0, return_dict=True)
    assert logs["power"] == pytest.approx(np.sum(x**2, axis=1).mean(), rel=1e-2)
    model.fit(x, verbose=0)
    assert model.dense.kernel.dtype == "float32"


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_sample_weight_without_targets_is_honoured(shape):
    """Keras hands weights on with targets only, and would drop these in silence."""
    x, weight = data(4), np.array([0.0, 1.0, 3.0, 0.0], "float32").reshape(shape)
    expected = line().evaluate(x, x, sample_weight=weight.ravel(), verbose=0, return_dict=True)
    logs = line().evaluate(x, sample_weight=weight, verbose=0, return_dict=True)
    history = line().fit(x, sample_weight=weight, validation_data=(x, None, weight), verbose=0, batch_size=4).history
    assert logs == pytest.approx(expected, rel=1e-6)
    assert history["loss"] == pytest.approx([expected["loss"]], rel=1e-6)
    still = line(keras.optimizers.SGD(0.0)).fit(x, validation_data=(x, None, weight), verbose=0).history
    assert still["val_loss"] == pytest.approx([expected["loss"]], rel=1e-6)


@pytest.mark.skipif(harness.BACKEND == "torch", reason="Keras refuses steps_per_execution > 1 on torch")
def test_a_term_that_is_not_finite_is_seen_within_the_epoch_with_several_steps_per_execution():
    x, model = data(800), line(keras.optimizers.SGD(1e30), steps_per_execution=4)
    with pytest.raises(NonFiniteLossError, match="epoch 1, batch "):
        model.fit(x, batch_size=2, verbose=0)
    assert int(harness.numpy(model.step.value)) < 400


def test_the_guard_joins_a_callback_list():
    x, model = data(8), line(keras.optimizers.SGD(1e30))
    callbacks = keras.callbacks.CallbackList([], add_history=True, model=model, epochs=50, steps=4)
    with pytest.raises(NonFiniteLossError, match="is not finite"):
        model.fit(x, batch_size=2, epochs=50, callbacks=callbacks, verbose=0)
