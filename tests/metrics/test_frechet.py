"""The Frechet distance: in closed form, beside SciPy's matrix root, on samples of known Gaussians, and its warnings."""

import warnings

import numpy as np
import pytest

import harness
import keras_vae
from keras_vae.metrics import FrechetDistance, frechet_distance, frechet_distance_of_features

RNG = np.random.default_rng(0)
PICTURES = harness.images(1200)


def covariance(width, seed, rank=None):
    factor = np.random.default_rng(seed).normal(size=(width, rank or width))
    return factor @ factor.T


def colours(images):
    """Three features of an image: its mean, its brightest pixel and the spread of its rows."""
    rows = images.mean(axis=(2, 3))
    return np.stack([rows.mean(axis=1), images.max(axis=(1, 2, 3)), rows.std(axis=1)], axis=1)


def test_gaussians_with_diagonal_covariances_by_hand():
    """One dimension after the other: (m1 - m2)^2 + (s1 - s2)^2."""
    found = frechet_distance([1.0, -2.0, 0.0], np.diag([9.0, 0.25, 0.0]), [4.0, -2.0, 0.5], np.diag([1.0, 4.0, 0.0]))
    assert found == pytest.approx((9 + 4) + (0 + 2.25) + 0.25, rel=1e-12)


def test_gaussians_that_are_turned_by_hand():
    """Equal axes in any rotation: that of the diagonals. One of them a multiple of the other: (a - 1)^2 tr S."""
    turn, _ = np.linalg.qr(RNG.normal(size=(4, 4)))
    first, second = np.array([4.0, 1.0, 9.0, 16.0]), np.array([1.0, 25.0, 9.0, 0.0])
    found = frechet_distance(np.zeros(4), (turn * first) @ turn.T, np.zeros(4), (turn * second) @ turn.T)
    assert found == pytest.approx((1 + 16 + 0 + 16), rel=1e-7)
    cov = covariance(5, seed=1)
    assert frechet_distance(np.ones(5), cov, np.ones(5), 9 * cov) == pytest.approx(4 * np.trace(cov), rel=1e-12)


def test_two_dimensions_with_covariances_that_do_not_commute():
    """tr (AB)^(1/2) = (tr AB + 2 (det AB)^(1/2))^(1/2) for 2 x 2, from its eigenvalues."""
    a, b = np.array([[2.0, 1.0], [1.0, 3.0]]), np.array([[5.0, -2.0], [-2.0, 1.0]])
    assert np.abs(a @ b - b @ a).max() > 1
    root = np.sqrt(np.trace(a @ b) + 2 * np.sqrt(np.linalg.det(a @ b)))
    found = frechet_distance([0.0, 0.0], a, [3.0, 4.0], b)
    assert found == pytest.approx(25 + np.trace(a) + np.trace(b) - 2 * root, rel=1e-12)


@pytest.mark.parametrize("width, rank", [(3, 3), (40, 40), (40, 7)])
def test_the_formula_with_scipys_root(width, rank):
    linalg = pytest.importorskip("scipy.linalg")
    mean1, mean2 = RNG.normal(size=(2, width))
    cov1, cov2 = covariance(width, seed=2, rank=rank), 0.5 * covariance(width, seed=3)
    trace = np.trace(cov1 + cov2 - 2 * linalg.sqrtm(cov1 @ cov2)).real
    found = frechet_distance(mean1, cov1, mean2, cov2)
    assert found == pytest.approx(np.square(mean1 - mean2).sum() + trace, rel=1e-6)
    assert frechet_distance(mean2, cov2, mean1, cov1) == pytest.approx(found, rel=1e-9)


@pytest.mark.parametrize("rank", [1, 20, 60])
def test_equal_gaussians_have_no_distance(rank):
    mean, cov = 1e3 * RNG.normal(size=60), 1e4 * covariance(60, seed=4, rank=rank)
    assert frechet_distance(mean, cov, mean, cov) <= 1e-11 * np.trace(cov)


