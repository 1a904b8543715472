"""`resume` goes on with what the checkpoint was made with, and says what differs where it was something else."""

import json
import warnings

import keras
import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.datasets import ImageBatches
from keras_vae.training import TrainingCheckpoint, fit_resumable, resume
from keras_vae.training.fingerprint import described, differences, fingerprint
from processes import holder

IMAGES = np.arange(12 * 16, dtype="uint8").reshape(12, 4, 4, 1)


def made(optimizer="adam", units=3, **kwargs):
    keras.utils.set_random_seed(0)
    encoder, decoder = keras_vae.MLPEncoder((units,)), keras_vae.MLPDecoder((4, 4, 1), ())
    model = keras_vae.BetaVAE(encoder, decoder, 2, bottleneck=keras_vae.GaussianBottleneck(2, seed=5), **kwargs)
    model.build((None, 4, 4, 1))
    model.compile(optimizer, run_eagerly=harness.BACKEND == "tensorflow")  # a graph of three steps costs a second
    return model


def batches(images=IMAGES, seed=0, **kwargs):
    return ImageBatches(images, 4, seed=seed, **kwargs)


def fit(folder, epochs=1, resumed=False, model=None, data=None, **kwargs):
    model, data = model or made(), data or batches()
    fit_resumable(model, data, epochs, folder, resumed, verbose=0, **kwargs)
    return model


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """The folder of a run that was stopped after its first epoch of three. A test must leave it as it found it."""
    folder = tmp_path_factory.mktemp("earlier")
    model = made()
    stop = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", True))
    fit(folder, 3, model=model, callbacks=[stop])
    return folder


@pytest.mark.parametrize(
    "changed, said",
    [
        (lambda: {"data": batches(seed=1)}, "Received: `data.seed`: checkpoint 0, now 1."),
        (lambda: {"data": batches(mirror=True)}, "Received: `data.mirror`: checkpoint False, now True."),
        (lambda: {"data": batches(IMAGES + 1)}, "Received: `data.images.sha256`: checkpoint '"),
        (lambda: {"data": batches(IMAGES[:8])}, "`data.images.shape.0`: checkpoint 12, now 8; "),
        (lambda: {"model": made(beta=2.0)}, "Received: `model.beta`: checkpoint 4, now 2."),
        (lambda: {"model": made(units=4)}, "Received: `model.encoder.units.0`: checkpoint 3, now 4."),
        (lambda: {"model": made(keras.optimizers.Adam(0.5))}, "`optimizer.learning_rate`: checkpoint 0.001, now 0.5."),
        (lambda: {"model": made("sgd")}, "`optimizer.class_name`: checkpoint 'Adam', now 'SGD'; "),
        (
            lambda: {"model": made(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.001, 9)))},
            "`optimizer.learning_rate.decay_steps`: checkpoint absent, now 9",
        ),
    ],
    ids=["seed", "mirror", "images", "count", "beta", "units", "rate", "optimizer", "schedule"],
)
def test_what_does_not_fit_is_said_and_refused(changed, said, earlier):
    given = {"model": made(), **changed()}
    before = harness.weights(given["model"])
    with pytest.raises(ValueError, match="^`model`, its optimizer and its data must be those of the ch") as caught:
        fit(earlier, 3, resumed=True, **given)
    assert said in str(caught.value) and len(str(caught.value)) < 1000
    harness.assert_same_weights(before, harness.weights(given["model"]))


def test_what_changes_no_weight_may_change(earlier):
    model = made()
    model.compile("adam", metrics=[keras.metrics.MeanSquaredError()])
    assert resume(model, earlier, batches()) == 1
    assert resume(made(), earlier) == 1  # no data given: none compared


def test_names_that_keras_numbers_do_not_matter():
    def parts():
        x = keras.Input((2,))
        model = keras.Model(x, keras.layers.Dense(1)(keras.layers.Dense(3)(x)))
        model.compile("adam")
        return fingerprint(model)

    one, two = parts(), parts()
    assert one == two and one["model"]["config"]["layers"][1]["config"]["name"] == "dense:2"
    two["model"]["config"]["layers"][1]["config"]["units"] = 4
    assert differences(one, two) == ["`model.layers.1.units`: checkpoint 3, now 4"]


def test_an_argument_that_is_such_a_word_is_no_name():
    """The first IWAE of a process is named "iwae", and so is one of its estimators."""

    def made():
        parts = keras_vae.MLPEncoder((2,)), keras_vae.MLPDecoder((4,), ())
        model = keras_vae.IWAE(*parts, latent_dim=2, num_samples=2, estimator="iwae")
        model.build((None, 4))
        model.compile("adam")
        return model

    keras.backend.clear_session()
    first, second = fingerprint(made()), fingerprint(made())
    assert first == second and "iwae:" not in str(first["model"]["config"]["estimator"])


