"""How far two sets of examples are apart as a network of features sees them: the Frechet distance of two Gaussians."""

import warnings

import numpy as np

from keras_vae.core.checks import integer
from keras_vae.metrics.arrays import finite_array, numbers

FEW = 1000  # examples, below which there is a warning
ROUNDING = 1e-6  # of the largest entry: what a covariance may lack in symmetry, or be negative


class FrechetDistance:
    """The Frechet distance of generated images to real ones, on the features of a named network that does not change.

    The features of each set are taken for a Gaussian; `frechet_distance` compares the two. Zero for equal sets, lower
    is better. A figure means something beside figures of the same network and of the same numbers of images only: it is
    biased upwards, the more the fewer images there are. All three are in its name. It is not the FID, which is that of
    50,000 samples on a network of others.

    Args:
        features: what has a method `features`, images -> array (n, d), as a `Classifier` has; or such a function.
        real: array (n, ...), the images to be compared with, as `features` takes them. 1,000 at least, and more than d.
        name: str or None, the network's, for the name of the figure. Default: None, `features.name`.

    Raises:
        TypeError: if `features` is neither, or nothing names it.
        ValueError: if it returns NaN or infinite values, no row for each image, or there are fewer than two images.

    Reference:
        Heusel et al. 2017, arXiv:1706.08500.

    Example:
        >>> import numpy as np
        >>> images = np.random.default_rng(0).random((2400, 4, 4, 3))
        >>> distance = FrechetDistance(lambda x: x.mean(axis=(1, 2)), images[:1200], name="mean_colour")
        >>> distance.figure_name(1200)
        'frechet_mean_colour_1200_vs_1200'
        >>> 0 < distance.score(images[1200:]) < 0.001 < distance.score(0.5 * images[1200:])
        True
    """

    def __init__(self, features, real, name=None):
        self.features = getattr(features, "features", features)
        if not callable(self.features):
            raise TypeError(f"`features` must be a function, or have a method `features`. Received: {features!r}.")
        self.name = getattr(features, "name", None) if name is None else name
        if not isinstance(self.name, str) or not self.name:
            raise TypeError(f"`name` must be that of the network, a str. Received: name={self.name!r}.")
        self.mean, self.covariance, self.count = self._gaussian("real", real)

    def score(self, images):
        """The distance of `images` to the real ones.

        Args:
            images: array (m, ...), in the range and the shape of the real ones.

        Returns:
            float >= 0. Warns below 1,000 images on either side, or where there are no more of them than features.

        Raises:
            ValueError: as the constructor.
        """
        mean, covariance, count = self._gaussian("images", images)
        _warn_of_few(count, self.count, len(mean))
        return frechet_distance(mean, covariance, self.mean, self.covariance)

    def figure_name(self, count):
        """What the score of `count` images is called: "frechet_<network>_<images>_vs_<real images>".

        Args:
            count: int >= 2, images that are scored.

        Returns:
            str.
        """
        return f"frechet_{self.name}_{integer('count', count, low=2)}_vs_{self.count}"

    def _gaussian(self, name, images):
        found = numbers(f"features({name})", self.features(images))
        if found.ndim != 2 or len(found) != len(images):
            raise ValueError(
                f"`features` must return an array ({len(images)}, d) for {len(images)} images. "
                f"Received: shape {found.shape}."
            )
        return gaussian_of(f"features({name})", found)


