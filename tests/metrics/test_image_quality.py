"""PSNR and SSIM: by hand, against SciPy in double precision, as arrays and as Keras metrics inside a compiled fit."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import ndimage

import harness
from harness import numpy
from keras_vae.metrics import PSNR, SSIM, psnr, ssim


def reference_ssim(x, y, max_value=1.0):
    """Wang 2004 in double precision on a filter that is not ours: SciPy's, cut to the places inside the image."""

    def blur(a):
        return ndimage.gaussian_filter(a, sigma=(0, 1.5, 1.5, 0), radius=(0, 5, 5, 0))[:, 5:-5, 5:-5]

    x, y = np.float64(x), np.float64(y)
    mx, my = blur(x), blur(y)
    vx, vy, vxy = blur(x * x) - mx**2, blur(y * y) - my**2, blur(x * y) - mx * my
    c1, c2 = (0.01 * max_value) ** 2, (0.03 * max_value) ** 2
    return ((2 * mx * my + c1) * (2 * vxy + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean(axis=(1, 2, 3))


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    x = rng.random((5, 20, 24, 3)).astype("float32")
    return x, np.clip(x + rng.normal(0, 0.2, x.shape), 0, 1).astype("float32")


def test_psnr_of_a_known_offset():
    x = np.full((2, 4, 4, 1), 0.4, "float32")
    y = x + np.array([0.1, 0.01], "float32")[:, None, None, None]
    np.testing.assert_allclose(psnr(x, y), [20.0, 40.0], rtol=1e-5)  # -20 log10(offset)
    np.testing.assert_allclose(psnr(255 * x, 255 * y, max_value=255), [20.0, 40.0], rtol=1e-5)


def test_psnr_of_identical_images_is_the_cap():
    x = np.random.default_rng(0).random((2, 4, 4, 1))
    np.testing.assert_allclose(psnr(x, x), [100.0, 100.0], rtol=1e-6)
    np.testing.assert_allclose(psnr(255 * x, 255 * x, max_value=255.0), [100.0, 100.0], rtol=1e-6)


def test_psnr_metric_is_the_mean_over_images_and_not_of_the_error():
    x = np.zeros((2, 4, 4, 1), "float32")
    y = x + np.array([0.1, 0.001], "float32")[:, None, None, None]
    metric = PSNR()
    metric.update_state(x[:1], y[:1])
    metric.update_state(x[1:], y[1:])
    assert float(metric.result()) == pytest.approx(40.0, rel=1e-5)  # (20 + 60) / 2; of the mean error it would be 23
    metric.reset_state()
    metric.update_state(x, y, sample_weight=np.array([3.0, 1.0]))
    assert float(metric.result()) == pytest.approx(30.0, rel=1e-5)


def test_ssim_equals_scipy_in_double_precision(pair):
    x, y = pair
    np.testing.assert_allclose(ssim(x, y), reference_ssim(x, y), atol=2e-6)
    np.testing.assert_allclose(ssim(255 * x, 255 * y, max_value=255), reference_ssim(x, y), atol=2e-6)


def test_ssim_published_implementation():
    """The value that tf.image.ssim (TensorFlow 2.21, same window) gives for this pattern."""
    i = np.arange(16)
    x = ((3 * i[:, None] + 5 * i[None, :]) % 16 / 15)[None, :, :, None]
    assert ssim(x, 0.8 * x + 0.1 * x[:, ::-1])[0] == pytest.approx(0.962649, abs=1e-5)


def test_ssim_laws(pair):
    x, y = pair
    np.testing.assert_allclose(ssim(x, x), np.ones(5), atol=1e-6)
    np.testing.assert_allclose(ssim(x, y), ssim(y, x), atol=1e-6)
    assert (ssim(x, y) < 1).all() and (ssim(x, 1 - x) < 0).all()


def test_ssim_of_constant_images_by_hand():
    a, b, c1 = 0.8, 0.5, 1e-4
    x, y = np.full((1, 11, 11, 1), a), np.full((1, 11, 11, 1), b)
    # variances are zero: what remains is the luminance term. Float32 leaves 1e-7 / C2 = 1e-4 of noise in the other.
    assert ssim(x, y)[0] == pytest.approx((2 * a * b + c1) / (a**2 + b**2 + c1), abs=3e-4)


def test_ssim_metric_accumulates_over_batches(pair):
    x, y = pair[0][:4], pair[1][:4]
    metric = SSIM()
    for part in (slice(0, 2), slice(2, 4)):
        metric.update_state(x[part], y[part])
    assert float(metric.result()) == pytest.approx(reference_ssim(x, y).mean(), abs=2e-6)
    metric.update_state(x[:2], y[:2], sample_weight=np.array([0.0, 3.0]))
    expected = np.average(reference_ssim(x, y), weights=[1, 4, 1, 1])
    assert float(metric.result()) == pytest.approx(expected, abs=2e-6)


def test_more_images_than_one_piece(pair):
    x, y = (np.tile(a, (14, 1, 1, 1)) for a in pair)  # 70 images: the function takes a few at a time
    np.testing.assert_allclose(ssim(x, y), np.tile(ssim(*pair), 14), atol=1e-6)


def test_tensors_and_half_precision(pair):
    x, y = (ops.convert_to_tensor(a) for a in pair)
    np.testing.assert_allclose(psnr(x, y), psnr(*pair), rtol=1e-6)
    half = ops.cast(y, "bfloat16")
    np.testing.assert_allclose(psnr(pair[0], half), psnr(*pair), atol=0.05)
    metric = SSIM()
    metric.update_state(x, half)
    assert float(metric.result()) == pytest.approx(ssim(*pair).mean(), abs=1e-3)


def test_in_a_compiled_fit(pair):
    """A layer that multiplies by a constant: fit and evaluate log what the array functions give."""
    x, _ = pair
    model = keras.Sequential([keras.Input((20, 24, 3)), keras.layers.Rescaling(0.9)])

    def loss(y, prediction):
        return ops.mean(ops.square(y - prediction), axis=(1, 2, 3))

    model.compile("sgd", loss, metrics=[PSNR(), SSIM()])
    weight = np.array([1.0, 2, 3, 4, 5])
    logs = model.evaluate(x, x, batch_size=2, verbose=0, return_dict=True)
    assert logs["psnr"] == pytest.approx(psnr(x, 0.9 * x).mean(), rel=1e-5)
    assert logs["ssim"] == pytest.approx(ssim(x, 0.9 * x).mean(), rel=1e-5)
    model.compile("sgd", loss, weighted_metrics=[PSNR()])
    logs = model.evaluate(x, x, sample_weight=weight, batch_size=2, verbose=0, return_dict=True)
    assert logs["psnr"] == pytest.approx(np.average(psnr(x, 0.9 * x), weights=weight), rel=1e-5)


@pytest.mark.parametrize("cls", [PSNR, SSIM])
def test_configuration(cls):
    metric = cls(max_value=255.0, name="quality", dtype="float32")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(metric))
    assert type(again) is cls and again.get_config() == {"name": "quality", "dtype": "float32", "max_value": 255.0}
    with pytest.raises(ValueError, match="`max_value` must be a finite number > 0"):
        cls(max_value=0)


@pytest.mark.parametrize("function", [psnr, ssim])
def test_shapes_must_agree(function):
    with pytest.raises(ValueError, match=r"`y` must have the shape of `x`, \(2, 12, 12, 1\)"):
        function(np.zeros((2, 12, 12, 1)), np.zeros((2, 12, 12, 3)))


@pytest.mark.parametrize("shape", [(2, 10, 12, 1), (2, 12, 12)])
def test_ssim_needs_images_of_the_window(shape):
    with pytest.raises(ValueError, match="both sides at least 11"):
        ssim(np.zeros(shape), np.zeros(shape))
    with pytest.raises(ValueError, match="both sides at least 11"):
        SSIM().update_state(np.zeros(shape), np.zeros(shape))


def test_results_are_arrays_of_numpy(pair):
    x, y = pair
    expected = -10 * np.log10(np.square(x.astype("float64") - y).mean(axis=(1, 2, 3))), reference_ssim(x, y)
    for value, wanted in zip((psnr(x, y), ssim(x, y)), expected, strict=True):
        assert isinstance(value, np.ndarray) and value.dtype == np.float32
        np.testing.assert_allclose(value, wanted, rtol=1e-4)
    assert numpy(PSNR().result()) == 0  # nothing seen yet, as in Keras's own Mean


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_integers_beyond_the_largest_value_are_told(measure):
    x = np.full((1, 16, 16, 1), 200, "uint8")
    harness.check_refuses(
        lambda: measure(x, x), "`max_value` must be .* 255 for 8-bit images.*max_value=1, `x` of dtype"
    )
    perfect = {psnr: 100.0, ssim: 1.0}[measure]
    assert measure(x, x, max_value=255)[0] == pytest.approx(perfect, rel=1e-5)
    assert measure(x // 200, x // 200)[0] == pytest.approx(perfect, rel=1e-5)  # integers of 0 and 1 are of that range


@pytest.mark.parametrize("measure", [psnr, ssim])
def test_complex_images_are_refused(measure):
    x = np.full((1, 16, 16, 1), 0.5 + 0.5j)
    harness.check_refuses(lambda: measure(x, x), "`x` must be an array of real numbers", TypeError)
