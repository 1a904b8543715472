"""The likelihood of any family: how the decoder's numbers are read, and where data may lie."""

import numpy as np
import pytest
from scipy import stats

import harness
from keras_vae.likelihoods import FamilyLikelihood

RNG = np.random.default_rng(0)
X = RNG.uniform(0.1, 0.9, (3, 2, 2, 2)).astype("float32")
PARAMS = RNG.normal(size=(3, 2, 2, 4)).astype("float32")


def test_the_first_parameter_of_all_channels_comes_first():
    likelihood = FamilyLikelihood("Laplace")
    expected = stats.laplace.logpdf(X, PARAMS[..., :2], np.exp(PARAMS[..., 2:])).reshape(3, -1)
    np.testing.assert_allclose(harness.numpy(likelihood.log_prob(PARAMS, X)), expected.sum(axis=1), rtol=1e-5)
    np.testing.assert_allclose(harness.numpy(likelihood.elementwise_log_prob(PARAMS, X)), expected, rtol=1e-5)
    np.testing.assert_array_equal(harness.numpy(likelihood.mean(PARAMS)), PARAMS[..., :2])
    assert likelihood.params_shape((2, 2, 2)) == (2, 2, 4) and likelihood.params_per_channel == 2
    assert likelihood.interval is None and not likelihood.joint_channels


def test_a_value_at_an_open_end_counts_as_one_inside():
    likelihood = FamilyLikelihood("Beta", margin=0.01)
    assert likelihood.interval == (0.0, 1.0)
    edge = np.array([[0.0, 1.0]], "float32")
    params = np.log(np.array([[2.0, 0.5, 3.0, 0.7]], "float32"))
    expected = stats.beta.logpdf(0.01, 2, 3) + stats.beta.logpdf(0.99, 0.5, 0.7)
    np.testing.assert_allclose(harness.numpy(likelihood.log_prob(params, edge)), [expected], rtol=1e-4)
    exponential = FamilyLikelihood("Exponential")  # which has a density at zero
    assert (
        float(harness.numpy(exponential.log_prob(np.zeros((1, 1), "float32"), np.zeros((1, 1), "float32")))[0]) == 0.0
    )


def test_a_family_without_a_mean_reconstructs_its_mode():
    np.testing.assert_array_equal(harness.numpy(FamilyLikelihood("Cauchy").mean(PARAMS)), PARAMS[..., :2])


def test_joint_channels_have_one_share_of_each_place_and_a_mask_leaves_places_out():
    likelihood = FamilyLikelihood("EllipticalNormal")
    params = RNG.normal(size=(3, 4, 5)).astype("float32")
    x = RNG.normal(size=(3, 4, 2)).astype("float32")
    assert likelihood.joint_channels and likelihood.params_shape((4, 2)) == (4, 5)
    each = harness.numpy(likelihood.elementwise_log_prob(params, x))
    tril = np.zeros((2, 2))
    tril[[0, 1], [0, 1]], tril[1, 0] = np.exp(params[1, 2, 2:4]), params[1, 2, 4]
    expected = stats.multivariate_normal(params[1, 2, :2], tril @ tril.T).logpdf(x[1, 2])
    assert each.shape == (3, 4) and each[1, 2] == pytest.approx(expected, rel=1e-4)
    mask = np.array([[1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0]])
    got = harness.numpy(likelihood.log_prob(params, x, mask=mask))
    np.testing.assert_allclose(got, (each * mask).sum(axis=1), rtol=1e-5)


def test_refuses():
    harness.check_refuses(lambda: FamilyLikelihood("Poison"), "`family` must be one of Beta, ")
    harness.check_refuses(lambda: FamilyLikelihood("Beta", margin=0.0), "`margin` must be a finite number > 0")
    harness.check_refuses(lambda: FamilyLikelihood("Laplace", {"loc": 0.0, "scale": 1.0}), "must leave a parameter")
    harness.check_refuses(
        lambda: FamilyLikelihood("StudentT").log_prob(PARAMS, X), "3 numbers for one dim.* Received: 4"
    )