def frechet_distance(mean1, cov1, mean2, cov2):
    """The Frechet distance of two Gaussians, squared as is usual: their 2-Wasserstein distance, squared.

        |mean1 - mean2|^2 + tr(cov1 + cov2 - 2 (cov1 cov2)^(1/2))

    The trace of the root is the sum of the singular values of cov1^(1/2) cov2^(1/2), symmetric roots: no eigenvalue of
    a product is needed, and equal Gaussians have a distance of zero up to float64.

    Args:
        mean1: array (d,).
        cov1: array (d, d), symmetric, no eigenvalue below zero.
        mean2: array (d,).
        cov2: array (d, d).

    Returns:
        float >= 0, in squared units of the features.

    Raises:
        TypeError: for what is not real numbers.
        ValueError: for NaN or infinite values, shapes that do not fit, or what is no covariance.

    Reference:
        Dowson & Landau 1982, The Frechet distance between multivariate normal distributions, eq. 4.

    Example:
        >>> import numpy as np
        >>> frechet_distance([0.0, 3.0], np.eye(2), [0.0, 0.0], np.diag([4.0, 1.0]))  # 3^2 + (2 - 1)^2
        10.0
    """
    mean1, mean2 = _mean("mean1", mean1), _mean("mean2", mean2)
    if len(mean1) != len(mean2):
        raise ValueError(f"`mean2` must have {len(mean1)} values, as `mean1`. Received: {len(mean2)}.")
    cov1, root1 = _covariance("cov1", cov1, len(mean1))
    cov2, root2 = _covariance("cov2", cov2, len(mean2))
    root_trace = np.linalg.svd(root1 @ root2, compute_uv=False).sum()
    distance = np.square(mean1 - mean2).sum() + np.trace(cov1) + np.trace(cov2) - 2.0 * root_trace
    return max(0.0, float(distance))  # of equal ones rounding may leave less than zero


def frechet_distance_of_features(features1, features2):
    """`frechet_distance` of the Gaussians that have the means and the unbiased covariances of two sets of features.

    Biased upwards, the more the fewer examples there are, so that figures are compared at equal numbers only.

    Args:
        features1: array (n, d), features of n >= 2 examples; more than d, or their covariance is singular.
        features2: array (m, d).

    Returns:
        float >= 0. Warns below 1,000 examples on either side, or where there are no more of them than features.

    Raises:
        TypeError: for what is not real numbers.
        ValueError: for NaN or infinite values, another rank, fewer than two examples, or two widths.

    Example:
        >>> import numpy as np
        >>> x = np.random.default_rng(0).normal(size=(2000, 3))
        >>> round(frechet_distance_of_features(x, x + [0.0, 0.0, 2.0]), 6)
        4.0
    """
    mean1, cov1, count1 = gaussian_of("features1", features1)
    mean2, cov2, count2 = gaussian_of("features2", features2)
    if len(mean1) == len(mean2):
        _warn_of_few(count1, count2, len(mean1))
    return frechet_distance(mean1, cov1, mean2, cov2)


def gaussian_of(name, features):
    """Mean (d,), unbiased covariance (d, d) and number of the rows of `features`, in float64.

    Args:
        name: str, the argument, for the message.
        features: array (n, d), n >= 2.
    """
    features = finite_array(name, features, "(examples, features)", rank=2)
    if len(features) < 2:
        raise ValueError(f"`{name}` must hold two examples or more, to have a covariance. Received: {len(features)}.")
    mean = features.mean(axis=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1), len(features)


def _warn_of_few(count1, count2, width):
    """Warns, at the line that called the public function, where the numbers of examples matter more than the data."""
    fewest, told = min(count1, count2), []
    if fewest < FEW:
        told.append(f"below {FEW:,} it is biased upwards by much, and comparable at equal numbers only")
    if fewest <= width:
        told.append(f"the covariance of {width} features is singular with so few: more than {width} are needed")
    if told:
        warnings.warn(f"Frechet distance of {count1} to {count2} examples: {'; '.join(told)}.", stacklevel=3)


def _mean(name, mean):
    mean = numbers(name, mean)
    if mean.ndim != 1:
        raise ValueError(f"`{name}` must have shape (features,). Received: shape {mean.shape}.")
    return finite_array(name, mean[None], "(features,)")[0]


def _covariance(name, cov, width):
    """A covariance and its symmetric root."""
    cov = finite_array(name, cov, f"({width}, {width})", rank=2)
    if cov.shape != (width, width):
        raise ValueError(f"`{name}` must have shape ({width}, {width}), as the mean. Received: shape {cov.shape}.")
    rounding = ROUNDING * np.abs(cov).max()
    if np.abs(cov - cov.T).max() > rounding:
        raise ValueError(f"`{name}` must be symmetric. Received: entries that differ by {np.abs(cov - cov.T).max():g}.")
    values, vectors = np.linalg.eigh(cov)
    if values[0] < -rounding:
        raise ValueError(f"`{name}` must have no eigenvalue below zero. Received: {values[0]:g}.")
    return cov, (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
