"""Bad data is refused where it enters: arrays whole, streams on their first batch, with the argument named."""

import keras
import numpy as np
import pytest

import harness
from keras_vae.training import TermsModel, check_values

GOOD = np.linspace(0, 1, 24, dtype="float32").reshape(2, 3, 4)


def check(x, **kwargs):
    return check_values("x", x, **kwargs)


@pytest.mark.parametrize("value, told", [(np.nan, "1 NaN or infinite of 24"), (np.inf, "1 NaN or infinite of 24")])
def test_non_finite_values_are_counted(value, told):
    bad = GOOD.copy()
    bad[1, 2, 3] = value
    harness.check_refuses(lambda: check(bad), f"`x` must be finite. Received: {told}")


def test_values_outside_the_interval():
    harness.check_refuses(
        lambda: check(GOOD - 0.5, interval=(0.0, 1.0), reason="BernoulliLikelihood"),
        r"`x` must be in \[0, 1\] for BernoulliLikelihood. Received: values from -0.5 to 0.5",
    )


def test_eight_bit_images_get_a_hint():
    with pytest.raises(ValueError, match="Divide 8-bit images by 255"):
        check((GOOD * 255).astype("uint8"), interval=(0.0, 1.0))


@pytest.mark.parametrize("shape", [(3, 5), (3,), (3, 4, 1)])
def test_a_wrong_shape(shape):
    accepted = ", ".join(str(s) for s in shape)
    harness.check_refuses(lambda: check(GOOD, shape=shape), rf"`x` must have shape \(batch, {accepted}\).*\(2, 3, 4\)")


def test_empty_data():
    harness.check_refuses(lambda: check(GOOD[:0]), r"`x` must hold at least one example. Received: shape=\(0, 3, 4\)")


def test_data_that_is_not_numbers():
    harness.check_refuses(lambda: check(np.array(["a", "b"])), "`x` must be an array of numbers", TypeError)


def test_fractions_where_whole_numbers_are_asked_for():
    harness.check_refuses(lambda: check(GOOD, whole=True), "`x` must hold whole numbers")


@pytest.mark.parametrize("shape", [None, (3, 4), (None, 4), (None, None)])
def test_good_data_comes_back_as_it_is(shape):
    assert check(GOOD, shape=shape, interval=(0.0, 1.0)) is GOOD


class Picky(TermsModel):
    """Checks that what enters is finite."""

    def call(self, x, training=False):
        return {"reconstruction": x}

    def check_data(self, x, name="x"):
        check_values(name, x, shape=(2,))
        return x


class Stream(keras.utils.PyDataset):
    def __init__(self, *batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


BAD = np.array([[1.0, np.nan]], "float32")
FINE = np.ones((1, 2), "float32")


@pytest.mark.parametrize(
    "arguments, told",
    [
        ({"x": BAD}, "`x` must be finite"),
        ({"x": FINE, "y": BAD}, "`y` must be finite"),
        ({"x": FINE, "validation_data": (BAD,)}, r"`validation_data\[0\]` must be finite"),
        ({"x": FINE, "validation_data": (FINE, BAD)}, r"`validation_data\[1\]` must be finite"),
        ({"x": Stream(BAD)}, r"`x \(first batch\)` must be finite"),
        ({"x": Stream((FINE, BAD))}, r"`x \(first batch, y\)` must be finite"),
        ({"x": (b for b in (BAD,))}, r"`x \(first batch\)` must be finite"),
        ({"x": (b for b in ())}, "`x` must yield at least one batch"),
        ({"x": Stream()}, "`x` must hold at least one batch"),
        ({"x": FINE, "validation_data": Stream(BAD)}, r"`validation_data \(first batch\)` must be finite"),
    ],
)
def test_fit_refuses_before_the_first_step(arguments, told):
    model = Picky()
    model.compile("sgd")
    harness.check_refuses(lambda: model.fit(**arguments, verbose=0), told)
    assert int(harness.numpy(model.step.value)) == 0


@pytest.mark.parametrize("x, told", [(BAD, "`x` must be finite"), (Stream(BAD), r"`x \(first batch\)` must be finite")])
def test_evaluate_refuses(x, told):
    model = Picky()
    model.compile("sgd")
    harness.check_refuses(lambda: model.evaluate(x, verbose=0), told)


@pytest.mark.parametrize("method", ["predict", "train_on_batch", "test_on_batch"])
def test_one_batch_and_predictions_are_checked_too(method):
    model = Picky()
    model.compile("sgd")
    harness.check_refuses(lambda: getattr(model, method)(BAD), "`x` must be finite")
    assert int(harness.numpy(model.step.value)) == 0


def test_class_weights_are_refused():
    model = Picky()
    model.compile("sgd")
    harness.check_refuses(lambda: model.fit(FINE, class_weight={0: 1.0}, verbose=0), "`class_weight` must be None")


@pytest.mark.parametrize(
    "x, told",
    [
        ({"image": FINE}, "`x` must be one array, or a stream of batches. Received: a dict"),
        ([FINE], "`x` must be one array, or a stream of batches. Received: a list"),
        (Stream({"image": FINE}), r"`x \(first batch\)` must be one array"),
        (Stream(([FINE, FINE], FINE)), r"`x \(first batch, x\)` must be one array"),
    ],
)
def test_several_arrays_for_one_are_refused(x, told):
    model = Picky()
    model.compile("sgd")
    harness.check_refuses(lambda: model.fit(x, verbose=0), told, TypeError)


class Frame:
    """What Keras takes for a data frame: `dtypes` in the place of `dtype`, and iterating over names of columns."""

    shape, dtypes = BAD.shape, ["float32", "float32"]

    def __iter__(self):
        return iter(["one", "two"])

    def __array__(self, dtype=None, copy=None):
        return BAD


@pytest.mark.parametrize(
    "arguments, told",
    [
        ({"x": None}, "`x` must be an array or a stream of batches. Received: x=None"),
        ({"x": Frame()}, "`x` must be finite"),
        ({"x": FINE, "sample_weight": np.array([np.nan])}, "`sample_weight` must be finite"),
        ({"x": FINE, "sample_weight": np.ones((1, 2))}, r"`sample_weight` must have shape \(batch,\)"),
        (
            {"x": FINE, "validation_data": (FINE, None, np.ones((1, 2)))},
            r"`validation_data\[2\]` must have shape \(batch,\)",
        ),
    ],
)
def test_other_arguments_are_checked_too(arguments, told):
    model = Picky()
    model.compile("sgd")
    harness.check_refuses(lambda: model.fit(**arguments, verbose=0), told)


@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_a_loss_of_compile_is_refused_and_not_ignored(method):
    model = Picky()
    model.compile("sgd", loss="mse")
    harness.check_refuses(lambda: getattr(model, method)(FINE, verbose=0), "`loss` must be left out of `compile`")


def test_the_first_array_sets_the_shape_of_a_model_that_is_not_built():
    model = Picky()
    model.compile("sgd")
    assert not model.built
    harness.check_refuses(lambda: model.evaluate(FINE, BAD, verbose=0), "`y` must be finite")
    assert model.built