def test_it_grows_with_a_shift_and_with_a_scale():
    mean, cov = RNG.normal(size=6), covariance(6, seed=5)
    shifted = [frechet_distance(mean, cov, mean + shift, cov) for shift in (0.0, 0.1, 0.5, 2.0)]
    np.testing.assert_allclose(shifted, [0.0, 0.06, 1.5, 24.0], atol=1e-10)
    scaled = [frechet_distance(mean, cov, mean, factor * cov) for factor in (1.0, 1.1, 2.0, 5.0)]
    assert scaled == sorted(scaled) and scaled[1] > 1e-3


def test_samples_of_known_gaussians_come_near_their_distance_from_above():
    mean1, mean2 = np.zeros(4), np.array([1.0, 0.0, -1.0, 0.5])
    cov1, cov2 = covariance(4, seed=6) / 4, covariance(4, seed=7) / 4
    exact, found = frechet_distance(mean1, cov1, mean2, cov2), {}
    for count in (1000, 100_000):
        rng = np.random.default_rng(1)
        x, y = (rng.multivariate_normal(m, c, count) for m, c in ((mean1, cov1), (mean2, cov2)))
        found[count] = frechet_distance_of_features(x.astype("float32"), y)
    assert found[100_000] == pytest.approx(exact, rel=0.01) and found[1000] == pytest.approx(exact, rel=0.1)
    with pytest.warns(UserWarning):  # two sets of one Gaussian, whose distance is zero
        few, more = (
            np.mean([frechet_distance_of_features(*rng.normal(size=(2, count, 4))) for _ in range(20)])
            for count in (20, 200)
        )
    assert few > 5 * more > 0


def test_the_covariance_is_the_unbiased_one():
    x, y = RNG.normal(size=(7, 3)), RNG.normal(size=(5, 3)) + 1
    with pytest.warns(UserWarning):
        found = frechet_distance_of_features(x, y)
    assert found == pytest.approx(frechet_distance(x.mean(0), np.cov(x.T), y.mean(0), np.cov(y.T)), rel=1e-9)
    with pytest.warns(UserWarning):  # one feature: numpy's covariance would be no matrix
        found = frechet_distance_of_features(x[:, :1], y[:, :1])
    means, stds = (x[:, 0].mean() - y[:, 0].mean()), (x[:, 0].std(ddof=1) - y[:, 0].std(ddof=1))
    assert found == pytest.approx(means**2 + stds**2, rel=1e-9)