def test_the_dtype_policy_is_no_such_name():
    one, two = (fingerprint(made(dtype=dtype))["model"] for dtype in ("float32", "mixed_bfloat16"))
    assert "`dtype.name`: checkpoint 'float32', now 'mixed_bfloat16'" in differences(one, two)


def test_data_of_every_kind_are_described():
    large = np.zeros((3, 2**25), "uint8")
    large[1] = 1  # of 96 MB every other row is looked at
    zeros = described(np.zeros((3, 2**25), "uint8"))
    assert described(large) == zeros and zeros["shape"] == [3, 2**25]
    large[2, 7] = 1
    assert described(large) != zeros
    assert described(np.float32(0.5)) == 0.5 and described(float("nan")) == "nan"
    assert described([keras.Variable([1.0, 2.0])]) == [described(np.array([1, 2], "float32"))]
    assert described({"a": (True, None), 3: object()}) == {"a": [True, None], "3": {"class": "object"}}


def test_a_model_without_a_configuration_is_known_by_its_class():
    class Odd(keras.Model):
        def __init__(self, net):
            super().__init__()
            self.net = net

        def get_config(self):
            raise NotImplementedError

    model = Odd(keras.layers.Dense(1))
    model.compile("sgd", "mse")
    assert fingerprint(model)["model"] == {"class_name": "Odd"}


def test_an_optimizer_of_other_variables_is_refused(tmp_path):
    """Keras would pass over its state in silence, or with a warning."""

    @keras.saving.register_keras_serializable("tests")
    class Momentum(keras.optimizers.SGD):
        slots = True

        def build(self, variables):
            super().build(variables)
            if self.slots:
                self.extra = [self.add_variable_from_reference(v, "extra") for v in variables]

    fit(tmp_path, model=made(Momentum()))
    model = made(Momentum())
    model.optimizer.slots = False
    before = harness.weights(model)
    with pytest.raises(ValueError, match=r"Received: `optimizer/vars/2`: checkpoint \S.* float32', now absent; "):
        resume(model, tmp_path)
    harness.assert_same_weights(before, harness.weights(model))


def test_a_resumed_run_keeps_the_fingerprint_of_its_beginning(tmp_path):
    """A schedule has moved the coefficient and the rate when the second part begins."""

    def parts():
        beta = keras_vae.callbacks.CoefficientSchedule("beta", lambda epoch: 1.0 + epoch, unit="epoch")
        return [beta, keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))]

    for epochs in (1, 2, 3):
        model = fit(tmp_path, epochs, resumed=True, callbacks=parts())
    assert float(harness.numpy(model.beta)) == 3.0
    state = json.loads((tmp_path / "checkpoint.json").read_text())
    assert state["epoch"] == 3 and state["fingerprint"]["model"]["config"]["beta"] == 4.0
    model.fit(batches(), epochs=4, initial_epoch=3, verbose=0, callbacks=[TrainingCheckpoint(tmp_path)])
    assert resume(made(), tmp_path, batches()) == 4


