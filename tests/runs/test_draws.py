"""How far draws of a model of codes are from images: which images and which codes are compared, and how many."""

import numpy as np
import pytest

from keras_vae.runs import distances_of_draws

COUNT = 1100


class Codes:
    """A perfect model of images of 4x4 equal greys by quarter: the greys are codes of two levels, two each."""

    def encode(self, images):
        codes = np.asarray(images)[:, ::2, ::2, 0] // 25
        return {"top": codes[:, 0], "bottom": codes[:, 1]}

    def decode(self, codes):
        rows = np.stack([codes["top"], codes["bottom"]], axis=1)
        return np.repeat(np.repeat(rows * 25 / 255, 2, axis=1), 2, axis=2)[..., None]

    def sample(self, count, seed):
        assert (count, seed) == (COUNT, 7)
        return self.decode({name: np.zeros((count, 2), "int32") for name in ("top", "bottom")}) - 0.5


class Quarters:
    """A network whose features are the greys of an image of 2x2."""

    name, data_shape = "quarters", (2, 2, 1)

    def features(self, images):
        assert images.shape[1:] == self.data_shape and images.dtype == np.float32
        return images.reshape(-1, 4)


@pytest.fixture(scope="module")
def images():
    """Four greys that are equal in each image, so that independent codes lose that."""
    greys = np.random.default_rng(0).integers(0, 11, (3 * COUNT, 1, 1, 1))
    return np.uint8(25 * np.broadcast_to(greys, (3 * COUNT, 4, 4, 1)))


def test_distances_are_of_draws_of_independent_codes_and_of_other_images(images):
    model = Codes()
    found = distances_of_draws(model, model.encode(images), images, Quarters(), COUNT, seed=7)
    names = [
        f"frechet_quarters_{COUNT}_vs_{2 * COUNT}_{what}"
        for what in ("samples", "independent_codes", "reconstructions")
    ]
    assert list(found) == names
    samples, independent, reconstructions = found.values()
    greys = images[:, 0, 0, 0] / 255
    variance, mean = greys.var(), greys.mean()
    # Samples are black, for what is below zero is clipped: |mean|^2 and the trace of the covariance, of four values.
    assert samples == pytest.approx(4 * (mean**2 + variance), rel=0.05)
    # One direction of variance 4 v against four of v: v (4 + 4 - 2 sqrt(4)).
    assert independent == pytest.approx(4 * variance, rel=0.1)
    assert 1e-7 < reconstructions < 0.02 * independent  # zero would be that of images to themselves


def test_floats_are_compared_as_bytes_are(images):
    model = Codes()
    codes = model.encode(images)
    expected = distances_of_draws(model, codes, images, Quarters(), COUNT, seed=7)
    found = distances_of_draws(model, codes, np.float32(images / 255.0), Quarters(), COUNT, seed=7)
    assert found == pytest.approx(expected, rel=1e-4)