def test_warnings_name_the_numbers():
    x = RNG.normal(size=(1200, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frechet_distance_of_features(x, x[:1000])
    with pytest.warns(UserWarning, match="999 to 1200 examples: below 1,000 it is biased") as told:
        frechet_distance_of_features(x[:999], x)
    assert "singular" not in str(told[0].message) and told[0].filename == __file__
    with pytest.warns(UserWarning, match="1200 to 3 examples: below 1,000 .* of 3 features is singular with so few"):
        frechet_distance_of_features(x, x[:3])
    wide = RNG.normal(size=(1200, 1200))
    with pytest.warns(UserWarning, match="1200 to 1200 examples: the covariance of 1200 features is singular"):
        FrechetDistance(lambda images: images, wide, name="wide").score(wide)


def test_images_through_a_network_with_a_name():
    distance = FrechetDistance(colours, PICTURES, name="colours")
    assert distance.figure_name(500) == "frechet_colours_500_vs_1200"
    assert distance.score(PICTURES) < 1e-12
    scores = [distance.score(PICTURES * brightness) for brightness in (0.9, 0.6, 0.3)]
    assert 1e-4 < scores[0] < scores[1] < scores[2]
    assert scores[0] == pytest.approx(frechet_distance_of_features(colours(PICTURES), colours(PICTURES * 0.9)))
    with pytest.warns(UserWarning, match="500 to 1200 examples") as told:
        distance.score(PICTURES[:500])
    assert told[0].filename == __file__


def test_a_classifier_is_a_network_of_features():
    encoder = keras_vae.MLPEncoder((5,), "tanh")
    network = keras_vae.Classifier(encoder, keras_vae.IdentityBottleneck(), 3, name="features_discs")
    network.build((None, 8, 8, 1))
    harness.set_weights(network)
    distance = FrechetDistance(network, PICTURES)
    darker = 0.5 * PICTURES[:1100]
    assert distance.figure_name(1100) == "frechet_features_discs_1100_vs_1200"
    expected = frechet_distance_of_features(*(harness.numpy(encoder(x)) for x in (darker, PICTURES)))
    assert distance.score(darker) == pytest.approx(expected, rel=1e-4) and expected > 0.01
    harness.check_refuses(lambda: distance.score(darker[:, :4]), r"`x` must have shape \(batch, 8, 8, 1\)")


GOOD = (np.zeros(2), np.eye(2), np.zeros(2), np.eye(2))
BAD_GAUSSIANS = [
    (0, np.zeros((2, 1)), r"`mean1` must have shape \(features,\). Received: shape \(2, 1\)"),
    (2, np.zeros(3), "`mean2` must have 2 values, as `mean1`. Received: 3"),
    (2, np.array([0.0, np.nan]), "`mean2` must be finite"),
    (1, np.eye(3), r"`cov1` must have shape \(2, 2\), as the mean. Received: shape \(3, 3\)"),
    (3, np.ones(2), r"`cov2` must have shape \(2, 2\), not empty. Received: shape \(2,\)"),
    (3, np.diag([1.0, np.inf]), "`cov2` must be finite"),
    (1, np.array([[1.0, 0.5], [0.0, 1.0]]), "`cov1` must be symmetric. Received: entries that differ by 0.5"),
    (3, np.diag([1.0, -0.1]), "`cov2` must have no eigenvalue below zero. Received: -0.1"),
]


@pytest.mark.parametrize("place, value, told", BAD_GAUSSIANS, ids=range(len(BAD_GAUSSIANS)))
def test_what_is_no_gaussian_is_refused(place, value, told):
    given = [*GOOD]
    given[place] = value
    harness.check_refuses(lambda: frechet_distance(*given), told)


X = RNG.normal(size=(9, 2))
BAD_FEATURES = [
    ((X[:, 0], X), r"`features1` must have shape \(examples, features\), not empty. Received: shape \(9,\)"),
    ((X, X[:, None]), r"`features2` must have shape \(examples, features\)"),
    ((X, X[:1]), "`features2` must hold two examples or more, to have a covariance. Received: 1"),
    ((np.where(X > 1, np.nan, X), X), "`features1` must be finite"),
    ((X, X[:, :1]), "`mean2` must have 2 values"),
]


@pytest.mark.parametrize("given, told", BAD_FEATURES, ids=range(len(BAD_FEATURES)))
def test_what_are_no_features_is_refused(given, told):
    harness.check_refuses(lambda: frechet_distance_of_features(*given), told)


def test_what_is_no_network_is_refused():
    with pytest.raises(TypeError, match="`features` must be a function, or have a method `features`. Received: 'net'"):
        FrechetDistance("net", PICTURES, name="n")
    for name in (None, 3, ""):
        with pytest.raises(TypeError, match="`name` must be that of the network, a str. Received: name="):
            FrechetDistance(colours, PICTURES, name=name)
    harness.check_refuses(
        lambda: FrechetDistance(lambda x: x, PICTURES, name="n"), r"`features` must return an array \(1200, d\)"
    )
    harness.check_refuses(
        lambda: FrechetDistance(lambda x: colours(x)[:3], PICTURES, name="n"), r"Received: shape \(3, 3\)"
    )
    harness.check_refuses(
        lambda: FrechetDistance(lambda x: colours(x) * np.nan, PICTURES, name="n"), r"`features\(real\)` must be finite"
    )
    distance = FrechetDistance(colours, PICTURES, name="n")
    harness.check_refuses(lambda: distance.score(PICTURES[:1]), r"`features\(images\)` must hold two examples or more")
    harness.check_refuses(lambda: distance.figure_name(1), "`count` must be an integer >= 2")
    with pytest.raises(TypeError, match="must be an array of real numbers"):
        frechet_distance_of_features(X + 1j, X)