def killed_at_once(folder, **kwargs):
    class Killed(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(folder, 3, callbacks=[Killed()], **kwargs)


def test_a_killed_fresh_start_is_not_resumed_as_the_earlier_run(tmp_path):
    fit(tmp_path, 2)
    with warnings.catch_warnings(action="error", category=UserWarning):  # that run had finished: nobody loses anything
        killed_at_once(tmp_path)
    model = made()
    before = harness.weights(model)
    assert resume(model, tmp_path, batches()) == 0
    harness.assert_same_weights(before, harness.weights(model))


def test_whoever_forgot_to_resume_is_told_and_can_go_back(tmp_path):
    fit(tmp_path, 2)
    state = tmp_path / "checkpoint.json"
    state.write_text(state.read_text().replace('"epochs": 2', '"epochs": 9'))
    with pytest.warns(UserWarning, match="in place of one that was stopped after epoch 2 of 9. To go on with that one"):
        killed_at_once(tmp_path)
    assert not state.exists()
    (tmp_path / "replaced.json").rename(state)
    assert resume(made(), tmp_path, batches()) == 2
    with pytest.warns(UserWarning, match="stopped after epoch 2 of 9"):
        fit(tmp_path, 1)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {".lock", "checkpoint.json", "epoch-000001.weights.h5"}


def test_a_training_from_another_epoch_is_another_training(tmp_path):
    fit(tmp_path, 2)
    made_anew = made(beta=1.0)
    made_anew.fit(batches(), epochs=8, initial_epoch=7, verbose=0, callbacks=[TrainingCheckpoint(tmp_path)])
    assert resume(made(beta=1.0), tmp_path) == 8


def test_fewer_epochs_than_are_done_are_refused(tmp_path):
    fit(tmp_path, 2)
    harness.check_refuses(lambda: fit(tmp_path, 1, resumed=True), "`epochs` must be at least those done, 2 in ")
    assert int(harness.numpy(fit(tmp_path, 2, resumed=True).step)) == 6  # as many are done already


@pytest.mark.parametrize(
    "damage, said",
    [
        (lambda text, state: text[: len(text) // 2], "no JSON"),
        (lambda text, state: "[" * 100_000, "no JSON"),
        (lambda text, state: "\x00\x01", "no JSON"),
        (lambda text, state: "[1]", "no `schema`"),
        (lambda text, state: json.dumps({"epoch": 1, "weights": "w", "sha256": "0", "seeds": []}), "no `schema`"),
        (lambda text, state: {**state, "schema": 3}, "schema=3, of another version"),
        (lambda text, state: {**state, "epoch": -3}, "`epoch` must be an integer >= 1, and is '-3'"),
        (lambda text, state: {**state, "epoch": True}, "`epoch` must be an integer >= 1, and is 'True'"),
        (lambda text, state: {**state, "epoch": 7}, "`epochs` must be an integer >= `epoch`, and is '3'"),
        (lambda text, state: {**state, "epoch": 2}, "`weights` must be the file of that epoch"),
        (lambda text, state: {**state, "weights": "/etc/passwd"}, "`weights` must be the file of that epoch"),
        (lambda text, state: {**state, "sha256": None}, "`sha256` must be a str"),
        (lambda text, state: {**state, "sha256": "0" * 64}, "epoch-000001.weights.h5: missing or damaged"),
        (lambda text, state: {**state, "seeds": {}}, "`seeds` must be a list"),
        (lambda text, state: {**state, "fingerprint": "none"}, "`fingerprint` must be a dict"),
    ],
)
def test_a_damaged_checkpoint_is_one_clear_error(damage, said, earlier, tmp_path):
    text = (earlier / "checkpoint.json").read_text()
    weights = earlier / "epoch-000001.weights.h5"
    (tmp_path / weights.name).write_bytes(weights.read_bytes())
    damaged = damage(text, json.loads(text))
    (tmp_path / "checkpoint.json").write_text(damaged if isinstance(damaged, str) else json.dumps(damaged))
    model = made()
    with pytest.raises(ValueError, match="^`folder` must hold a whole checkpoint. Received: ") as caught:
        resume(model, tmp_path)
    assert said in str(caught.value) and str(tmp_path) in str(caught.value) and len(str(caught.value)) < 500


def test_a_fresh_start_over_a_damaged_checkpoint_says_so(tmp_path):
    (tmp_path / "checkpoint.json").write_text("{")
    with pytest.warns(UserWarning, match="in place of what is there: `folder` must hold a whole checkpoint"):
        fit(tmp_path)
    assert resume(made(), tmp_path) == 1


@pytest.mark.parametrize(
    "change, said",
    [
        (lambda seeds: seeds[1:], "`random seeds`: checkpoint 0, now 1"),
        (lambda seeds: [[1]], r"`.*seed_generator_state`: checkpoint \[1\], now seeds of shape \(2,\)"),
        (lambda seeds: [["a", "b"]], r"checkpoint \['a', 'b'\], now"),
        (lambda seeds: [[2**70, 0]], r"checkpoint \[1180591620717411303424, 0\], now"),
    ],
)
def test_seeds_that_do_not_fit_are_refused(change, said, earlier, tmp_path):
    for file in earlier.glob("[!.]*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    state = json.loads((tmp_path / "checkpoint.json").read_text())
    (tmp_path / "checkpoint.json").write_text(json.dumps({**state, "seeds": change(state["seeds"])}))
    with pytest.raises(ValueError, match=f"^`model`, its optimizer and its data must be those of the ch.*{said}"):
        resume(made(), tmp_path)


def test_a_second_process_is_told(tmp_path):
    with holder(tmp_path) as other, pytest.raises(BlockingIOError, match=f"'process {other.pid} of "):
        fit(tmp_path)
    fit(tmp_path)  # the other one was killed


def test_a_finished_run_that_is_resumed_has_the_weights_of_its_best_epoch_again(tmp_path):
    """Its checkpoint has those of the last one."""
    x = harness.images(32, size=4)
    trained = []
    for resumed in (False, True):
        encoder, decoder = keras_vae.MLPEncoder((3,)), keras_vae.MLPDecoder((4, 4, 1), ())
        model = keras_vae.PlainAutoencoder(encoder, decoder)
        model.build((None, 4, 4, 1))
        harness.set_weights(model)
        model.compile(keras.optimizers.SGD(0.01))
        worse = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(val_loss=abs(epoch - 1.0)))
        stop = keras_vae.training.EarlyStop(5, tmp_path / "best")
        data = keras_vae.datasets.ArrayBatches(x, 8, seed=0)
        options = {"callbacks": [worse, stop], "verbose": 0, "validation_data": (x,)}
        fit_resumable(model, data, 4, tmp_path / "run", resumed, **options)
        assert stop.best == 1
        trained.append(harness.weights(model))
    harness.assert_same_weights(*trained)
